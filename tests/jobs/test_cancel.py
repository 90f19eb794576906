"""Cancelling in every state, answered honestly."""

import asyncio
import contextlib

import pytest

from bmn.db import transitions
from bmn.errors import Cause, Conflict, NotFound
from bmn.jobs.cancellation import cancel
from bmn.jobs.sweeper import Sweeper
from tests.kit.engine import Engine
from tests.kit.people import ANA, BEN
from tests.kit.processes import eventually


async def test_a_waiting_job_is_cancelled_at_once(engine: Engine) -> None:
    await engine.user()
    accepted = await engine.submit(count=3)
    answer = await cancel(engine.core, accepted.job_id, ANA, user_id=ANA)
    assert answer.state == "cancelled"
    assert (await engine.balance()).remaining == 100
    assert await engine.claim() == []
    assert engine.problems(served=[]) == []


async def test_a_running_job_stops_within_a_second_and_frees_its_slot(engine: Engine) -> None:
    async with engine.worker(slots=1):
        job_id = await engine.do("hang")
        waiting = await engine.do()
        await engine.started(job_id)
        began = asyncio.get_running_loop().time()
        answer = await cancel(engine.core, job_id, ANA)
        assert await engine.ended(waiting) == ["completed"]
        assert asyncio.get_running_loop().time() - began < 5
    assert answer.state == "cancelled"
    assert await engine.state(job_id) == "cancelled"
    assert engine.problems() == []


async def test_a_cancel_arrives_though_redis_does_not_carry_it(engine: Engine) -> None:
    async with engine.worker():
        job_id = await engine.do("hang")
        await engine.started(job_id)
        assert await engine.write(lambda conn: transitions.ask_to_cancel(conn, job_id, ANA))  # no word on the channel
        assert await engine.ended(job_id) == ["cancelled"]


async def test_a_retrying_job_is_cancelled_at_once(engine: Engine) -> None:
    settings = engine.settings.model_copy(update={"bmn_backoff_scale": 100.0})
    async with engine.worker(settings=settings):
        job_id = await engine.do("fail", cause="timeout")

        async def retrying() -> bool:
            return await engine.state(job_id) == "retrying"

        await eventually(retrying)
        assert (await cancel(engine.core, job_id, ANA)).state == "cancelled"
    assert await engine.state(job_id) == "cancelled"
    assert engine.problems() == []


async def test_a_job_that_nobody_runs_any_more_is_said_to_be_unacknowledged(engine: Engine) -> None:
    await engine.user()
    accepted = await engine.submit()
    await engine.claim()
    answer = await cancel(engine.core, accepted.job_id, ANA)
    assert answer.state == "no worker acknowledged"
    job = await engine.job(accepted.job_id)
    change = await engine.write(lambda conn: transitions.lose(conn, job))
    assert change.state == "cancelled"
    assert (await engine.balance()).remaining == 100


async def test_a_job_that_ends_as_it_is_cancelled_is_said_to_be_finishing(engine: Engine) -> None:
    job_id = await engine.do()
    (row,) = await engine.claim("crm-sync")
    asking = asyncio.create_task(cancel(engine.core, job_id, ANA))

    async def asked() -> bool:
        return (await engine.job(job_id)).cancel_requested_at is not None

    await eventually(asked)
    await engine.write(lambda conn: transitions.fail(conn, row, Cause.BUG, "x"))
    assert (await asking).state == "finishing"


async def test_cancelling_twice_or_after_the_end_is_a_conflict(engine: Engine) -> None:
    job_id = await engine.do()
    await cancel(engine.core, job_id, ANA)
    with pytest.raises(Conflict, match="cancelled"):
        await cancel(engine.core, job_id, ANA)


async def test_a_job_of_somebody_else_is_not_found(engine: Engine) -> None:
    job_id = await engine.do()
    with pytest.raises(NotFound):
        await cancel(engine.core, job_id, BEN, user_id=BEN)
    with pytest.raises(NotFound):
        await cancel(engine.core, "crm-sync-none", ANA, user_id=ANA)
    assert await engine.state(job_id) == "queued"


async def test_cancels_race_retries_and_claims_and_every_job_ends_once(engine: Engine) -> None:
    async with engine.worker(slots=10):
        ids = [await engine.do("fail", cause="timeout") for _ in range(20)]
        ids += [await engine.do() for _ in range(20)]

        async def try_to(job_id: str) -> None:
            with contextlib.suppress(Conflict):
                await cancel(engine.core, job_id, ANA)

        await asyncio.gather(*(try_to(job_id) for job_id in ids))
        states = await engine.ended(*ids)
    assert set(states) <= {"cancelled", "completed", "failed"}
    assert engine.problems() == []


async def test_a_cancel_that_was_left_behind_is_carried_out_by_the_sweeper(engine: Engine) -> None:
    from sqlalchemy import update

    from bmn.db.tables import jobs

    job_id = await engine.do()
    flagged = update(jobs).where(jobs.c.id == job_id).values(cancel_requested_at=1.0, cancelled_by="ana")
    await engine.write(lambda conn: conn.execute(flagged))
    await Sweeper(engine.core).carry_out_cancels()
    row = await engine.job(job_id)
    assert (row.state, row.cancelled_by) == ("cancelled", "ana")
