"""Two deployments that were given the same Redis, one on SQLite and one on PostgreSQL, as processes and by their rows."""

import asyncio
import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from rq import Queue

from bmn.broker import redis_keys
from bmn.broker.connection import connect, connect_sync
from bmn.broker.health import RedisHealth
from bmn.broker.ownership import Owner, find_owner, take
from bmn.db.health.deployment import read_identity
from bmn.errors import Misconfigured
from bmn.settings import load_settings
from bmn.work.registry import QUEUES
from bmn.work.wiring import open_core
from tests.kit.databases import EmptyDatabases
from tests.kit.engine import FAST
from tests.kit.processes import wait_until
from tests.kit.stack import start
from tests.kit.terminal import forked

OURS, THEIRS = Owner("a" * 32, "sqlite:///ours"), Owner("b" * 32, "postgresql://theirs")


@pytest.fixture
def postgres(postgres_server: str, migrated_postgres: EmptyDatabases) -> Iterator[str]:
    with migrated_postgres.lend() as name:
        yield f"{postgres_server}/{name}"


@pytest.fixture
def sqlite(tmp_path: Path, migrated_sqlite: Path) -> str:
    path = tmp_path / "ours.sqlite3"
    shutil.copy(migrated_sqlite, path)
    return f"sqlite:///{path}"


@pytest.mark.full
def test_the_second_one_is_refused_in_words_and_the_first_goes_on(home: Path, redis_url: str, postgres: str) -> None:
    first = start(home, "--port", "0", "--queues", "email-send", env={"REDIS_URL": redis_url})
    try:
        other = {"BMN_HOME": str(home.parent / "other"), "REDIS_URL": redis_url, "DATABASE_URL": postgres}
        for refused in (forked("serve", "--port", "0", env=other), forked("worker", "email-send", env=other)):
            assert refused.code == 2
            assert "another deployment" in refused.err and "bmn.sqlite3" in refused.err and "REDIS_URL" in refused.err
        looked = forked("doctor", "--json", env=other)
        (found,) = [check for check in json.loads(looked.out)["checks"] if check["name"] == "Deployment"]
        assert found["state"] == "failed" and "bmn.sqlite3" in found["message"] and "REDIS_URL" in found["remedy"]
        ours = forked("doctor", "--json", env={"BMN_HOME": str(home), "REDIS_URL": redis_url})
        (found,) = [check for check in json.loads(ours.out)["checks"] if check["name"] == "Deployment"]
        assert found["state"] == "ok"
        with connect_sync(redis_url) as client:
            names = {queue.name for queue in Queue.all(connection=client)}
            assert set(QUEUES) | {"dead-letter"} <= names
        assert first.stop() == 0
    finally:
        first.process.kill()
        first.process.wait()


async def test_a_core_is_refused_where_the_other_lives(home: Path, redis_url: str, sqlite: str, postgres: str) -> None:
    settings = load_settings(bmn_home=home, redis_url=redis_url, database_url=sqlite, **FAST)
    core = await open_core(settings, "test")
    try:
        with pytest.raises(Misconfigured, match="another deployment"):
            await open_core(load_settings(bmn_home=home, redis_url=redis_url, database_url=postgres, **FAST), "test")
    finally:
        await core.close()


async def test_another_number_of_the_same_server_is_another_redis(
    home: Path, redis_url: str, sqlite: str, postgres: str
) -> None:
    """Its channels have no number, so a command says whose it is."""
    ours = await open_core(load_settings(bmn_home=home, redis_url=redis_url, database_url=sqlite, **FAST), "test")
    elsewhere = redis_url.replace("db=0", "db=1")
    theirs = await open_core(load_settings(bmn_home=home, redis_url=elsewhere, database_url=postgres, **FAST), "test")
    try:
        assert ours.deployment != theirs.deployment
        assert ours.deployment == read_identity(sqlite)
    finally:
        await ours.close()
        await theirs.close()


def test_a_mark_that_nobody_renews_is_waited_for(redis_url: str) -> None:
    with connect_sync(redis_url) as client:
        client.set(redis_keys.OWNER, THEIRS.dump(), px=600)
        take(client, OURS)
        assert find_owner(client) == OURS
        assert 0 < client.ttl(redis_keys.OWNER) <= redis_keys.OWNER_SECONDS
        take(client, OURS)
        take(client, THEIRS, alone=True)
        assert find_owner(client) == THEIRS


async def test_the_one_that_comes_second_to_an_emptied_redis_stops(redis_url: str) -> None:
    stopped: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: stopped.append(number))
    async with connect(redis_url) as client:
        health = RedisHealth(client, owner=OURS, every=0.01)
        try:
            await health.start()
            with redis.Redis.from_url(redis_url) as other:
                other.set(redis_keys.OWNER, THEIRS.dump(), ex=60)
                await asyncio.to_thread(wait_until, lambda: bool(stopped))
                assert find_owner(other) == THEIRS
        finally:
            await health.stop()
            signal.signal(signal.SIGTERM, before)
