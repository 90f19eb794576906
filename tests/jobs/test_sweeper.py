"""Upkeep: everything that is late is found in the rows."""

import asyncio
import time

from sqlalchemy import insert, select, update

from bmn.db import claims, transitions
from bmn.db.health import clock
from bmn.db.tables import job_events, jobs, provider_calls
from bmn.errors import Cause
from bmn.jobs.alert_finders import look
from bmn.jobs.locks import is_mine
from bmn.jobs.rq.view import Shown, list_key
from bmn.jobs.sweeper import ClockWatch, Sweeper
from bmn.work import cleanup
from bmn.work.wiring import open_core
from tests.kit import checker, handlers
from tests.kit.engine import Engine
from tests.kit.processes import eventually

QUEUE = handlers.QUEUE
LIST = list_key(QUEUE)


async def test_a_job_whose_worker_died_goes_back_in_line(engine: Engine) -> None:
    job_id = await engine.do()
    await engine.claim(QUEUE)
    sweeper = Sweeper(engine.core)
    await sweeper.take_from_the_dead()
    assert await engine.state(job_id) == "active"
    await engine.write(lambda conn: conn.execute(update(jobs).values(lease_until=1.0)))
    await asyncio.gather(*(sweeper.take_from_the_dead() for _ in range(3)))
    row = await engine.job(job_id)
    assert (row.state, row.losses, row.attempt) == ("queued", 1, 0)


async def test_rows_that_never_reached_redis_are_put_in_line(engine: Engine) -> None:
    ids = [await engine.do() for _ in range(3)]
    await engine.core.outbox.close()
    await engine.core.redis.flushall()
    await Sweeper(engine.core).put_in_line()
    assert await engine.core.redis.lrange(LIST, 0, -1) == ids
    await Sweeper(engine.core).put_in_line()
    assert await engine.core.redis.lrange(LIST, 0, -1) == ids


async def test_a_delayed_job_is_put_in_line_when_its_time_has_come(engine: Engine) -> None:
    job_id = await engine.do(delay=60)
    sweeper = Sweeper(engine.core)
    await sweeper.put_in_line()
    assert await engine.core.redis.lrange(LIST, 0, -1) == []
    await engine.write(lambda conn: conn.execute(update(jobs).values(run_at=1.0)))
    await sweeper.put_in_line()
    assert await engine.core.redis.lrange(LIST, 0, -1) == [job_id]


async def test_the_cleanup_is_planned_once_an_hour_on_however_many_hosts(engine: Engine) -> None:
    second = await open_core(engine.settings, "test")
    cores = [engine.core, second, engine.core]
    for _ in range(3):
        await asyncio.gather(*(cleanup.schedule(core) for core in cores))
    await second.close()
    slot = int(time.time() // cleanup.EVERY_SECONDS)
    rows = await engine.all_jobs()
    assert len(rows) == 4
    assert {row.id.rsplit("-", 1)[1] for row in rows} <= {str(slot), str(slot - 1)}


async def test_admins_are_told_once_of_what_goes_wrong_slowly(engine: Engine) -> None:
    redis = engine.core.redis

    async def alerts() -> list[str]:
        await look(engine.core)
        told = [event for _, event in await engine.core.stream.page("-", count=100) if event.event == "system:alert"]
        return sorted(event.data["type"] for event in told)

    await engine.do()
    spent = {"provider": "bfl", "operation": "generate", "outcome": "ok"}
    await engine.write(
        lambda conn: conn.execute(
            insert(provider_calls), [{**spent, "usd": 9.9, "sandboxed": 0}, {**spent, "usd": 99.0, "sandboxed": 1}]
        )
    )
    assert await alerts() == []
    await engine.write(lambda conn: conn.execute(update(jobs).values(run_at=jobs.c.run_at - 301)))
    await engine.write(lambda conn: conn.execute(insert(provider_calls).values(**spent, usd=0.2)))
    before = (await redis.config_get("maxmemory"))["maxmemory"]
    try:
        await redis.config_set("maxmemory", int((await redis.info("memory"))["used_memory"] / 0.75))
        await engine.core.health.probe()
        expected = ["cost-spike", "no-worker", "redis-memory", "waiting"]

        async def told() -> bool:
            return await alerts() == expected

        await eventually(told)
        assert await alerts() == expected
    finally:
        await redis.config_set("maxmemory", before)


async def _age_events(engine: Engine, seconds: float) -> None:
    await engine.write(lambda conn: conn.execute(update(job_events).values(at=job_events.c.at - seconds)))


async def test_events_that_reached_no_stream_are_published(engine: Engine, redis_url: str) -> None:
    ids = [await engine.do() for _ in range(5)]
    await engine.core.outbox.close()
    await engine.core.redis.flushall()
    await _age_events(engine, 10)
    await Sweeper(engine.core).publish_missing()
    assert checker.check_stream(redis_url, engine.books()) == []
    assert len(ids) == await engine.core.redis.xlen("bmn:stream") - 1


async def test_events_of_a_long_outage_are_published_after_it(engine: Engine, redis_url: str) -> None:
    sweeper = Sweeper(engine.core)
    await sweeper.publish_missing()
    sweeper._published -= 4000  # as if Redis had been away since
    await engine.do()
    await engine.core.outbox.close()
    await engine.core.redis.delete("bmn:stream", *[key async for key in engine.core.redis.scan_iter("bmn:seq:*")])
    await _age_events(engine, 3600)
    await sweeper.publish_missing()
    assert checker.check_stream(redis_url, engine.books()) == []


async def test_what_is_long_past_is_not_published_again(engine: Engine) -> None:
    await engine.do()
    await engine.core.outbox.close()
    await engine.core.redis.flushall()
    await _age_events(engine, 3600)
    await Sweeper(engine.core).publish_missing()
    assert await engine.core.redis.xlen("bmn:stream") == 0


async def test_events_that_are_looked_at_once_are_not_looked_at_again(engine: Engine) -> None:
    for _ in range(5):
        await engine.do()
    await engine.core.outbox.close()
    await _age_events(engine, 10)
    sweeper = Sweeper(engine.core)
    await sweeper.publish_missing()
    looked = await engine.core.events.repair(sweeper._published)
    assert looked == (0, sweeper._published)


async def test_one_of_several_sweeps_at_a_time(engine: Engine) -> None:
    second = await open_core(engine.settings, "test")
    mine = [await is_mine(core, "sweeper") for core in (engine.core, second) * 3]
    assert mine == [True, False] * 3
    await engine.core.redis.flushall()
    assert await is_mine(second, "sweeper")
    await second.close()


def test_a_clock_that_is_set_is_noticed_and_a_slow_sweep_is_not() -> None:
    watch = ClockWatch()
    assert watch.look(1000, 10, settle=5) == 0
    assert watch.look(1100, 110, settle=5) == 0  # nobody swept for a while
    assert watch.is_settled(110)
    assert watch.look(4700, 111, settle=5) == 3599
    assert not watch.is_settled(115)
    assert watch.look(4706, 117, settle=5) == 0
    assert watch.is_settled(117)
    assert watch.look(1106, 118, settle=5) == -3601


async def test_a_clock_set_ahead_makes_no_attempt_stale(engine: Engine) -> None:
    job_id = await engine.do()
    await engine.claim(QUEUE)
    for _ in range(2):
        await engine.write(lambda conn: clock.move_starts(conn, 3600))
    assert (await engine.job(job_id)).attempt_started_at <= await engine.read(clock.now)
    hour = {name: jobs.c[name] - 3600 for name in ("started_at", "attempt_started_at")}
    await engine.write(lambda conn: conn.execute(update(jobs).values(hour)))
    for _ in range(2):
        await engine.write(lambda conn: clock.move_starts(conn, 3600))
    age = await engine.read(clock.now) - (await engine.job(job_id)).attempt_started_at
    assert 0 <= age < 30


async def test_what_a_later_clock_has_written_does_not_wait_for_it(engine: Engine) -> None:
    """The clock was set back by an hour: three jobs were written before that, the last one after it."""
    held, waiting, delayed = [await engine.do(delay=delay) for delay in (0, 0, 60)]
    await engine.claim(QUEUE, limit=1, owner="dead")
    hour = {
        name: jobs.c[name] + 3600
        for name in ("created_at", "queued_at", "started_at", "attempt_started_at", "lease_until", "run_at")
    }
    await engine.write(lambda conn: conn.execute(update(jobs).values(hour)))
    later = await engine.do(delay=7200)
    sweeper = Sweeper(engine.core)
    for _ in range(2):
        await sweeper.follow_clock()
    rows = {name: await engine.job(name) for name in (held, waiting, delayed, later)}
    now = await engine.read(clock.now)
    assert 0 < rows[held].lease_until - now <= engine.settings.bmn_lease_seconds
    assert -10 < rows[waiting].run_at - now <= 0
    assert 50 < rows[delayed].run_at - now <= 60
    assert 7100 < rows[later].run_at - now <= 7200


async def test_a_worker_takes_over_without_a_supervisor(engine: Engine) -> None:
    job_id = await engine.do()
    await engine.claim(QUEUE, owner="dead")
    await engine.write(lambda conn: claims.renew(conn, "dead", [job_id], 0.3))
    async with engine.worker():
        assert await engine.ended(job_id) == ["completed"]
    assert (await engine.job(job_id)).losses == 1


async def test_old_words_of_ended_jobs_leave_redis(engine: Engine) -> None:
    async with engine.worker():
        await engine.ended(await engine.do())

        async def shown() -> bool:
            return bool(await engine.core.redis.zcard(f"rq:finished:{QUEUE}"))

        await eventually(shown)
    await engine.core.redis.zadd(f"rq:finished:{QUEUE}", {"old": 1.0})
    await Sweeper(engine.core).trim()
    assert await engine.core.redis.zscore(f"rq:finished:{QUEUE}", "old") is None
    assert await engine.read(lambda conn: conn.execute(select(jobs.c.id)).all())


async def test_a_job_that_ended_unsaid_is_no_longer_shown_as_running(engine: Engine) -> None:
    job_id = await engine.do()
    (row,) = await engine.claim(QUEUE)
    await engine.core.view.show([Shown(QUEUE, job_id, row.fence, "dead")])
    await engine.write(lambda conn: transitions.fail(conn, row, Cause.BUG, "x"))
    await Sweeper(engine.core).correct_view()
    assert await engine.core.view.started(QUEUE) == []
    assert await engine.core.redis.zrange(f"rq:failed:{QUEUE}", 0, -1) == [job_id]


async def test_a_job_that_ended_unsaid_no_longer_stands_in_line(engine: Engine) -> None:
    """Redis was killed between a job's end and the word of it, and came back with the list of before."""
    ended, taken, later, waiting = [await engine.do() for _ in range(4)]
    for row in await engine.claim(QUEUE, limit=3, owner="w1"):
        if row.id == ended:
            await engine.write(lambda conn, held=row: transitions.fail(conn, held, Cause.BUG, "x"))
        elif row.id == later:
            await engine.write(
                lambda conn, held=row: transitions.wait(conn, held, delay=60, cause=None, message="later")
            )
    await engine.core.outbox.close()
    assert await engine.core.redis.lrange(LIST, 0, -1) == [ended, taken, later, waiting]
    await Sweeper(engine.core).correct_view()
    assert await engine.core.redis.lrange(LIST, 0, -1) == [waiting]
    assert await engine.core.view.started(QUEUE) == [taken]
    assert await engine.core.redis.zrange(f"rq:failed:{QUEUE}", 0, -1) == [ended]
