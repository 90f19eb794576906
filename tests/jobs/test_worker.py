"""A worker in this process, with a handler that does what its job says."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import update

from bmn.broker.semaphore import Semaphore
from bmn.db import claims, transitions
from bmn.db.health import clock
from bmn.db.operators import queue_store
from bmn.db.operators.alert_store import count_open
from bmn.db.tables import dead_letters, jobs
from bmn.jobs.cancellation import cancel
from bmn.jobs.rq.view import list_key
from bmn.jobs.sweeper import Sweeper
from bmn.work.wiring import open_core
from tests.kit import handlers
from tests.kit.engine import Engine
from tests.kit.people import ANA
from tests.kit.processes import PATIENCE, eventually

QUEUE = handlers.QUEUE


async def test_a_job_is_run_and_told_to_its_end(engine: Engine) -> None:
    async with engine.worker():
        job_id = await engine.do("progress", steps=5)
        assert await engine.ended(job_id) == ["completed"]
    row = await engine.job(job_id)
    assert (row.progress, row.attempt, row.lease_owner) == (100, 1, None)
    assert engine.problems() == []


async def test_a_job_that_was_there_before_any_worker_is_run(engine: Engine) -> None:
    jobs_before = [await engine.do() for _ in range(5)]
    async with engine.worker():
        assert await engine.ended(*jobs_before) == ["completed"] * 5


async def test_no_more_run_at_once_than_there_are_slots(engine: Engine) -> None:
    ids = [await engine.do("hang") for _ in range(5)]
    async with engine.worker(slots=2):
        await engine.started(ids[0])
        await engine.started(ids[1])
        states = [await engine.state(job_id) for job_id in ids]
        assert states.count("active") == 2


@pytest.mark.parametrize(
    ("cause", "left", "letters"),
    [
        ("provider_overloaded", [4, 3, 2, 1, 0], 1),
        ("bug", [4, 3, 2, 1, 0], 1),
        ("moderated", [0], 0),
        ("bad_input", [0], 0),
    ],
)
async def test_failures_count_down_and_end(engine: Engine, cause: str, left: list[int], letters: int) -> None:
    async with engine.worker():
        job_id = await engine.do("fail", cause=cause)
        assert await engine.ended(job_id) == ["failed"]
    told = [e.payload for e in await engine.core.events.after(job_id, 0) if e.event == "job:failed"]
    assert [payload["retriesLeft"] for payload in told] == left
    found = await engine.read(lambda conn: conn.execute(dead_letters.select()).all())
    assert len(found) == letters
    assert engine.problems() == []


async def test_an_attempt_that_fails_is_followed_by_one_that_heals(engine: Engine) -> None:
    async with engine.worker():
        job_id = await engine.do("fail", cause="timeout", times=2)
        assert await engine.ended(job_id) == ["completed"]
    assert (await engine.job(job_id)).result == {"attempt": 3}
    assert engine.problems() == []


@pytest.mark.parametrize("deed", ["raise", "cancel_itself", "unstorable"])
async def test_a_handler_with_a_defect_fails_its_job_and_nothing_else(engine: Engine, deed: str) -> None:
    async with engine.worker():
        broken, fine = await engine.do(deed), await engine.do()
        assert await engine.ended(broken, fine) == ["failed", "completed"]
    row = await engine.job(broken)
    assert (row.cause, row.attempt) == ("bug", row.max_attempts)
    assert engine.problems() == []


async def test_an_error_with_a_nul_in_it_can_be_stored(engine: Engine) -> None:
    async with engine.worker():
        job_id = await engine.do("fail", cause="bad_input")
        assert await engine.ended(job_id) == ["failed"]
    assert (await engine.job(job_id)).error == "asked to fail"


@pytest.mark.parametrize("deed", ["hang", "swallow"])
async def test_an_attempt_that_takes_too_long_is_ended(engine: Engine, deed: str) -> None:
    async with engine.worker(handlers.obeying(timeout=0.2)):
        job_id = await engine.do(deed)
        other = await engine.do()
        assert await engine.ended(job_id, other) == ["failed", "completed"]
    assert (await engine.job(job_id)).cause == "timeout"
    assert engine.problems() == []


async def test_a_payload_of_an_older_release_is_a_dead_letter(engine: Engine) -> None:
    job_id = await engine.do()
    old = update(jobs).where(jobs.c.id == job_id).values(payload={"user": "ana"})
    await engine.write(lambda conn: conn.execute(old))
    async with engine.worker():
        assert await engine.ended(job_id) == ["failed"]
    row = await engine.job(job_id)
    assert row.cause == "schema_changed"
    assert "eventType" in row.error


async def test_a_429_waits_without_spending_an_attempt(engine: Engine) -> None:
    job_id = await engine.do("fail", cause="provider_rate_limited", retryAfter=0)
    async with engine.worker():

        async def limited() -> bool:
            return bool((await engine.job(job_id)).limited_since)

        await eventually(limited)
        assert (await engine.job(job_id)).attempt <= 1
        long_ago = update(jobs).where(jobs.c.id == job_id).values(limited_since=1.0)
        await engine.write(lambda conn: conn.execute(long_ago))
        assert await engine.ended(job_id) == ["failed"]
    assert (await engine.job(job_id)).cause == "provider_rate_limited"
    assert engine.problems() == []


async def test_a_refused_key_pauses_the_queue_once_and_a_probe_finds_it_mended(engine: Engine, tmp_path: Any) -> None:
    flag = tmp_path / "refused"
    flag.touch()
    ids = [await engine.do("file_fail", path=str(flag), cause="provider_auth") for _ in range(6)]
    settings = engine.settings.model_copy(update={"bmn_backoff_scale": 0.002})  # a probe each 0.12 s
    async with engine.worker(settings=settings) as worker:

        async def refused_again() -> bool:
            return worker._executor is not None and bool((await engine.read(queue_store.settings)).get(QUEUE))

        await eventually(refused_again)
        for job_id in ids:
            row = await engine.job(job_id)
            assert row.state in ("queued", "active")
            assert row.attempt <= 1
        assert await engine.read(count_open) == {"queue-paused": 1}  # of the transaction that paused it
        flag.unlink()
        assert await engine.ended(*ids) == ["completed"] * 6
    assert not (await engine.read(queue_store.settings))[QUEUE].paused
    stream = await engine.core.stream.page("-", count=10_000)
    alerts = [event for _, event in stream if event.event == "system:alert"]
    assert len(alerts) == 1
    assert engine.problems() == []


async def test_a_paused_queue_does_not_keep_its_worker_busy(engine: Engine) -> None:
    await engine.write(lambda conn: queue_store.set_paused(conn, QUEUE, by="ana", reason="maintenance"))
    job_id = await engine.do()
    async with engine.worker() as worker:
        asked = 0
        claim = worker._claim

        async def counting(limit: int) -> int:
            nonlocal asked
            asked += 1
            return await claim(limit)

        worker._claim = counting  # type: ignore[method-assign]

        async def asked_at_least(times: int) -> bool:
            return asked >= times

        await eventually(lambda: asked_at_least(3))
        began = asyncio.get_running_loop().time()
        await eventually(lambda: asked_at_least(6))
        assert asyncio.get_running_loop().time() - began > 1.0
        assert await engine.state(job_id) == "queued"
        await engine.write(lambda conn: queue_store.set_running(conn, QUEUE, by="ana"))
        assert await engine.ended(job_id) == ["completed"]


@pytest.mark.parametrize(
    "entry",
    [b"", b"\xff\xfe garbage", b"no-such-job", b"a\x00b", "🦆".encode(), b"x" * 100_000, b'{"id": 1}', b"os.system"],
)
async def test_what_is_no_job_is_taken_out_of_the_line(engine: Engine, entry: bytes) -> None:
    key = list_key(QUEUE)
    await engine.core.redis.execute_command("RPUSH", key, entry)
    async with engine.worker():
        job_id = await engine.do()
        assert await engine.ended(job_id) == ["completed"]

        async def empty() -> bool:
            return await engine.core.redis.llen(key) == 0

        await eventually(empty)


async def test_a_key_of_another_type_in_the_way_stops_nothing(engine: Engine) -> None:
    await engine.core.redis.set(list_key(QUEUE), "not a list")
    async with engine.worker():
        assert await engine.ended(await engine.do()) == ["completed"]


async def test_a_burst_worker_ends_with_its_last_job(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bmn.jobs.worker._IDLE_SECONDS", 10 * PATIENCE)
    ids = [await engine.do() for _ in range(20)]
    core = await open_core(engine.settings, QUEUE)
    from bmn.jobs.worker import Worker

    await asyncio.wait_for(Worker(core, handlers.obeying(), slots=3, burst=True).run(), PATIENCE)
    await core.close()
    assert {await engine.state(job_id) for job_id in ids} == {"completed"}


async def test_a_worker_that_stops_lets_its_jobs_finish(engine: Engine) -> None:
    job_id = await engine.do("sleep", seconds=0.2)
    async with engine.worker() as worker:
        await engine.started(job_id)
        worker.stop()
        assert await engine.ended(job_id) == ["completed"]


async def test_a_worker_in_a_hurry_hands_its_jobs_on(engine: Engine) -> None:
    job_id = await engine.do("hang")
    async with engine.worker():
        await engine.started(job_id)
    row = await engine.job(job_id)
    assert (row.state, row.attempt, row.losses) == ("queued", 0, 0)
    assert row.message == "Moving to another worker"
    assert await engine.core.redis.lrange(list_key(QUEUE), 0, -1) == [job_id]


async def test_a_job_that_another_worker_has_is_let_go(engine: Engine) -> None:
    job_id = await engine.do("hang")
    async with engine.worker(settings=engine.settings.model_copy(update={"bmn_renew_seconds": 0.1})) as worker:
        await engine.started(job_id)
        taken = update(jobs).where(jobs.c.id == job_id).values(fence=7, lease_owner="another", lease_until=1e12)
        await engine.write(lambda conn: conn.execute(taken))

        async def let_go() -> bool:
            return not worker._runs

        await eventually(let_go)
    row = await engine.job(job_id)
    assert (row.state, row.fence, row.lease_owner) == ("active", 7, "another")


async def test_a_job_whose_books_could_not_be_kept_is_not_held_for_ever(engine: Engine) -> None:
    """The lease of a job that nothing runs any more must not be renewed along with the others'."""
    lost, other = await engine.do("sleep", seconds=0.05), await engine.do("hang")
    settings = engine.settings.model_copy(update={"bmn_lease_seconds": 1.0, "bmn_renew_seconds": 0.1})
    async with engine.worker(settings=settings) as worker:
        await engine.started(lost)
        await engine.started(other)
        execute = worker._executor.execute

        async def broken(run: Any) -> None:
            worker._executor.execute = execute  # type: ignore[method-assign]
            raise RuntimeError("no books today")

        worker._executor.execute = broken  # type: ignore[method-assign]
        third = await engine.do()

        async def taken_back() -> bool:
            return bool((await engine.job(third)).losses)

        await eventually(taken_back)
        assert await engine.ended(third) == ["completed"]


async def test_a_clock_that_was_set_takes_no_job_from_a_live_worker(engine: Engine, monkeypatch: Any) -> None:
    job_id = await engine.do()
    await engine.claim(QUEUE)
    sweeper, now, jump = Sweeper(engine.core), clock.now, 0.0
    monkeypatch.setattr(clock, "now", lambda conn: now(conn) + jump)

    async def sweep() -> None:
        await sweeper.look()
        await sweeper.take_from_the_dead()

    await sweep()
    jump = 3600.0
    await engine.write(lambda conn: conn.execute(update(jobs).values(lease_until=1.0)))  # as an hour later would see it
    await sweep()
    assert (await engine.job(job_id)).losses == 0
    await engine.write(lambda conn: claims.renew(conn, "w1", [job_id], 10))
    await sweep()
    assert (await engine.job(job_id)).state == "active"


async def test_a_worker_that_gets_back_its_own_lost_job_runs_it_once(engine: Engine) -> None:
    """Its lease ended though it lives: the database was slow, or the machine stood still."""

    def runs(job_id: str) -> int:
        return sum(task.get_name() == job_id for task in asyncio.all_tasks())

    async with engine.worker() as worker:
        job_id = await engine.do("hang")
        await engine.started(job_id)
        held = await engine.job(job_id)
        await engine.write(lambda conn: transitions.lose(conn, held))
        await engine.started(job_id)

        async def one_is_left() -> bool:
            return runs(job_id) == 1 == len(worker._runs)

        await eventually(one_is_left)
        assert (await engine.job(job_id)).fence == 2
        assert (await cancel(engine.core, job_id, ANA)).state == "cancelled"

        async def none_is_left() -> bool:
            return runs(job_id) == 0 == len(worker._runs)

        await eventually(none_is_left)


async def test_waiting_for_a_provider_is_no_time_of_the_attempt(engine: Engine) -> None:
    """Nor does the worker's own sweeper take it for stale meanwhile; with the slot its time passes again."""
    limit = 1.5
    short = engine.settings.model_copy(update={"bmn_timeout_scale": limit / handlers.obeying().timeout})
    others = Semaphore(engine.core.redis, "served", 1)
    async with engine.worker(settings=short):
        async with others.slot():
            patient, slow = await engine.do("served", seconds=0), await engine.do("served", seconds=60)
            claimed = {await handlers.started.get(), await handlers.started.get()}
            assert claimed == {patient, slow}
            began = {job_id: (await engine.job(job_id)).attempt_started_at for job_id in claimed}

            async def has_waited(job_id: str) -> bool:
                return ((await engine.job(job_id)).attempt_started_at or 0) - (began[job_id] or 0) > 2 * limit

            await eventually(lambda: has_waited(patient))
            await eventually(lambda: has_waited(slow))
            assert [await engine.state(job_id) for job_id in (patient, slow)] == ["active", "active"]
        assert await engine.ended(patient) == ["completed"]

        async def timed_out() -> bool:
            return (await engine.job(slow)).cause == "timeout"

        await eventually(timed_out)
    row = await engine.job(patient)
    assert (row.attempt, row.losses) == (1, 0)
