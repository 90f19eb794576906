"""Bulk actions: chosen once, each job acted on once, whoever dies and however many ask; refused ones are named."""

import asyncio
import dataclasses
from typing import Any

import pytest
from sqlalchemy import select, update

from bmn.db import job_store, transitions
from bmn.db.accounts import credit_store
from bmn.db.batches import bulk_store, choosing
from bmn.db.batches.bulk_store import Action, Bulk, BulkItemRow, NewBulk
from bmn.db.batches.choosing import Sample
from bmn.db.dead_letters import DeadFilter
from bmn.db.lists.listing import JobFilter
from bmn.db.tables import audit_log, bulk_actions, dead_letters
from bmn.db.tables import jobs as job_table
from bmn.errors import Cause
from bmn.jobs import bulk_duty, replay
from bmn.jobs.sweeper import Sweeper
from bmn.work.wiring import open_core
from tests.kit.engine import Engine
from tests.kit.people import ANA, BEN
from tests.kit.processes import eventually

EVERYTHING = JobFilter()


async def _failed(engine: Engine, number: int = 1, cause: Cause = Cause.BUG, **data: Any) -> list[str]:
    ids = [await engine.do(**data) for _ in range(number)]
    for row in await engine.claim("crm-sync", limit=number):
        await engine.write(lambda conn, r=row: transitions.fail(conn, r, cause, "broken"))
    return ids


async def _start(engine: Engine, action: Action, chosen: JobFilter | DeadFilter = EVERYTHING, **how: Any) -> str | None:
    """The action's id; None where the same is open already."""

    def choose(conn: Any) -> list[bulk_store.Candidate]:
        if isinstance(chosen, DeadFilter):
            return choosing.choose_letters(conn, action, chosen)
        return choosing.choose_jobs(conn, action, chosen)

    found = await engine.read(choose)
    values = {
        "selection_key": f"{action} {type(chosen).__name__}",
        "selection": {},
        "owner_id": None,
        "asked_by": "ana",
        **how,
    }
    new = NewBulk(id=f"bulk-{len(found)}-{action}-{values['asked_by']}", action=action, **values)
    return new.id if await engine.write(lambda conn: bulk_store.start(conn, new, found)) else None


async def _get(engine: Engine, bulk_id: str) -> Bulk:
    found = await engine.read(lambda conn: bulk_store.get(conn, bulk_id))
    assert found is not None
    return found


async def _items(engine: Engine, bulk_id: str, state: bulk_store.ItemState | None = None) -> list[BulkItemRow]:
    found: list[BulkItemRow] = await engine.read(
        lambda conn: bulk_store.items(conn, bulk_id, state=state, after=0, limit=1000)
    )
    return found


async def test_what_is_chosen_stands_and_each_is_brought_back_or_refused_with_its_reason(engine: Engine) -> None:
    ids = await _failed(engine, 5)
    bulk_id = await _start(engine, "retry", reason="mended")
    assert bulk_id is not None
    later = await _failed(engine)
    await replay.retry(engine.core, ids[1], "ben")
    await replay.purge(engine.core, DeadFilter(ids=(ids[3],)), "ben")
    await bulk_duty.work(engine.core)
    done = await _get(engine, bulk_id)
    assert (done.state, done.total, done.done, done.refused) == ("done", 5, 3, 2)
    chosen = {item.job_id: item for item in await _items(engine, bulk_id)}
    items = [chosen.pop(job_id) for job_id in ids]  # those that failed within one tick of the clock have any order
    assert chosen == {}
    assert [item.state for item in items] == ["done", "refused", "done", "refused", "done"]
    assert "by ben" in str(items[1].detail) and "purged by ben" in str(items[3].detail)
    for item in items:
        if item.new_job_id is not None:
            assert (await engine.job(item.new_job_id)).parent_id == item.job_id
    assert await engine.read(lambda conn: job_store.children(conn, later[0])) == []
    query = select(audit_log.c.subject, audit_log.c.reason).where(audit_log.c.actor == "ana")
    assert await engine.read(lambda conn: {tuple(row) for row in conn.execute(query)}) == {
        (ids[number], "mended") for number in (0, 2, 4)
    }
    assert engine.problems(served=[]) == []


async def test_two_who_work_on_it_at_once_and_one_who_is_stopped_act_on_each_once(engine: Engine) -> None:
    ids = await _failed(engine, 100)
    bulk_id = await _start(engine, "replay", DeadFilter())
    assert bulk_id is not None
    second = await open_core(engine.settings, "test")
    stopped = asyncio.create_task(bulk_duty.work(engine.core))

    async def has_begun() -> bool:
        return (await _get(engine, bulk_id)).done >= 20

    await eventually(has_begun)
    stopped.cancel()
    await asyncio.gather(stopped, return_exceptions=True)
    assert (await _get(engine, bulk_id)).state in ("running", "done")
    await asyncio.gather(bulk_duty.work(engine.core), bulk_duty.work(second))
    await second.close()
    assert (await _get(engine, bulk_id)).done == 100
    parents = [job.parent_id for job in await engine.all_jobs() if job.parent_id]
    assert sorted(map(str, parents)) == sorted(ids)
    assert engine.problems(served=[]) == []


async def test_the_same_action_is_begun_once_while_it_is_open_and_finds_nothing_afterwards(engine: Engine) -> None:
    await _failed(engine, 3)
    first = await _start(engine, "retry")
    assert first is not None
    both = await asyncio.gather(*(_start(engine, "retry", asked_by=who) for who in ("ben", "eve")))
    assert both == [None, None]
    assert await engine.read(lambda conn: choosing.choose_jobs(conn, "retry", JobFilter(user_id=ANA))) == []
    await bulk_duty.work(engine.core)
    assert await engine.read(lambda conn: choosing.choose_jobs(conn, "retry", EVERYTHING)) == []


async def test_what_many_jobs_come_to_is_told_by_some_of_them(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    await _failed(engine, 5)

    async def sampled(chosen: JobFilter | DeadFilter) -> Sample | None:
        if isinstance(chosen, DeadFilter):
            return await engine.read(lambda conn: choosing.sample_letters(conn, "replay", chosen))
        return await engine.read(lambda conn: choosing.sample_jobs(conn, "retry", chosen))

    assert await sampled(EVERYTHING) is None, "few are counted"
    monkeypatch.setattr(choosing, "_SAMPLE", 3)
    for chosen in (EVERYTHING, DeadFilter()):
        found = await sampled(chosen)
        assert found is not None and (len(found.candidates), found.looked_at, found.of) == (3, 3, 5)
    assert await sampled(JobFilter(text="broken")) is None, "words may be in one of a million"
    await _start(engine, "retry")
    assert await sampled(EVERYTHING) is None, "of what an open action has, nothing is left to sample"


async def test_credits_are_estimated_and_who_has_none_is_refused_in_figures(engine: Engine) -> None:
    for user_id, balance in ((ANA, 10), (BEN, 3)):
        await engine.user(user_id, balance)
        await engine.submit(user_id, count=3)
    for row in await engine.claim(limit=2):
        await engine.write(lambda conn, r=row: transitions.fail(conn, r, Cause.PROVIDER_TIMEOUT, "slow"))
    await engine.write(lambda conn: credit_store.reserve(conn, BEN, 2))
    found = await engine.read(lambda conn: choosing.choose_jobs(conn, "retry", EVERYTHING))
    assert [(each.credits, each.units) for each in found] == [(3, 3), (3, 3)]
    bulk_id = await _start(engine, "retry")
    assert bulk_id is not None
    await bulk_duty.work(engine.core)
    done = await _get(engine, bulk_id)
    assert (done.credits_estimated, done.credits, done.done, done.refused) == (6, 3, 1, 1)
    [refused] = await _items(engine, bulk_id, "refused")
    assert refused.detail == "Insufficient credits: it takes 3, and its user has 1."
    assert (await engine.balance(ANA)).reserved == 3


async def test_a_cancel_ends_what_waits_asks_what_runs_and_refuses_what_has_ended(engine: Engine) -> None:
    waiting, ended, running = [await engine.do() for _ in range(3)]
    bulk_id = await _start(engine, "cancel")
    assert bulk_id is not None
    await engine.write(lambda conn: transitions.cancel_waiting(conn, job_store.get_job(conn, ended), "ben"))
    query = update(job_table).where(job_table.c.id == running)
    await engine.write(lambda conn: conn.execute(query.values(state="active", fence=1, lease_until=1e12)))
    await bulk_duty.work(engine.core)
    found = {item.job_id: (item.state, item.detail) for item in await _items(engine, bulk_id)}
    assert found[waiting] == ("done", "Cancelled.")
    assert found[running] == ("done", "Its worker is asked to stop.")
    assert found[ended] == ("refused", "This job has ended already: cancelled.")
    assert (await engine.job(running)).cancel_requested_at is not None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_purging_takes_more_than_a_thousand(engine: Engine) -> None:
    [sample] = await _failed(engine)
    letter = await engine.read(lambda conn: conn.execute(select(dead_letters)).mappings().one())
    job = await engine.read(lambda conn: conn.execute(select(job_table)).mappings().one())

    def many(conn: Any) -> int:
        names = [f"crm-sync-many-{number}" for number in range(1199)]
        conn.execute(job_table.insert(), [{**job, "id": name} for name in names])
        letters = [{**letter, "id": f"dead-{name}", "job_id": name} for name in names]
        return int(conn.execute(dead_letters.insert(), letters).rowcount)

    await engine.write(many)
    bulk_id = await _start(engine, "purge", DeadFilter())
    assert bulk_id is not None
    await bulk_duty.work(engine.core)
    assert (await _get(engine, bulk_id)).done == 1200
    open_ones = select(dead_letters.c.id).where(dead_letters.c.state == "open")
    assert await engine.read(lambda conn: conn.execute(open_ones).all()) == []
    assert (await engine.job(sample)).state == "failed"


async def test_a_rate_is_kept_a_pause_holds_and_an_abort_ends(engine: Engine) -> None:
    await _failed(engine, 5)
    bulk_id = await _start(engine, "retry", rate=0.001)
    assert bulk_id is not None
    working = asyncio.create_task(bulk_duty.work(engine.core))

    async def first_is_done() -> bool:
        return (await _get(engine, bulk_id)).done >= 1

    await eventually(first_is_done)
    found = await _get(engine, bulk_id)
    assert found.done in (1, 2) and found.due_in > 900
    paused = await engine.write(lambda conn: bulk_store.change_state(conn, bulk_id, "paused", among=("running",)))
    assert paused
    await working  # nothing runs any more
    assert await engine.read(bulk_store.running) == []
    assert await engine.write(
        lambda conn: bulk_store.change_state(conn, bulk_id, "aborted", among=("running", "paused"))
    )
    assert not await engine.write(lambda conn: bulk_store.change_state(conn, bulk_id, "running", among=("paused",)))
    assert len(await _items(engine, bulk_id, "waiting")) == 5 - found.done


async def test_it_stops_at_a_share_of_failures_refused_or_failed_again(engine: Engine) -> None:
    ids = await _failed(engine, 60)
    bulk_id = await _start(engine, "retry", stop_at=0.5)
    assert bulk_id is not None
    await replay.replay(engine.core, DeadFilter(ids=tuple(ids[:15])), "ben")

    def carry_on(conn: Any) -> Any:
        conn.execute(update(bulk_actions).values(checked_at=1.0))
        return bulk_duty._step(conn, engine.core, bulk_id)

    while (found := await _get(engine, bulk_id)).state == "running":
        await engine.write(carry_on)
        brought_back = [item.new_job_id for item in await _items(engine, bulk_id, "done")]
        again = update(job_table).where(job_table.c.id.in_(brought_back[:5])).values(state="failed")
        await engine.write(lambda conn, s=again: conn.execute(s).rowcount)
    assert found.state == "stopped"
    assert (found.refused, found.failed_again) == (15, 5)
    assert found.message == f"Of {found.done + 15} jobs 15 were refused and 5 failed again."
    assert len(await _items(engine, bulk_id, "waiting")) == 60 - found.done - found.refused


async def test_a_job_that_meets_a_defect_of_ours_is_refused_and_the_others_go_on(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await _failed(engine, 3)
    bulk_id = await _start(engine, "retry")
    assert bulk_id is not None
    bad = update(job_table).where(job_table.c.id == ids[1]).values(payload=[1])
    await engine.write(lambda conn: conn.execute(bad).rowcount)
    await bulk_duty.work(engine.core)
    assert [item.state for item in await _items(engine, bulk_id)] == ["done", "refused", "done"]


async def test_whoever_sweeps_carries_it_out(engine: Engine) -> None:
    await _failed(engine, 3)
    bulk_id = await _start(engine, "retry")
    assert bulk_id is not None
    sweeping = asyncio.create_task(Sweeper(engine.core).run())

    async def is_done() -> bool:
        return (await _get(engine, bulk_id)).state == "done"

    await eventually(is_done)
    sweeping.cancel()
    await asyncio.gather(sweeping, return_exceptions=True)


def test_the_columns_of_an_action_are_its_fields() -> None:
    names = [field.name for field in dataclasses.fields(Bulk)]
    assert [column.name for column in bulk_store._COLUMNS] == names
