"""Every book loses what is older than it is kept, whatever becomes of the others, and keeps the rest."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import JSON, Column, Connection, Double, FromClause, Integer, Table, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from bench.rows import Size, fill
from bmn.db.engine import Database
from bmn.db.keeping import retention
from bmn.db.keeping.retention import BOOKS
from bmn.db.sums import activity, spending
from bmn.db.tables import (
    activity_mark,
    alert_tellings,
    alerts,
    dead_letters,
    job_events,
    job_units,
    jobs,
    metadata,
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
    """Ten rows of every book that jobs do not fill, each a day older than the one before, with what belongs to them."""
    now = conn.execute(select(func.max(jobs.c.created_at))).scalar_one()
    for book in BOOKS:
        if not _count(conn, book.table):
            conn.execute(insert(book.table), [_row(book.table, n, at=now - _DAY * n) for n in range(10)])
            keys = list(conn.execute(select(*book.table.primary_key)).scalars())
            for column in book.belonging:
                rows = [_row(column.table, n, at=now) | {column.name: key} for n, key in enumerate(keys)]
                conn.execute(insert(column.table), rows)


def _row(table: FromClause, number: int, *, at: float) -> dict[str, Any]:
    """A row that the table takes: every time is `at`, every other value that has to be named is the number."""
    values: dict[str, Any] = {}
    for column in table.columns:
        if isinstance(column.type, Double):
            values[column.name] = at
        elif not (column.nullable or column.default or column.autoincrement is True):
            kind = column.type
            values[column.name] = {} if isinstance(kind, JSON) else number if isinstance(kind, Integer) else str(number)
    return values


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


# What grows with users, or has its own end, and is never deleted by its age.
_KEPT = {
    "deployment": "one row",
    "brands": "a user's own",
    "brand_assets": "a user's own",
    "generation_credits": "a row a user",
    "products": "the catalog",
    "queue_settings": "a row a queue",
    "provider_outages": "a row a queue and provider that is out",
    "api_keys": "a user's own",
    "alert_mutes": "a row a kind",
    "webhook_endpoints": "a user's own",
    "job_activity": "sums, which have their own ages",
    "activity_mark": "one row",
    "provider_spending": "sums, which have their own ages",
    "queue_samples": "sums, which have their own ages",
    "spending_mark": "one row",
}


def test_every_table_is_a_book_belongs_to_one_or_is_kept_on_purpose() -> None:
    belonging = {column.table.name for book in BOOKS for column in book.belonging}
    assert {*_BOOK, *belonging, *_KEPT} == set(metadata.tables)
    assert not set(_KEPT) & {*_BOOK, *belonging}


def test_an_index_is_in_the_order_of_every_book_and_finds_what_belongs_to_it() -> None:
    def leads(column: Column[Any]) -> bool:
        keys = [list(index.columns) for index in column.table.indexes]  # type: ignore[attr-defined]
        return any(each[0] is column for each in (*keys, list(column.table.primary_key)) if each) or bool(column.unique)

    assert [book.name for book in BOOKS if not leads(book.at)] == []
    assert [str(column) for book in BOOKS for column in book.belonging if not leads(column)] == []


async def test_each_book_loses_what_is_due_and_no_other_loses_anything(filled: Database) -> None:
    await filled.write(lambda conn: conn.execute(text("DELETE FROM idempotency_keys WHERE key <> '0'")).rowcount)
    assert not any((await filled.read(retention.lags)).values())
    for name in sorted(_BOOK):
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
