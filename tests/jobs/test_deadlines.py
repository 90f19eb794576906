"""Deadlines: what has not begun or not ended by then is cancelled, refunded, and told in words of its own."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, update

from bmn.db import claims, job_store, transitions
from bmn.db.collecting import collector_id
from bmn.db.health import clock
from bmn.db.records import UnitState
from bmn.db.tables import job_events
from bmn.db.tables import jobs as job_table
from bmn.jobs.cancellation import cancel_overdue
from bmn.jobs.queue import Terms
from bmn.settings import Settings
from bmn.work.registry import get_queue
from tests.kit import handlers
from tests.kit.engine import Engine
from tests.kit.people import ANA, BEN
from tests.kit.processes import eventually
from tests.kit.sandbox import RunningSandbox


async def _passed(engine: Engine, job_id: str, column: str) -> None:
    """Moves a deadline into the past."""
    past = update(job_table).where(job_table.c.id == job_id).values({column: 1.0})
    await engine.write(lambda conn: conn.execute(past).rowcount)


async def _last_event(engine: Engine, job_id: str) -> tuple[str, dict[str, Any]]:
    query = select(job_events).where(job_events.c.job_id == job_id).order_by(job_events.c.seq.desc())
    row = await engine.read(lambda conn: conn.execute(query).first())
    return row.event, row.payload


async def test_what_has_not_begun_in_time_is_cancelled_and_refunded(engine: Engine) -> None:
    await engine.user()
    late = (await engine.submit(count=3, terms=Terms(start_within=60))).job_id
    in_time = (await engine.submit(count=1, terms=Terms(start_within=60))).job_id
    await cancel_overdue(engine.core)
    assert await engine.state(late) == "queued"
    await _passed(engine, late, "start_by")
    assert [job.id for job in await engine.claim(limit=5)] == [in_time]  # nor is it begun too late
    await cancel_overdue(engine.core)
    row = await engine.job(late)
    assert (row.state, row.cause, row.cancelled_by, row.credits_refunded) == ("cancelled", "deadline", "deadline", 3)
    assert row.message == "Cancelled: it had not begun by its deadline. Nothing was charged, 3 credits refunded."
    event, told = await _last_event(engine, late)
    assert (event, told["cause"], told["message"]) == ("job:cancelled", "deadline", row.message)
    assert await engine.state(in_time) == "active"
    assert engine.problems(served=[]) == []


async def test_a_worker_stops_what_is_not_done_in_time(engine: Engine) -> None:
    async with engine.worker():
        job_id = await engine.do("hang", finish_within=3600)
        await engine.started(job_id)
        await _passed(engine, job_id, "finish_by")
        assert await engine.ended(job_id) == ["cancelled"]
    row = await engine.job(job_id)
    assert (row.cause, row.message) == ("deadline", "Cancelled: it was not done by its deadline.")
    assert engine.problems() == []


async def test_what_has_begun_may_be_retried_past_its_start(engine: Engine) -> None:
    async with engine.worker():
        job_id = await engine.do("fail", cause="timeout", times=2, start_within=3600)
        await engine.started(job_id)
        await _passed(engine, job_id, "start_by")
        assert await engine.ended(job_id) == ["completed"]


async def test_deadlines_count_from_when_a_job_may_begin(engine: Engine) -> None:
    await engine.user()
    accepted = await engine.submit(terms=Terms(delay=500, start_within=20, finish_within=40))
    row = await engine.job(accepted.job_id)
    assert row.start_by is not None
    assert row.finish_by is not None
    assert (round(row.start_by - row.run_at), round(row.finish_by - row.run_at)) == (20, 40)
    assert row.message == "Begins in 8 m 20 s"


async def test_a_queue_may_have_deadlines_of_its_own(engine: Engine) -> None:
    brand = await engine.user()
    wizard = get_queue("brand-wizard")
    payload = wizard.payload.model_validate({"userId": ANA, "brandId": brand, "step": "brand-identity"})
    usual, own = wizard.new_job(payload), wizard.new_job(payload, terms=Terms(start_within=5))
    assert (usual.start_within, usual.finish_within) == (wizard.start_within, wizard.finish_within)
    assert (own.start_within, own.finish_within) == (5, wizard.finish_within)
    assert usual.start_within


async def test_who_asked_first_is_who_cancelled(engine: Engine) -> None:
    await engine.user()
    job_id = (await engine.submit(terms=Terms(finish_within=60))).job_id
    (held,) = await engine.claim()
    await engine.write(lambda conn: transitions.ask_to_cancel(conn, job_id, ANA))
    await _passed(engine, job_id, "finish_by")
    await cancel_overdue(engine.core)
    change = await engine.write(lambda conn: transitions.cancel(conn, held))
    assert change
    row = await engine.job(job_id)
    assert (row.cancelled_by, row.cause) == (ANA, "cancelled")


async def test_what_a_provider_had_accepted_is_charged_and_collected(
    engine: Engine, sandbox: RunningSandbox, with_sandbox: Settings
) -> None:
    await engine.user()
    sandbox.fault("bfl", op="poll", pending=True)
    settings = with_sandbox.model_copy(update={"bmn_lease_seconds": 30.0})
    async with engine.worker("logo-generation", settings=settings):
        job_id = (await engine.submit(count=1, terms=Terms(finish_within=3600))).job_id

        async def ordered() -> bool:
            units = await engine.read(lambda conn: job_store.units(conn, job_id))
            return any(unit.state is UnitState.SUBMITTED for unit in units)

        await eventually(ordered)
        await _passed(engine, job_id, "finish_by")
        assert await engine.ended(job_id) == ["cancelled"]
        row = await engine.job(job_id)
        assert (row.cause, row.credits_charged) == ("deadline", 1)
        assert str(row.message).startswith("Cancelled: it was not done by its deadline. 1 credit charged")
        sandbox.clear()
        assert await engine.ended(collector_id(row)) == ["completed"]
    assert (await engine.balance()).remaining == 99
    assert engine.problems(sandbox) == []


@pytest.mark.parametrize("drift", [3600.0, -3600.0])
async def test_a_clock_that_is_set_moves_deadlines_once(engine: Engine, drift: float) -> None:
    old = await engine.do(start_within=600, finish_within=900)
    new = await engine.do(start_within=600)
    # As they are once the clock was set: the first was written by the one of before.
    written = update(job_table).where(job_table.c.id == old)
    moved = {name: job_table.c[name] - drift for name in ("created_at", "queued_at", "run_at", "start_by", "finish_by")}
    await engine.write(lambda conn: conn.execute(written.values(moved)).rowcount)
    await asyncio.gather(*(engine.write(lambda conn: clock.move_deadlines(conn, drift)) for _ in range(3)))
    now = await engine.read(clock.now)
    first, second = await engine.job(old), await engine.job(new)
    assert first.start_by and first.finish_by and second.start_by
    assert [first.start_by - now, first.finish_by - now, second.start_by - now] == pytest.approx(
        [600, 900, 600], abs=60
    )


async def test_a_newer_job_takes_the_place_of_those_that_wait(engine: Engine) -> None:
    await engine.user(balance=4)
    await engine.user(BEN)
    running = (await engine.submit(count=1)).job_id
    assert [job.id for job in await engine.claim()] == [running]
    old = (await engine.submit(count=3)).job_id
    of_ben = (await engine.submit(BEN, count=1)).job_id
    newer = await engine.submit(count=2, terms=Terms(replaces=True))  # paid with what the old one had reserved
    assert newer.replaced == [old]
    row = await engine.job(old)
    assert (row.state, row.cause) == ("cancelled", "cancelled")
    assert row.message == "Cancelled: a newer one takes its place. Nothing was charged, 3 credits refunded."
    assert [await engine.state(each) for each in (running, of_ben, newer.job_id)] == ["active", "queued", "queued"]
    assert (await engine.balance()).remaining == 1
    assert engine.problems(served=[]) == []


async def test_a_job_that_cannot_be_paid_replaces_none(engine: Engine) -> None:
    await engine.user(balance=2)
    old = (await engine.submit(count=1)).job_id
    with pytest.raises(Exception, match="Insufficient credits"):
        await engine.submit(count=5, terms=Terms(replaces=True))
    assert await engine.state(old) == "queued"
    assert (await engine.balance()).remaining == 1


async def test_planned_jobs_are_not_ahead_of_those_that_may_begin(engine: Engine) -> None:
    await engine.user()
    planned = (await engine.submit(terms=Terms(delay=3600))).job_id
    later = (await engine.submit(terms=Terms(delay=7200))).job_id
    now = (await engine.submit()).job_id

    async def ahead(job_id: str) -> int:
        row = await engine.job(job_id)
        return int(await engine.read(lambda conn: job_store.position(conn, row)))

    assert await ahead(now) == 0
    assert await ahead(planned) == 0
    assert await ahead(later) == 1


async def test_planned_jobs_hold_no_turn_open_for_others(engine: Engine) -> None:
    """The turn of a newcomer is that of the jobs in line, not of one that waits for tomorrow."""
    await engine.do(delay=86_400)
    ids = [await engine.do(user_id=ANA) for _ in range(3)]
    past = update(job_table).where(job_table.c.id.in_(ids)).values(turn=job_table.c.turn + 50)
    await engine.write(lambda conn: conn.execute(past).rowcount)
    first = min([(await engine.job(each)).turn for each in ids])
    assert (await engine.job(await engine.do(user_id=BEN))).turn == first
    assert len(await engine.write(lambda conn: claims.claim(conn, handlers.QUEUE, 9, "w", 10))) == 4
