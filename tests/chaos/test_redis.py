"""Matrix rows 1 to 6: Redis is away, full, empty, behind, a replica, slow, or only half there."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from bmn.errors import TryLater
from tests.chaos.deployment import LOGOS, Deployment, Start
from tests.kit import handlers
from tests.kit.processes import PATIENCE


async def _mixed(stack: Deployment, number: int) -> list[str]:
    """Jobs of every kind: some wait, some run, some retry."""
    ids = []
    for n in range(number):
        ids.append(await (stack.do("fail", cause="timeout", times=1) if n % 3 else stack.do("sleep", seconds=0.1)))
    return ids


async def test_submissions_while_redis_is_away(stack: Deployment) -> None:
    """Row 1: at first they are accepted, after a while they are refused before anything is stored; no answer hangs."""
    stack.kill_redis()
    early = [await stack.logos(1) for _ in range(3)]

    async def refused() -> bool:
        await asyncio.sleep(0.2)
        try:
            async with asyncio.timeout(PATIENCE):
                await stack.logos(1)
        except TryLater as answer:
            assert answer.retry_after
            return True
        return False

    await stack.until(refused)
    number = len(stack.accepted)
    assert number >= len(early)
    stack.start_redis()
    stack.worker()
    assert set(await stack.ended()) == {"completed"}
    assert len(stack.bill()) == number
    await stack.check()


@pytest.mark.parametrize("how", ["kill", "stop"])
async def test_redis_goes_away_while_jobs_run(stack: Deployment, how: str) -> None:
    """Row 2: workers live on, providers are polled meanwhile, and what ended is told when Redis is back."""
    workers = [stack.worker(slots=4), stack.worker(handlers.QUEUE)]
    ids = [await stack.logos(2) for _ in range(6)] + await _mixed(stack, 12)
    assert stack.redis.pid
    pid = stack.redis.pid
    if how == "kill":
        stack.kill_redis()
    else:
        os.kill(pid, signal.SIGSTOP)
    assert set(await stack.ended(*ids)) == {"completed"}  # without Redis
    if how == "kill":
        stack.start_redis()
    else:
        os.kill(pid, signal.SIGCONT)
    await stack.redis_is_back()
    late = await stack.logos(1)
    assert await stack.ended(late) == ["completed"]
    assert [worker.code for worker in workers] == [None, None]
    await stack.check()


async def test_redis_is_full(stack: Deployment) -> None:
    """Row 3: running jobs end, submissions are refused, and all is well again without a restart."""
    stack.worker()
    ids = [await stack.logos(2) for _ in range(4)]
    with stack.redis_client() as client:
        client.config_set("maxmemory", client.info("memory")["used_memory"])
        assert set(await stack.ended(*ids)) == {"completed"}

        async def refused() -> bool:
            await asyncio.sleep(0.2)
            try:
                await stack.logos(1)
            except TryLater as answer:
                return "full" in answer.message
            return False

        await stack.until(refused)
        client.config_set("maxmemory", 0)

    async def accepted() -> bool:
        return bool(await stack.logos(1))

    await stack.until(accepted)
    assert set(await stack.ended()) == {"completed"}
    await stack.check()


async def test_a_hundred_jobs_survive_an_emptied_redis(stack: Deployment) -> None:
    """Row 4: waiting, running and retrying."""
    stack.worker(handlers.QUEUE, slots=10)
    stack.worker(LOGOS)
    ids = await _mixed(stack, 90) + [await stack.logos(1) for _ in range(10)]
    with stack.redis_client() as client:
        client.flushall()
        assert set(await stack.ended(*ids)) == {"completed"}
        client.flushall()
    more = [await stack.do() for _ in range(5)]
    assert set(await stack.ended(*more)) == {"completed"}
    await stack.check()


@pytest.mark.parametrize("what", ["kept", "truncated", "empty"])
async def test_redis_is_killed_and_comes_back_with_less(stack: Deployment, what: str) -> None:
    """Row 4: with its log, with the end of its log cut off, with nothing."""
    ids = await _mixed(stack, 40)
    worker = stack.worker(handlers.QUEUE, slots=5)
    stack.kill_redis()
    _damage(stack.redis.folder, what)
    stack.start_redis()
    await stack.redis_is_back()
    more = await _mixed(stack, 10)
    assert set(await stack.ended(*ids, *more)) == {"completed"}
    assert worker.code is None
    await stack.check()


def _damage(folder: Path, what: str) -> None:
    if what == "truncated":
        for log in folder.rglob("*.incr.aof"):
            os.truncate(log, max(0, log.stat().st_size - 3000))
    elif what == "empty":
        for pattern in ("*.aof", "*.rdb", "*.manifest"):
            for file in folder.rglob(pattern):
                file.unlink()


async def test_redis_becomes_a_replica(stack: Deployment) -> None:
    """Row 5: every write is answered READONLY; the rows go on."""
    stack.worker(handlers.QUEUE)
    before = await _mixed(stack, 5)
    with stack.redis_client() as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
        during = await _mixed(stack, 10)
        assert set(await stack.ended(*before, *during)) == {"completed"}
        client.execute_command("REPLICAOF", "NO", "ONE")
    after = await _mixed(stack, 5)
    assert set(await stack.ended(*after)) == {"completed"}
    await stack.check()


@pytest.mark.parametrize("fault", ["slow", "half-open", "cut"])
async def test_the_way_to_redis_is_bad(start: Start, fault: str) -> None:
    """Row 6: only slower; threads do not pile up."""
    import psutil

    stack = await start(proxied=True, BMN_REDIS_DOWN_SECONDS="60")  # none is refused meanwhile
    assert stack.redis_proxy
    worker = stack.worker(handlers.QUEUE)
    await stack.ended(await stack.do())
    threads = psutil.Process(worker.pid).num_threads()
    {"slow": lambda: stack.redis_proxy.slow(0.2), "half-open": stack.redis_proxy.silence, "cut": stack.redis_proxy.cut}[
        fault
    ]()
    ids = await _mixed(stack, 15)
    assert set(await stack.ended(*ids)) == {"completed"}
    assert psutil.Process(worker.pid).num_threads() <= threads + 4
    stack.redis_proxy.mend()
    await stack.redis_is_back()
    assert await stack.ended(await stack.do()) == ["completed"]
    await stack.check()


@pytest.mark.timed
async def test_a_job_is_taken_up_soon_after_redis_is_back(stack: Deployment) -> None:
    stack.worker(handlers.QUEUE)
    stack.kill_redis()
    await asyncio.to_thread(stack.start_redis)
    began = time.monotonic()
    assert await stack.ended(await stack.do()) == ["completed"]
    assert time.monotonic() - began < 10
    await stack.check()
