"""Every change of a job's state: fenced, told once, and final where it says so."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, text, update

from bmn.db import event_store, job_store, transitions, unit_store
from bmn.db.accounts import credit_store
from bmn.db.engine import Connection, Database, make_engine
from bmn.db.records import JobRow
from bmn.db.tables import credit_ledger, dead_letters, job_events, job_units
from bmn.db.tables import jobs as job_table
from bmn.db.transitions import Change
from bmn.errors import Cause
from bmn.schemas.events import AgentMessage, Progress
from bmn.schemas.results import Counts
from tests.kit.people import ANA
from tests.kit.processes import eventually
from tests.kit.rows import account, claim, insert

_HALF = Progress("generating", 50, "half")

Transition = Callable[[Connection, JobRow], Any]

EVERY: dict[str, Transition] = {
    "progress": lambda conn, job: transitions.progress(conn, job, _HALF),
    "record": lambda conn, job: transitions.record(conn, job, partial(AgentMessage, content="hi")),
    "complete": lambda conn, job: transitions.complete(conn, job, "done", Counts({})),
    "retry": lambda conn, job: transitions.retry(conn, job, delay=0, cause=Cause.TIMEOUT, error="slow", retries_left=1),
    "wait": lambda conn, job: transitions.wait(conn, job, delay=0, cause=None, message="later"),
    "hand_on": transitions.hand_on,
    "lose": transitions.lose,
    "fail": lambda conn, job: transitions.fail(conn, job, Cause.BUG, "broken"),
    "cancel": transitions.cancel,
    "unit": lambda conn, job: unit_store.put(conn, job, "logo-0", {"state": "submitting"}) or None,
    "save": lambda conn, job: unit_store.save(conn, job, "logo-0", asset=None, price=1, usd=0.0, shown=_HALF),
}


def _everything(conn: Connection, job_id: str) -> list[Any]:
    tables = (job_events, job_units, dead_letters, credit_ledger)
    rows: list[Any] = [job_store.get_job(conn, job_id)]
    for table in tables:
        rows += [tuple(row) for row in conn.execute(select(table))]
    return rows


async def _that_change(db: Database, job: JobRow) -> list[str]:
    """Which transitions change anything for this executor of the job, or say so; none where it is no longer its."""
    found = []
    for name, transition in EVERY.items():

        def change(conn: Connection, transition: Transition = transition) -> Any:
            return transition(conn, job)

        before = await db.read(lambda conn: _everything(conn, job.id))
        told = await db.write(change)
        if told is not None or await db.read(lambda conn: _everything(conn, job.id)) != before:
            found.append(name)
    return found


async def test_a_stale_executor_changes_nothing(db: Database) -> None:
    await db.write(lambda conn: account(conn, 10))
    await db.write(lambda conn: insert(conn, user_id=ANA, credits=2))
    (first,) = await db.write(claim)
    await db.write(lambda conn: transitions.lose(conn, first))
    await db.write(lambda conn: claim(conn, owner="worker-2"))
    assert await _that_change(db, first) == []


_WAITING = text("select count(*) from pg_locks where not granted")


@pytest.mark.parametrize("name", EVERY)
async def test_nobody_takes_a_job_between_a_write_of_its_executor_and_the_commit(db: Database, name: str) -> None:
    """Or a cancel would copy what was ordered without what has just been written of it, and both would hold."""
    if db.is_sqlite:
        pytest.skip("one writer at a time, whoever it is")
    await db.write(lambda conn: account(conn, 10))
    await db.write(lambda conn: insert(conn, user_id=ANA, credits=2))
    (job,) = await db.write(claim)
    engine = make_engine(db.url)
    with engine.connect() as conn:
        EVERY[name](conn, job)
        other = asyncio.create_task(db.write(lambda conn: transitions.lose(conn, job)))

        async def settled() -> bool:
            return other.done() or bool(await db.read(lambda conn: conn.execute(_WAITING).scalar_one()))

        await eventually(settled)
        waited = not other.done()
        conn.commit()
    await other
    engine.dispose()
    assert waited


@pytest.mark.parametrize("end", ["complete", "fail", "cancel"])
async def test_nothing_leaves_a_terminal_state(db: Database, end: str) -> None:
    await db.write(lambda conn: account(conn, 10))
    job_id = await db.write(lambda conn: insert(conn, user_id=ANA, credits=2))
    (job,) = await db.write(claim)
    await db.write(lambda conn: EVERY[end](conn, job))
    before = await db.read(lambda conn: _everything(conn, job_id))
    assert await _that_change(db, job) == []
    assert await db.write(lambda conn: transitions.cancel_waiting(conn, job, "ana")) is None
    assert await db.write(lambda conn: transitions.ask_to_cancel(conn, job_id, "ana")) is False
    assert await db.read(lambda conn: _everything(conn, job_id)) == before


async def _active(db: Database, **values: Any) -> JobRow:
    await db.write(lambda conn: insert(conn, **values))
    (job,) = await db.write(claim)
    return job


async def test_the_bar_never_falls(db: Database) -> None:
    job = await _active(db)
    for percent in (10, 60, 40, 70):
        await db.write(lambda conn, p=percent: transitions.progress(conn, job, Progress("generating", p, "on its way")))
    rows = await db.read(lambda conn: event_store.after(conn, job.id, 0))
    assert [row.payload["progress"] for row in rows] == [0, 10, 60, 60, 70]
    assert [row.seq for row in rows] == [1, 2, 3, 4, 5]


async def test_ending_gives_back_what_was_not_delivered(db: Database) -> None:
    await db.write(lambda conn: account(conn, 10))
    job = await _active(db, user_id=ANA, credits=4)
    await db.write(lambda conn: unit_store.save(conn, job, "logo-0", asset=None, price=1, usd=0.1, shown=_HALF))
    change: Change = await db.write(lambda conn: EVERY["fail"](conn, job))
    row = await db.read(lambda conn: job_store.get_job(conn, job.id))
    balance = await db.read(lambda conn: credit_store.balance(conn, ANA))
    assert (row.credits_reserved, row.credits_charged, row.credits_refunded) == (4, 1, 3)
    assert (balance.remaining, balance.reserved, balance.used) == (9, 0, 1)
    assert change.balances == [balance]


async def test_a_unit_is_paid_once_however_often_it_is_saved(db: Database) -> None:
    await db.write(lambda conn: account(conn, 10))
    job = await _active(db, user_id=ANA, credits=4)
    saving = lambda conn: unit_store.save(conn, job, "logo-0", asset=None, price=1, usd=0.1, shown=_HALF)  # noqa: E731
    await db.write(saving)
    with pytest.raises(Exception, match=r"(?i)unique"):
        await db.write(saving)
    assert (await db.read(lambda conn: credit_store.balance(conn, ANA))).used == 1


async def test_a_death_leaves_one_letter_and_one_event(db: Database) -> None:
    job = await _active(db)
    change: Change = await db.write(lambda conn: EVERY["fail"](conn, job))
    assert change.dead and change.dead.job_id == job.id
    letters = await db.read(lambda conn: list(conn.execute(select(dead_letters.c.job_id)).scalars()))
    assert letters == [job.id]
    assert change.events[-1].payload["retriesLeft"] == 0


@pytest.mark.parametrize("cause", [Cause.MODERATED, Cause.BAD_INPUT])
async def test_what_nobody_can_mend_leaves_no_letter(db: Database, cause: Cause) -> None:
    job = await _active(db)
    change = await db.write(lambda conn: transitions.fail(conn, job, cause, "no"))
    assert change.dead is None
    assert await db.read(lambda conn: list(conn.execute(select(dead_letters)))) == []


async def test_the_third_lost_worker_ends_the_job(db: Database) -> None:
    job_id = await db.write(insert)
    states = []
    for _ in range(3):
        (job,) = await db.write(claim)
        change: Change = await db.write(lambda conn, held=job: transitions.lose(conn, held))
        states.append(change.state)
    row = await db.read(lambda conn: job_store.get_job(conn, job_id))
    assert states == ["queued", "queued", "failed"]
    assert (row.cause, row.losses) == ("worker_killed", 3)


@pytest.mark.parametrize("name", ["retry", "wait", "hand_on", "lose"])
async def test_a_cancel_is_not_forgotten_when_the_job_goes_back_in_line(db: Database, name: str) -> None:
    job = await _active(db)
    assert await db.write(lambda conn: transitions.ask_to_cancel(conn, job.id, "ana"))
    change: Change = await db.write(lambda conn: EVERY[name](conn, job))
    row = await db.read(lambda conn: job_store.get_job(conn, job.id))
    assert (change.state, row.state, row.cancelled_by) == ("cancelled", "cancelled", "ana")


@pytest.mark.parametrize("back", [False, True], ids=["while it runs", "back in line"])
async def test_a_cancel_stays_with_whoever_asked_first(db: Database, back: bool) -> None:
    job = await _active(db)
    assert await db.write(lambda conn: transitions.ask_to_cancel(conn, job.id, "ana"))
    first = await db.read(lambda conn: job_store.get_job(conn, job.id))
    if back:
        await db.write(lambda conn: conn.execute(update(job_table).values(state="queued")))
        assert await db.write(lambda conn: transitions.cancel_waiting(conn, job, "ops"))
    else:
        assert await db.write(lambda conn: transitions.ask_to_cancel(conn, job.id, "ops"))
    row = await db.read(lambda conn: job_store.get_job(conn, job.id))
    assert (row.cancelled_by, row.cancel_requested_at) == ("ana", first.cancel_requested_at)


async def test_waiting_spends_no_attempt(db: Database) -> None:
    job = await _active(db)
    await db.write(lambda conn: EVERY["wait"](conn, job))
    row = await db.read(lambda conn: job_store.get_job(conn, job.id))
    assert (row.state, row.attempt) == ("queued", 0)
