import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from bmn.broker.connection import UNAVAILABLE, connect, connect_sync
from bmn.broker.embedded import EmbeddedRedis
from bmn.broker.health import RedisHealth
from bmn.errors import Misconfigured
from tests.kit.processes import wait_until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    embedded = EmbeddedRedis(tmp_path / "redis")
    embedded.start()
    yield embedded
    if embedded.pid:
        os.kill(embedded.pid, signal.SIGCONT)
    embedded.stop()


async def test_asynchronous_answers_are_text_synchronous_ones_bytes(redis_url: str) -> None:
    async with connect(redis_url) as client:
        await client.set("name", "Café")
        assert await client.get("name") == "Café"
    with connect_sync(redis_url) as sync:
        assert sync.get("name") == "Café".encode()


@pytest.mark.parametrize("make", [connect, connect_sync])
def test_a_url_that_is_none_is_refused_with_an_example(make: object) -> None:
    with pytest.raises(Misconfigured, match="REDIS_URL"):
        make("localhost:6379")  # type: ignore[operator]


async def test_a_restart_is_invisible_to_the_next_command(server: EmbeddedRedis) -> None:
    async with connect(server.url) as client:
        await client.set("a", 1)
        server.stop()
        server.start()
        assert await client.get("a") == "1"


async def test_a_redis_that_is_away_is_an_error_of_its_own(server: EmbeddedRedis) -> None:
    async with connect(server.url) as client:
        await client.ping()
        server.stop()
        with pytest.raises(UNAVAILABLE):
            await client.ping()


async def test_a_frozen_redis_is_an_error_of_its_own(server: EmbeddedRedis) -> None:
    async with connect(server.url, reply_seconds=0.2) as client:
        await client.ping()
        assert server.pid
        os.kill(server.pid, signal.SIGSTOP)
        with pytest.raises(UNAVAILABLE):
            await client.get("a")


async def test_a_server_that_accepts_and_never_answers_costs_one_timeout_not_several() -> None:
    asked = []

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n"))
        await reader.read()
        writer.close()

    mute = await asyncio.start_server(never_answer, "127.0.0.1", 0)
    async with mute, connect(f"redis://127.0.0.1:{mute.sockets[0].getsockname()[1]}/0", reply_seconds=0.1) as client:
        with pytest.raises(UNAVAILABLE):
            await client.ping()
    assert len(asked) == 1


async def test_a_blocking_read_may_take_longer_than_a_command(redis_url: str) -> None:
    async with connect(redis_url, reply_seconds=1.0) as client:
        assert await client.blpop(["nothing"], timeout=0.2) is None


async def test_callers_beyond_the_pool_wait_for_their_turn(redis_url: str) -> None:
    async with connect(redis_url, connections=2) as client:
        answers = await asyncio.gather(*(client.incr("n") for _ in range(50)))
    assert sorted(answers) == list(range(1, 51))


async def test_health_knows_how_long_redis_is_away_and_when_it_is_back(server: EmbeddedRedis) -> None:
    async with connect(server.url) as client:
        health = RedisHealth(client, every=0.02)
        await health.start()
        try:
            assert health.down_for() == 0
            server.stop()
            await asyncio.to_thread(wait_until, lambda: health.down_for() > 0.1)
            server.start()
            await asyncio.to_thread(wait_until, lambda: health.down_for() == 0)
        finally:
            await health.stop()


async def test_health_of_a_redis_that_was_never_there_counts_from_the_start(tmp_path: Path) -> None:
    async with connect(f"unix://{tmp_path / 'none.sock'}?db=0") as client:
        health = RedisHealth(client)
        await health.probe()
        assert health.down_for() > 0


async def test_health_sees_a_full_redis_and_one_that_evicts(server: EmbeddedRedis) -> None:
    async with connect(server.url) as client:
        health = RedisHealth(client)
        await health.probe()
        assert (health.full, health.policy_ok) == (False, True)
        assert 0 < health.memory_share < 0.5
        await client.config_set("maxmemory", 1_000_000)
        await client.config_set("maxmemory-policy", "allkeys-lru")
        await health.probe()
        assert (health.full, health.policy_ok) == (True, False)
        await client.config_set("maxmemory", 0)
        await health.probe()
        assert health.full is False


def test_a_full_redis_refuses_writes_by_name(server: EmbeddedRedis) -> None:
    with connect_sync(server.url) as client:
        client.config_set("maxmemory", 1_000_000)
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            client.set("big", "x" * 1000)


async def test_a_cancellation_is_never_lost_inside_a_command(redis_url: str) -> None:
    async with connect(redis_url) as client:
        await client.ping()

        async def work() -> None:
            while True:
                await client.set("a", 1)
                await client.get("a")

        # Each round lets the task go on for one more step of the loop, so that every await inside a command is hit.
        for steps in range(200):
            task = asyncio.create_task(work())
            for _ in range(steps % 40):
                await asyncio.sleep(0)
            task.cancel()
            done, _ = await asyncio.wait([task], timeout=5)
            assert done, f"lost after {steps} steps"


async def test_a_user_who_may_not_ask_for_the_memory_has_a_redis_all_the_same(server: EmbeddedRedis) -> None:
    async with connect(server.url) as client:
        await client.execute_command("ACL", "SETUSER", "worker", "on", ">word", "~*", "&*", "+@all", "-@dangerous")
    async with connect(f"{server.url}&username=worker&password=word") as limited:
        health = RedisHealth(limited)
        await health.probe()
        assert (health.down_for(), health.full, health.policy_ok) == (0, False, True)
        server.stop()
        await health.probe()
        assert health.down_for() > 0
