"""What Redis shows: RQ's own classes read it, and nothing depends on it."""

import asyncio
from typing import Any

import pytest
import redis
from rq import Queue as RqQueue
from rq import Worker as RqWorker
from rq.job import Job
from rq.registry import (
    CanceledJobRegistry,
    FailedJobRegistry,
    FinishedJobRegistry,
    ScheduledJobRegistry,
    StartedJobRegistry,
)

from bmn.jobs.cancellation import cancel
from bmn.jobs.rq.view import RqView, Shown
from bmn.jobs.sweeper import Sweeper
from bmn.settings import Settings
from bmn.work.registry import ALL_QUEUES
from tests.kit import checker, handlers
from tests.kit.engine import Engine
from tests.kit.people import ANA
from tests.kit.processes import eventually

QUEUE = handlers.QUEUE


class Rq:
    """RQ's eyes."""

    def __init__(self, url: str) -> None:
        self.connection = redis.Redis.from_url(url)

    def queue(self, name: str = QUEUE) -> RqQueue:
        return RqQueue(name, connection=self.connection)

    def job(self, job_id: str) -> Job:
        return Job.fetch(job_id, connection=self.connection)

    def ids(self, registry: type, name: str = QUEUE) -> list[str]:
        found: list[str] = registry(name, connection=self.connection).get_job_ids()
        return found


@pytest.fixture
def rq(redis_url: str) -> Any:
    eyes = Rq(redis_url)
    yield eyes
    eyes.connection.close()


async def _shows(condition: Any) -> None:
    async def told() -> bool:
        return bool(await asyncio.to_thread(condition))

    await eventually(told)


async def test_rq_lists_every_queue_as_soon_as_a_worker_is_there(engine: Engine, rq: Rq) -> None:
    async with engine.worker():
        assert {queue.name for queue in RqQueue.all(connection=rq.connection)} == set(ALL_QUEUES)
        await _shows(lambda: len(RqWorker.all(connection=rq.connection)) == 1)
    assert RqWorker.all(connection=rq.connection) == []


async def test_rq_sees_a_job_wait_run_and_end(engine: Engine, rq: Rq) -> None:
    job_id = await engine.do("sleep", seconds=0.2)
    await _shows(lambda: rq.queue().job_ids == [job_id])
    assert rq.job(job_id).get_status() == "queued"
    async with engine.worker():
        await engine.started(job_id)
        await _shows(lambda: rq.job(job_id).get_status() == "started")
        assert rq.ids(StartedJobRegistry) == [job_id]
        await engine.ended(job_id)
        await _shows(lambda: rq.job(job_id).get_status() == "finished")
    assert rq.queue().job_ids == []
    assert rq.ids(StartedJobRegistry) == []
    assert rq.ids(FinishedJobRegistry) == [job_id]


async def test_rq_sees_failures_dead_letters_and_cancels(engine: Engine, rq: Rq) -> None:
    waiting = await engine.do(delay=100)
    await cancel(engine.core, waiting, ANA)
    async with engine.worker():
        failed = await engine.do("fail", cause="bug")
        await engine.ended(failed)
        await _shows(lambda: rq.queue("dead-letter").job_ids == [failed])
    await _shows(lambda: rq.job(waiting).get_status() == "canceled")
    assert rq.ids(FailedJobRegistry) == [failed]
    assert rq.ids(FinishedJobRegistry) == []
    assert rq.ids(CanceledJobRegistry) == [waiting]
    assert rq.ids(ScheduledJobRegistry) == []
    assert rq.job(failed).origin == QUEUE


async def test_what_redis_names_is_the_same_for_every_job(engine: Engine, rq: Rq) -> None:
    job_id = await engine.do()
    await _shows(lambda: rq.queue().job_ids == [job_id])
    job = rq.job(job_id)
    assert (job.func_name, job.args, job.kwargs) == ("bmn.work.wiring.execute", (), {})
    assert b"ana" not in b"".join(rq.connection.hgetall(f"rq:job:{job_id}").values())


async def test_the_list_holds_the_next_ones_only(engine: Engine, redis_url: str, rq: Rq) -> None:
    ids = [await engine.do() for _ in range(30)]
    await _shows(lambda: len(rq.queue().job_ids) == 30)
    await engine.core.redis.delete(f"rq:queue:{QUEUE}")
    sweeper = Sweeper(engine.core)
    sweeper._core.view._window = 20
    await sweeper.put_in_line()
    assert rq.queue().job_ids == ids[:20]
    await sweeper.put_in_line()
    assert rq.queue().job_ids == ids[:20]


async def test_words_that_arrive_in_the_wrong_order_do_not_mislead(engine: Engine, rq: Rq) -> None:
    view: RqView = engine.core.view
    words = [
        Shown(QUEUE, "crm-sync-1"),
        Shown(QUEUE, "crm-sync-1", 1, worker="w1"),
        Shown(QUEUE, "crm-sync-1", 1),  # lost, in line again
        Shown(QUEUE, "crm-sync-1", 2, worker="w2"),
        Shown(QUEUE, "crm-sync-1", 2, state="completed"),
    ]
    for first in range(len(words)):
        rq.connection.flushall()
        for word in (*words[first:], *words[:first]):
            await view.show([word])
        assert rq.job("crm-sync-1").get_status() == "finished"
        assert rq.queue().job_ids == []
        assert rq.ids(StartedJobRegistry) == []


async def test_ended_jobs_are_kept_as_many_as_the_registry_says(engine: Engine, rq: Rq) -> None:
    keep = 50  # the cleanup queue's
    words = [Shown("cleanup", f"cleanup-{n:03}", 1, state="completed") for n in range(keep + 30)]
    await engine.core.view.show(words)
    assert len(rq.ids(FinishedJobRegistry, "cleanup")) == keep
    assert len(list(rq.connection.scan_iter("rq:job:cleanup-*"))) == keep


async def test_a_job_takes_less_than_four_kibibytes_of_redis(engine: Engine, with_sandbox: Settings) -> None:
    number = 20
    await engine.user(balance=4 * number)
    await engine.submit(count=4)
    await engine.core.outbox.close()
    before = (await engine.core.redis.info("memory"))["used_memory"]
    stream = int(await engine.core.redis.memory_usage("bmn:stream") or 0)
    for _ in range(number - 1):
        await engine.submit(count=4)
    await engine.core.outbox.close()
    after = (await engine.core.redis.info("memory"))["used_memory"]
    grown = after - before - (int(await engine.core.redis.memory_usage("bmn:stream") or 0) - stream)
    assert grown / (number - 1) < 4096


async def test_jobs_run_while_redis_has_lost_everything(engine: Engine, redis_url: str) -> None:
    async with engine.worker(slots=4):
        ids = [await engine.do("fail", cause="timeout", times=1) for _ in range(20)]
        ids += [await engine.do("sleep", seconds=0.05) for _ in range(20)]
        await engine.core.redis.flushall()
        assert await engine.ended(*ids) == ["completed"] * 40
    assert engine.problems() == []
    assert checker.check_redis(redis_url, engine.books()) == []


async def test_events_reach_the_stream_once_and_in_order(engine: Engine, redis_url: str) -> None:
    async with engine.worker():
        ids = [await engine.do("progress", steps=3) for _ in range(10)]
        await engine.ended(*ids)
    await engine.core.outbox.close()
    mine = engine.books()
    mine.jobs = {job_id: row for job_id, row in mine.jobs.items() if job_id in ids}
    assert checker.check_stream(redis_url, mine) == []
