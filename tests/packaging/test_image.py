"""The production image without a container engine: the environment that the Dockerfile makes, and what runs in it."""

import json
import os
import shutil
import sys
from pathlib import Path

import httpx
import pytest
import redis

from bmn.settings import PROVIDERS
from tests.kit.compose import OURS, SERVICES, run_every_command
from tests.packaging.installations import ROOT, Installation, dockerfile, install

pytestmark = [pytest.mark.full, pytest.mark.timeout(600)]

KEYS = {names.key_field.upper(): "a-key-of-nobody" for names in PROVIDERS.values()} | {"GHL_LOCATION_ID": "location"}


def _pins(name: str) -> set[str]:
    return set((ROOT / name).read_text().split())


def test_it_holds_the_pins_and_what_the_extra_adds_and_nothing_else(production: Path) -> None:
    """No sandbox, no typeface, no test tool, no installer; and no package that came unpinned."""
    python = production / "bin" / "python"
    frozen = install(sys.executable, "-m", "pip", "--python", python, "freeze", "--exclude", "bmn", cwd=production)
    packages = set(frozen.split())
    assert packages >= _pins("requirements.txt")
    assert packages - _pins("requirements.txt") <= _pins("requirements-dev.txt")
    assert not any("fontpkg" in name or "sandbox" in name for name in packages)
    install(sys.executable, "-m", "pip", "--python", python, "check", cwd=production)
    assert not list(production.glob("bin/pip*"))


def test_no_secret_and_nothing_of_the_repository_gets_into_a_layer() -> None:
    """Files are copied by name, and what must stay outside is not even sent to the engine."""
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".env", ".git", "demo"} <= set(ignored)
    for word, rest in dockerfile("build") + dockerfile("final"):
        assert word not in ("ADD", "ARG"), rest
        if word == "COPY" and "--from" not in rest:
            assert not {".", "./", "*", ".env"} & set(rest.split()[:-1])
        if word == "ENV":
            assert not any(secret in rest for secret in ("KEY", "SECRET", "PASSWORD", "TOKEN")), rest


def test_the_command_line_answers(installed: Installation) -> None:
    assert "bmn serve" in installed.run("--help").out
    code = "import importlib.util, sys; sys.exit(importlib.util.find_spec('bmn_sandbox') is not None)"
    python = Installation(installed.command.with_name("python"), installed.folder)
    assert python.run("-c", code).code == 0


@pytest.mark.parametrize(
    "command",
    [("serve",), ("generate", "logos", "--brand", "Acme"), ("sandbox", "run"), ("doctor",)],
    ids=lambda c: c[0],
)
def test_without_keys_it_says_in_one_line_how_to_install_the_sandbox(
    installed: Installation, command: tuple[str, ...]
) -> None:
    said = installed.run(*command)
    lines = [line for line in (said.out + said.err).splitlines() if " -m pip install ./bmn_sandbox" in line]
    assert len(lines) == 1, said
    assert said.code == (1 if command == ("doctor",) else 2), said
    assert "Traceback" not in said.err


def test_make_demo_installs_the_sandbox_before_it_runs(tmp_path: Path) -> None:
    """What it would do in a clone without an environment, step by step."""
    plan = install("make", "--dry-run", "demo", f"VENV={tmp_path / 'none'}", cwd=ROOT)
    sandbox, demo = plan.index(" ./bmn_sandbox"), plan.index("bmn generate logos")
    assert plan.index("requirements-sandbox.txt") < sandbox < demo
    assert "requirements-dev.txt" not in plan


def test_some_keys_are_not_enough_and_the_missing_ones_are_named(installed: Installation) -> None:
    said = installed.run("serve", env={name: value for name, value in KEYS.items() if name != "OPENAI_API_KEY"})
    assert (said.code, "No key for openai" in said.err, "or set OPENAI_API_KEY" in said.err) == (2, True, True), said


def test_with_keys_it_serves_with_its_own_redis_and_other_workers_join(installed: Installation) -> None:
    home = installed.folder / "home"
    with installed.running("serve", "--no-workers", env=KEYS) as server:
        url = server.wait_for_address(home)
        assert httpx.get(f"{url}/health").status_code == 200
        with redis.Redis.from_url(json.loads((home / "serve.json").read_text())["redis_url"]) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        with installed.running("worker", "all", env=KEYS) as workers:
            workers.wait_for("workers ready")
    assert (server.process.returncode, workers.process.returncode) == (0, 0)


def test_with_keys_all_of_it_starts_in_one_terminal(installed: Installation) -> None:
    with installed.running("serve", env=KEYS) as server:
        url = server.wait_for_address(installed.folder / "home")
        assert httpx.get(f"{url}/health").status_code == 200
    assert server.process.returncode == 0


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="only root may mount a root read-only")
def test_its_commands_run_as_another_user_on_a_read_only_root(
    production: Path, tmp_path: Path, postgres_server: str
) -> None:
    """As the compose file asks for: a user without a name and without rights, a volume, and a /tmp of its own."""
    assert all(SERVICES[name]["read_only"] and SERVICES[name]["cap_drop"] == ["ALL"] for name in OURS)
    home, temporary = tmp_path / "volume", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    contained = f"""set -eu
        mount --bind {home} {home}
        mount -t tmpfs tmpfs {temporary}
        mount -o remount,ro,bind /
        export TMPDIR={temporary} HOME={home}
        exec unshare --user --map-user=12345 --map-group=12345 {production}/bin/bmn "$@"
        """
    run_every_command(["unshare", "--mount", "sh", "-c", contained, "bmn"], home, tmp_path, postgres_server)
