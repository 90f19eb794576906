"""`bmn doctor` against real things that are well and real things that are not."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from bmn.broker.embedded import EmbeddedRedis
from tests.kit.stack import Stack
from tests.kit.terminal import Output, forked

CANARY = "sk-canary-0123456789abcdef"


def checks(done: Output) -> dict[str, tuple[str, str]]:
    """Name of each check -> state and message; of several with one name, the worst."""
    order = {"ok": 0, "warning": 1, "failed": 2}
    found: dict[str, tuple[str, str]] = {}
    for check in json.loads(done.out)["checks"]:
        known = found.get(check["name"])
        if known is None or order[check["state"]] > order[known[0]]:
            found[check["name"]] = (check["state"], check["message"])
        assert check["state"] == "ok" or check["remedy"], check
    return found


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    embedded = EmbeddedRedis(tmp_path / "redis")
    embedded.start()
    yield embedded
    embedded.stop()


def test_a_fresh_machine_is_well(home: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    done = forked("doctor", env={"BMN_HOME": str(home), "PORT": port})
    assert done.code == 0, done.out
    assert "all is well" in done.out
    assert not any(line.startswith(("✗", "!")) for line in done.out.splitlines())
    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_a_running_stack_is_well_and_recognised(stack: Stack) -> None:
    done = forked("doctor", "--json", env=stack.env)
    assert done.code == 0, done.out
    assert forked("doctor", env=stack.env).err == "next: bmn queues\n"
    found = checks(done)
    assert found["Server"] == ("ok", f"answers at {stack.api_url}")
    assert "Valkey" in found["Redis"][1]
    assert {found[name][0] for name in ("Policy", "Persistence", "Memory", "Clock", "Database", "Migrations")} == {"ok"}


def test_a_server_of_another_home_is_told(stack: Stack, home: Path) -> None:
    done = forked("doctor", "--json", env={"BMN_HOME": str(home), "BMN_API_URL": stack.api_url})
    assert done.code == 1
    assert checks(done)["Sign-in"] == ("failed", f"{stack.api_url} does not accept our tokens")


def test_a_redis_that_evicts_forgets_and_is_full_is_told(home: Path, server: EmbeddedRedis) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("appendonly", "no")
        client.config_set("maxmemory", 1_000_000)
    done = forked("doctor", "--json", env={"BMN_HOME": str(home), "REDIS_URL": server.url})
    assert done.code == 1
    found = checks(done)
    assert found["Policy"] == ("failed", "allkeys-lru")
    assert found["Persistence"][0] == "warning"
    assert found["Memory"][0] == "failed"


def test_what_does_not_answer_is_told_without_its_password(home: Path) -> None:
    env = {
        "BMN_HOME": str(home),
        "REDIS_URL": f"redis://:{CANARY}@127.0.0.1:1/0",
        "DATABASE_URL": f"postgresql://me:{CANARY}@127.0.0.1:1/x",
        "OPENAI_API_KEY": CANARY,
    }
    for flag in ("--json", "--plain"):
        done = forked("doctor", flag, env=env)
        assert done.code == 1
        assert CANARY not in done.out + done.err
        assert "Traceback" not in done.err
    found = checks(forked("doctor", "--json", env=env))
    assert (found["Redis"][0], found["Database"][0]) == ("failed", "failed")


def test_a_postgresql_without_our_tables_wants_its_upgrade(home: Path, postgres_server: str) -> None:
    env = {"BMN_HOME": str(home), "DATABASE_URL": f"{postgres_server}/postgres"}
    found = checks(forked("doctor", "--json", env=env))
    assert found["Database"][0] == "ok"
    assert found["Database"][1].startswith("PostgreSQL 18")
    assert found["Migrations"][0] == "failed"
    assert found["Clock"][0] == "ok"


def test_a_port_of_somebody_else_is_told(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0)
        done = forked("doctor", "--json", env={"BMN_HOME": str(home), "PORT": str(other.getsockname()[1])})
    assert checks(done)["Port"][0] == "failed"


def test_a_home_that_cannot_be_written_and_a_wrong_setting_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = checks(forked("doctor", "--json", env={"BMN_HOME": str(tmp_path / "file" / "home")}))
    assert found["Home"][0] == "failed"
    found = checks(forked("doctor", "--json", env={"BMN_HOME": str(tmp_path), "PORT": "abc"}))
    assert found["Settings"][0] == "failed"
    assert "PORT" in found["Settings"][1]


def test_production_without_its_settings_is_told(home: Path) -> None:
    done = forked("doctor", "--json", env={"BMN_HOME": str(home), "BMN_ENV": "production"})
    assert done.code == 1
    found = checks(done)
    assert (found["Production"][0], found["Keys"][0]) == ("failed", "failed")
