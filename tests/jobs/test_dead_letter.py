"""Dead letters: brought back once, however many ask, and only where it makes sense."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, update

from bmn.db import transitions
from bmn.db.dead_letters import DeadFilter
from bmn.db.tables import audit_log, dead_letters, jobs
from bmn.errors import Cause, Conflict, InsufficientCredits, NotFound, UsageProblem
from bmn.jobs import replay
from bmn.work.wiring import open_core
from tests.kit.engine import Engine
from tests.kit.people import ANA, BEN
from tests.kit.processes import eventually


async def _dead(engine: Engine, number: int = 1, cause: Cause = Cause.BUG, **data: Any) -> list[str]:
    ids = [await engine.do(**data) for _ in range(number)]
    rows = await engine.claim("crm-sync", limit=number)
    for row in rows:
        await engine.write(lambda conn, r=row: transitions.fail(conn, r, cause, "broken"))
    return ids


async def test_a_replay_is_a_new_job_that_names_its_parent(engine: Engine) -> None:
    (job_id,) = await _dead(engine)
    answer = await replay.retry(engine.core, job_id, "admin", reason="mended")
    assert answer.job_id is not None
    row = await engine.job(answer.job_id)
    assert (row.parent_id, row.state, row.attempt) == (job_id, "queued", 0)
    assert (await engine.job(job_id)).state == "failed"
    (audit,) = await engine.read(lambda conn: conn.execute(select(audit_log)).mappings().all())
    assert (audit["actor"], audit["subject"], audit["reason"]) == ("admin", job_id, "mended")


async def test_the_second_who_asks_is_told_of_the_first(engine: Engine) -> None:
    (job_id,) = await _dead(engine)
    answer = await replay.retry(engine.core, job_id, "ana@example.test")
    with pytest.raises(Conflict, match=f"{answer.job_id} by ana@example.test"):
        await replay.retry(engine.core, job_id, "ben@example.test")


async def test_two_admins_replay_everything_at_once_and_each_is_replayed_once(engine: Engine) -> None:
    ids = await _dead(engine, 40)
    second = await open_core(engine.settings, "test")
    runs = await asyncio.gather(
        *(replay.replay(core, DeadFilter(), who) for core, who in ((engine.core, "ana"), (second, "ben")) for _ in "ab")
    )
    await second.close()
    made = [entry.parent_id for run in runs for entry in run if entry.job_id]
    assert sorted(made) == sorted(ids)
    assert engine.problems(served=[]) == []


async def test_an_interrupted_bulk_replay_is_finished_by_the_next(engine: Engine) -> None:
    ids = await _dead(engine, 40)
    first = asyncio.create_task(replay.replay(engine.core, DeadFilter(), "ana"))

    async def some_are_back() -> bool:
        return len(await engine.all_jobs()) >= 50

    await eventually(some_are_back)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await replay.replay(engine.core, DeadFilter(), "ana")
    assert len(await engine.all_jobs()) == 2 * len(ids)
    assert engine.problems(served=[]) == []


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        (DeadFilter(queue="crm-sync"), 3),
        (DeadFilter(queue="email-send"), 0),
        (DeadFilter(cause="timeout"), 1),
        (DeadFilter(text="100%_sure"), 1),
        (DeadFilter(text="%"), 1),
        (DeadFilter(since=1e12), 0),
    ],
)
async def test_letters_are_chosen_by_what_one_knows_of_them(engine: Engine, chosen: DeadFilter, found: int) -> None:
    await _dead(engine, 1, Cause.TIMEOUT)
    await _dead(engine, 1, note="100%_sure")
    await _dead(engine, 1)
    assert (await replay.estimate(engine.core, chosen))[0] == found
    assert len(await replay.replay(engine.core, chosen, "ana")) == found


async def test_a_payload_that_no_longer_fits_is_refused_with_the_difference_and_stays(engine: Engine) -> None:
    (job_id,) = await _dead(engine)
    old = update(jobs).where(jobs.c.id == job_id).values(payload={"userId": ANA, "event": "user.created"})
    await engine.write(lambda conn: conn.execute(old))
    with pytest.raises(UsageProblem) as refused:
        await replay.retry(engine.core, job_id, "ana")
    assert {entry["field"] for entry in refused.value.extra["misfits"]} == {"eventType", "event"}
    assert (await replay.estimate(engine.core, DeadFilter()))[0] == 1
    assert await replay.replay(engine.core, DeadFilter(), "ana")  # the list goes on past it
    changed = await engine.write(lambda conn: conn.execute(update(jobs).values(payload={"userId": ANA})).rowcount)
    assert changed == 1
    answer = await replay.retry(engine.core, job_id, "ana", changes={"eventType": "wizard.started"})
    assert answer.job_id


async def test_a_change_that_is_mistyped_is_told_as_that(engine: Engine) -> None:
    (job_id,) = await _dead(engine)
    with pytest.raises(UsageProblem) as refused:
        await replay.retry(engine.core, job_id, "ana", changes={"evntType": "wizard.started"})
    assert "evntType" in refused.value.message
    assert "any more" not in refused.value.message
    assert refused.value.hint == "Did you mean eventType?"


async def test_a_replay_pays_again_only_if_it_can(engine: Engine) -> None:
    await engine.user(balance=3)
    accepted = await engine.submit(count=3)
    (row,) = await engine.claim()
    await engine.write(lambda conn: transitions.fail(conn, row, Cause.PROVIDER_TIMEOUT, "slow"))
    await engine.submit(count=2)
    with pytest.raises(InsufficientCredits):
        await replay.retry(engine.core, accepted.job_id, ANA)
    assert (await replay.estimate(engine.core, DeadFilter())) == (1, 3)


async def test_what_still_runs_or_went_well_is_not_brought_back(engine: Engine) -> None:
    job_id = await engine.do()
    with pytest.raises(Conflict):
        await replay.retry(engine.core, job_id, ANA)
    async with engine.worker():
        await engine.ended(job_id)
    with pytest.raises(Conflict):
        await replay.retry(engine.core, job_id, ANA)
    with pytest.raises(NotFound):
        await replay.retry(engine.core, job_id, BEN, user_id=BEN)


async def test_a_purged_letter_is_gone_and_says_by_whom(engine: Engine) -> None:
    (job_id,) = await _dead(engine)
    assert await replay.purge(engine.core, DeadFilter(), "ana") == 1
    assert await replay.purge(engine.core, DeadFilter(), "ana") == 0
    with pytest.raises(Conflict, match="purged by ana"):
        await replay.retry(engine.core, job_id, "ben")


async def test_a_job_that_dies_again_knows_how_often(engine: Engine) -> None:
    (job_id,) = await _dead(engine)
    for _ in range(2):
        answer = await replay.retry(engine.core, job_id, "ana")
        (row,) = await engine.claim("crm-sync")
        await engine.write(lambda conn, r=row: transitions.fail(conn, r, Cause.BUG, "again"))
        assert answer.job_id
        job_id = answer.job_id
    query = select(dead_letters.c.replays).order_by(dead_letters.c.created_at)
    assert list(await engine.read(lambda conn: conn.execute(query).scalars().all())) == [0, 1, 2]
