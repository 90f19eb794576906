"""Every book loses what is older than it is kept, whatever becomes of the others, and keeps the rest."""

from functools import partial

import pytest
from sqlalchemy import Connection, Table, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from bench.rows import Size, fill
from bmn.db import retention
from bmn.db.engine import Database
from bmn.db.retention import BOOKS
from bmn.db.sums import activity, spending
from bmn.db.tables import (
    activity_mark,
    agent_sessions,
    alert_tellings,
    alerts,
    audit_log,
    dead_letters,
    escalations,
    idempotency_keys,
    job_events,
    job_units,
    jobs,
)
from bmn.work.pruning import sweep

_DAY = 86_400.0
_SIZE = Size(ended=400, waiting=20, users=10, span=20 * _DAY)
_BOOK = {book.name: book for book in BOOKS}


def _count(conn: Connection, table: Table) -> int:
    return int(conn.execute(select(func.count()).select_from(table)).scalar_one())


def _rows(conn: Connection) -> dict[str, int]:
    return {book.name: _count(conn, book.table) for book in BOOKS}


def _others(conn: Connection) -> None:
    """Ten rows of every book that jobs do not fill; each a day older than the one before."""
    numbers = range(10)
    at = conn.execute(select(func.max(jobs.c.created_at))).scalar_one()
    ages = [at - _DAY * number for number in numbers]
    conn.execute(insert(audit_log), [{"actor": "a", "action": "b", "subject": "c", "at": age} for age in ages])
    trouble = {"kind": "waiting", "subject": "q", "severity": "warn", "message": "m"}
    times = [{"opened_at": age, "seen_at": age, "resolved_at": age} for age in ages]
    conn.execute(insert(alerts), [{**trouble, **each} for each in times])
    told = [{"alert_id": key, "sink": "x", "state": "open"} for key in conn.execute(select(alerts.c.id)).scalars()]
    conn.execute(insert(alert_tellings), [{**each, "claimed_at": at} for each in told])
    conn.execute(insert(escalations), [{"key": f"k{n}", "created_at": ages[n]} for n in numbers])
    keys = [{"user_id": "u", "key": f"k{n}", "created_at": ages[n]} for n in numbers]
    conn.execute(insert(idempotency_keys), [{**each, "request_hash": "h", "response": {}} for each in keys])
    sessions = [{"id": f"s{n}", "updated_at": ages[n], "created_at": ages[n]} for n in numbers]
    conn.execute(
        insert(agent_sessions), [{**each, "user_id": "u", "brand_id": "b", "step": "name"} for each in sessions]
    )


def _age(conn: Connection, name: str, *, late: float) -> None:
    """Moves a book into the past, so that its oldest row should have been gone for `late` seconds."""
    book = _BOOK[name]
    oldest = conn.execute(select(func.min(book.at))).scalar_one()
    now = conn.execute(select(func.max(jobs.c.queued_at))).scalar_one()
    conn.execute(update(book.table).values({book.at.name: book.at - (oldest - (now - book.seconds - late))}))


@pytest.fixture
async def filled(db: Database) -> Database:
    await db.write(lambda conn: fill(conn, _SIZE))
    await db.write(_others)
    for roll_up in (activity.roll_up, spending.roll_up):
        while await db.write(roll_up):
            pass
    return db


async def test_each_book_loses_what_is_due_and_no_other_loses_anything(filled: Database) -> None:
    await filled.write(lambda conn: conn.execute(text("DELETE FROM idempotency_keys WHERE key <> 'k0'")).rowcount)
    assert not any((await filled.read(retention.lags)).values())
    for name in sorted(set(_BOOK) - {"dead_letters"}):
        before = await filled.read(_rows)
        await filled.write(partial(_age, name=name, late=0.5 * _DAY))
        assert (await filled.read(retention.lags))[name] == pytest.approx(0.5 * _DAY, abs=60)
        removed = await sweep(filled, 5.0)
        after = await filled.read(_rows)
        assert removed == {name: before[name] - after[name]}
        assert removed[name] > 0
        assert {**after, name: 0} == {**before, name: 0}
        assert not any((await filled.read(retention.lags)).values())


async def test_what_belongs_to_a_row_goes_with_it(filled: Database) -> None:
    await filled.write(partial(_age, name="jobs", late=40 * _DAY))
    await filled.write(partial(_age, name="alerts", late=40 * _DAY))
    await sweep(filled, 5.0)
    assert await filled.read(lambda conn: _count(conn, alerts) + _count(conn, alert_tellings)) == 0
    ended = await filled.read(lambda conn: conn.execute(select(jobs.c.id).where(jobs.c.completed_at > 0)).all())
    assert await filled.read(lambda conn: _count(conn, job_events)) == 3 * len(ended)
    assert await filled.read(lambda conn: _count(conn, job_units)) == len(ended)


async def test_an_open_letter_keeps_its_job_and_holds_up_no_other(filled: Database) -> None:
    oldest = select(jobs.c.id, jobs.c.queue).where(jobs.c.completed_at.is_not(None)).order_by(jobs.c.completed_at)
    letter = {"cause": "bug", "error": "e", "attempts": 3, "state": "open"}
    first = await filled.read(lambda conn: conn.execute(oldest.limit(150)).all())
    letters = [{"id": f"of {row.id}", "job_id": row.id, "queue": row.queue, **letter} for row in first]
    await filled.write(lambda conn: conn.execute(dead_letters.delete()).rowcount)
    await filled.write(lambda conn: conn.execute(insert(dead_letters), letters).rowcount)
    await filled.write(partial(_age, name="jobs", late=40 * _DAY))
    await sweep(filled, 5.0)
    left = await filled.read(
        lambda conn: conn.execute(select(jobs.c.id).where(jobs.c.completed_at > 0)).scalars().all()
    )
    assert set(left) == {row.id for row in first}
    assert (await filled.read(retention.lags))["jobs"] == 0.0


async def test_a_book_that_refuses_holds_up_no_other(filled: Database) -> None:
    refuse = (
        ["CREATE TRIGGER refuse BEFORE DELETE ON jobs BEGIN SELECT RAISE(ABORT, 'no'); END"]
        if filled.is_sqlite
        else [
            "CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'no'; END $$ LANGUAGE plpgsql",
            "CREATE TRIGGER refuse BEFORE DELETE ON jobs FOR EACH ROW EXECUTE FUNCTION refuse()",
        ]
    )
    for statement in refuse:
        await filled.write(lambda conn, each=statement: conn.execute(text(each)).rowcount)  # type: ignore[misc]
    for name in ("jobs", "credit_ledger", "provider_calls", "audit_log"):
        await filled.write(partial(_age, name=name, late=40 * _DAY))
    with pytest.raises(DBAPIError):
        await sweep(filled, 5.0)
    lags = await filled.read(retention.lags)
    assert [name for name, lag in lags.items() if lag] == ["jobs"]


async def test_a_spent_budget_leaves_the_rest_and_no_book_out(filled: Database) -> None:
    for name in ("jobs", "credit_ledger", "provider_calls"):
        await filled.write(partial(_age, name=name, late=40 * _DAY))
    removed = await sweep(filled, 0.0)
    assert removed["jobs"] == removed["credit_ledger"] == removed["provider_calls"] == 100
    assert (await filled.read(retention.lags))["jobs"] > 0
    await sweep(filled, 5.0)
    assert not any((await filled.read(retention.lags)).values())


async def test_nothing_goes_before_it_is_in_the_sums(filled: Database) -> None:
    await filled.write(partial(_age, name="jobs", late=40 * _DAY))
    await filled.write(lambda conn: conn.execute(activity_mark.delete()).rowcount)
    assert (await sweep(filled, 5.0))["jobs"] == 0


async def test_of_letters_dealt_with_the_thousand_latest_stay(db: Database) -> None:
    letter = {"queue": "q", "cause": "bug", "error": "e", "attempts": 3, "state": "purged", "created_at": 1.0}
    letters = [{"id": f"d{n}", "job_id": f"j{n}", "resolved_at": float(n), **letter} for n in range(1010)]
    await db.write(lambda conn: conn.execute(insert(dead_letters), letters).rowcount)
    assert await db.write(lambda conn: retention.prune_letters(conn, 7)) == 7
    assert await db.write(lambda conn: retention.prune_letters(conn, 7)) == 3
    assert await db.read(lambda conn: conn.execute(select(func.min(dead_letters.c.resolved_at))).scalar()) == 10.0
