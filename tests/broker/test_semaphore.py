import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bmn.broker import redis_keys
from bmn.broker.connection import connect
from bmn.broker.embedded import EmbeddedRedis
from bmn.broker.semaphore import Semaphore
from tests.kit.processes import PATIENCE, eventually

KEY = redis_keys.semaphore("bfl")


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
    async with Semaphore(client, "bfl", 1).slot(), asyncio.timeout(PATIENCE), Semaphore(client, "openai", 1).slot():
        assert await client.zcard(KEY) == 1


HOLD = """
import asyncio, sys
from bmn.broker.connection import connect
from bmn.broker.semaphore import Semaphore

async def main():
    async with connect(sys.argv[1]) as client, Semaphore(client, "bfl", 1, lease=1).slot():
        print("inside", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_the_slot_of_a_dead_process_is_free_after_its_lease(client: Redis, redis_url: str) -> None:
    dead = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLD, redis_url, stdout=asyncio.subprocess.PIPE)
    assert dead.stdout and await dead.stdout.readline()
    dead.kill()
    await dead.wait()
    ((_, lease_ends),) = await client.zrange(KEY, 0, -1, withscores=True)
    async with asyncio.timeout(PATIENCE), Semaphore(client, "bfl", 1).slot():
        assert await _redis_clock(client) >= lease_ends


async def test_a_slot_is_kept_for_longer_than_its_lease(client: Redis) -> None:
    async with Semaphore(client, "bfl", 1, lease=2).slot():
        ((holder, first_end),) = await client.zrange(KEY, 0, -1, withscores=True)
        contender = asyncio.create_task(anext(_visit(Semaphore(client, "bfl", 1))))

        async def the_lease_is_over() -> bool:
            return await _redis_clock(client) > first_end

        await eventually(the_lease_is_over)
        assert await client.zrange(KEY, 0, -1) == [holder]
        assert not contender.done()
        contender.cancel()


async def _visit(semaphore: Semaphore) -> AsyncIterator[None]:
    async with semaphore.slot():
        yield


async def _more_than(number: int, count: Callable[[], Awaitable[int]]) -> bool:
    return await count() > number


async def _redis_clock(client: Redis) -> float:
    """Redis's own clock in milliseconds; no other one decides about a lease."""
    seconds, microseconds = await client.time()
    return seconds * 1000 + microseconds / 1000


@pytest.mark.parametrize("waiting", [True, False])
async def test_a_cancelled_visitor_leaves_nothing_behind(client: Redis, waiting: bool) -> None:
    inside = asyncio.Event()

    async def stay() -> None:
        async with Semaphore(client, "bfl", 1).slot():
            inside.set()
            await asyncio.Event().wait()

    async def asked() -> int:
        return int((await client.info("commandstats"))["cmdstat_evalsha"]["calls"])

    first = asyncio.create_task(stay())
    await inside.wait()
    before = await asked()
    second = asyncio.create_task(stay())
    await eventually(lambda: _more_than(before, asked))
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
        assert 0 < await client.ttl(KEY) <= 2 * redis_keys.SEMAPHORE_SECONDS
