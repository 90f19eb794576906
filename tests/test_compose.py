"""docker-compose.yml and the Dockerfile: the file fits the specification, and each of its commands runs as written.

There is no container engine here. What the image would hold is this environment, the names of the other containers are
addresses of this machine, and nothing else of a command or of the variables is changed.
"""

import re
from pathlib import Path

import pytest
import yaml
from compose_pydantic.models import ComposeSpecification

from tests.kit.compose import COMPOSE, OURS, ROOT, SERVICES, run_every_command
from tests.kit.terminal import BMN


def test_the_file_holds_against_the_compose_specification() -> None:
    """The models are generated from the specification's JSON schema; keys that begin with x- are anybody's own."""
    ComposeSpecification.model_validate({key: value for key, value in COMPOSE.items() if not key.startswith("x-")})


def test_every_name_in_the_file_means_something() -> None:
    volumes = set(COMPOSE["volumes"])
    used = {mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", ())}
    assert {name for name in used if not name.startswith(".")} == volumes
    for mount in used - volumes:
        assert (ROOT / mount).exists(), mount
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert SERVICES[other]["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), f"{name} waits for {other}"
            if how["condition"] == "service_completed_successfully":
                assert SERVICES[other]["restart"] == "no", f"{other} would start again for ever"


def test_nothing_is_published_beyond_this_machine_and_nothing_is_without_a_password() -> None:
    for service in SERVICES.values():
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert "--requirepass" in SERVICES["redis"]["command"]
    required = re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yml").read_text())
    assert set(required) == {"REDIS_PASSWORD", "POSTGRES_PASSWORD"}


def test_a_stop_waits_longer_than_running_jobs_may_take() -> None:
    for name in OURS:
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > 120


# --- the commands --------------------------------------------------------------------------------------------------------


@pytest.mark.full
def test_every_command_runs_as_written_in_production(tmp_path: Path, postgres_server: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    run_every_command([BMN], home, tmp_path, postgres_server)


def test_the_image_is_started_as_the_file_says() -> None:
    """Entry point and default command are those of the service `api`; the user is not root; each file it copies is there."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if line and not line.startswith("#")]
    words = {line.split(" ", 1)[0]: line.split(" ", 1)[1] for line in lines}
    assert yaml.safe_load(words["ENTRYPOINT"]) == ["bmn"]
    assert yaml.safe_load(words["CMD"]) == SERVICES["api"]["command"]
    assert words["USER"] == "bmn"
    ignored = (ROOT / ".dockerignore").read_text().split()
    for line in lines:
        if line.startswith("COPY ") and "--from" not in line:
            *sources, _ = line.split()[1:]
            assert all((ROOT / source).exists() and source not in ignored for source in sources), line
