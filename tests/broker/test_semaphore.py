import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bmn.broker import keys
from bmn.broker.connection import connect
from bmn.broker.embedded import EmbeddedRedis
from bmn.broker.semaphore import Semaphore
from tests.kit.processes import eventually

KEY = keys.semaphore("bfl")


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    async with connect(redis_url) as connected:
        yield connected


class Crowd:
    """Counts how many are inside at once, and the most there ever were."""

    def __init__(self) -> None:
        self.inside = self.most = self.served = 0

    async def visit(self, semaphore: Semaphore) -> None:
        async with semaphore.slot():
            self.inside += 1
            self.most = max(self.most, self.inside)
            await asyncio.sleep(0.005)
            self.inside -= 1
            self.served += 1


async def test_the_limit_holds_over_several_processes_and_everyone_is_served(client: Redis) -> None:
    crowd = Crowd()
    processes = [Semaphore(client, "bfl", 3) for _ in range(4)]
    await asyncio.gather(*(crowd.visit(processes[n % 4]) for n in range(40)))
    assert (crowd.most, crowd.served) == (3, 40)
    assert await client.exists(KEY) == 0


async def test_names_do_not_share_a_limit(client: Redis) -> None:
    async with Semaphore(client, "bfl", 1).slot(), asyncio.timeout(5), Semaphore(client, "openai", 1).slot():
        assert await client.zcard(KEY) == 1


async def test_the_slot_of_a_dead_process_is_free_after_its_lease(client: Redis) -> None:
    dead = Semaphore(client, "bfl", 1, lease=0.2)
    assert await dead._ask(1, "token of a process that was killed")
    began = asyncio.get_running_loop().time()
    async with asyncio.timeout(5), Semaphore(client, "bfl", 1).slot():
        assert asyncio.get_running_loop().time() - began > 0.1


async def test_a_slot_is_kept_for_longer_than_its_lease(client: Redis) -> None:
    async with Semaphore(client, "bfl", 1, lease=0.15).slot():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5), Semaphore(client, "bfl", 1).slot():
                pytest.fail("two are inside")


@pytest.mark.parametrize("waiting", [True, False])
async def test_a_cancelled_visitor_leaves_nothing_behind(client: Redis, waiting: bool) -> None:
    semaphore = Semaphore(client, "bfl", 1)
    inside = asyncio.Event()

    async def stay() -> None:
        async with semaphore.slot():
            inside.set()
            await asyncio.Event().wait()

    first = asyncio.create_task(stay())
    await inside.wait()
    second = asyncio.create_task(stay())
    await asyncio.sleep(0.02)
    for task in (second, first) if waiting else (first, second):
        task.cancel()
        await asyncio.wait([task])
    assert await client.zcard(KEY) == 0


async def test_while_redis_is_away_the_limit_holds_in_this_process(tmp_path: Path) -> None:
    async with connect(f"unix://{tmp_path / 'none.sock'}?db=0") as away:
        crowd = Crowd()
        semaphore = Semaphore(away, "bfl", 2)
        await asyncio.gather(*(crowd.visit(semaphore) for _ in range(6)))
        assert (crowd.most, crowd.served) == (2, 6)


async def test_a_slot_taken_while_redis_was_away_is_entered_when_it_is_back(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path / "redis")
    async with connect(server.url) as client, Semaphore(client, "bfl", 1, lease=0.3).slot():
        server.start()
        try:
            await eventually(lambda: client.zcard(KEY))
        finally:
            server.stop()


async def test_its_key_does_not_live_for_ever(client: Redis) -> None:
    async with Semaphore(client, "bfl", 1).slot():
        assert 0 < await client.ttl(KEY) <= 2 * keys.SEMAPHORE_SECONDS
