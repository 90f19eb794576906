"""How long records are kept, and deleting what is older: book by book, a bounded number of rows at a time."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, delete, exists, func, select, tuple_

from bmn.db.tables import (
    activity_mark,
    agent_sessions,
    alert_tellings,
    alerts,
    audit_log,
    bulk_actions,
    bulk_items,
    credit_ledger,
    db_now,
    dead_letters,
    escalations,
    idempotency_keys,
    job_events,
    job_logs,
    job_units,
    jobs,
    kit_steps,
    kits,
    provider_calls,
    shares,
    spending_mark,
    webhook_deliveries,
)

_DAY = 86_400.0
_LETTERS = 1000


@dataclass(frozen=True, slots=True)
class Book:
    """Rows of one table that are kept for so many seconds.

    at: by what they age; an index is in its order. only: which of them age at all. belonging: columns of other tables
    that name a row, and whose rows go with it. counted: the mark that has to pass a row first, or sums would lack it.
    """

    at: Column[float]
    seconds: float
    only: tuple[ColumnElement[bool], ...] = ()
    belonging: tuple[Column[Any], ...] = ()
    counted: Table | None = None

    @property
    def name(self) -> str:
        """As metrics name it."""
        return self.table.name

    @property
    def table(self) -> Table:
        """Where its rows are."""
        return self.at.table


@dataclass(frozen=True, slots=True)
class Batch:
    """What one deletion did. upto: the time of the newest row it removed, where the next one begins."""

    removed: int
    upto: float


_HAS_OPEN_LETTER = exists().where(dead_letters.c.job_id == jobs.c.id, dead_letters.c.state == "open")

BOOKS: tuple[Book, ...] = (
    Book(
        jobs.c.completed_at,
        30 * _DAY,
        only=(~_HAS_OPEN_LETTER,),
        belonging=(job_events.c.job_id, job_units.c.job_id, job_logs.c.job_id, dead_letters.c.job_id),
        counted=activity_mark,
    ),
    Book(credit_ledger.c.created_at, 400 * _DAY),
    Book(provider_calls.c.at, 400 * _DAY, counted=spending_mark),
    Book(audit_log.c.at, 400 * _DAY),
    Book(alerts.c.resolved_at, 30 * _DAY, belonging=(alert_tellings.c.alert_id,)),
    Book(dead_letters.c.resolved_at, 30 * _DAY),
    Book(escalations.c.created_at, 30 * _DAY),
    Book(bulk_actions.c.ended_at, 30 * _DAY, belonging=(bulk_items.c.bulk_id,)),
    Book(kits.c.ended_at, 30 * _DAY, belonging=(kit_steps.c.kit_id,)),
    Book(idempotency_keys.c.created_at, _DAY),
    Book(webhook_deliveries.c.created_at, 30 * _DAY),
    Book(shares.c.expires_at, 30 * _DAY),
    Book(agent_sessions.c.updated_at, 30 * _DAY),
)


def prune(conn: Connection, book: Book, limit: int, after: float = 0.0) -> Batch:
    """Deletes the oldest rows that are due, `limit` at most. It costs what it deletes, however large the table is.

    after: where the batch before ended. Without it each one would walk again over what the last ones left behind.
    """
    keys = list(book.table.primary_key)
    due = [book.at < db_now() - book.seconds, book.at >= after, *book.only]
    if book.counted is not None:
        due.append(book.at < func.coalesce(select(book.counted.c.upto).scalar_subquery(), 0.0))
    rows = conn.execute(select(*keys, book.at).where(*due).order_by(book.at).limit(limit)).all()
    if not rows:
        return Batch(0, after)
    names: list[Any] = [row[0] if len(keys) == 1 else tuple(row)[:-1] for row in rows]
    for column in book.belonging:
        conn.execute(delete(column.table).where(column.in_(names)))
    named = keys[0].in_(names) if len(keys) == 1 else tuple_(*keys).in_(names)
    conn.execute(delete(book.table).where(named))
    return Batch(len(rows), rows[-1][-1])


def prune_letters(conn: Connection, limit: int) -> int:
    """Deletes dead letters that somebody has dealt with, but the thousand latest of them; the number of those deleted."""
    dealt_with = select(dead_letters.c.id).where(dead_letters.c.resolved_at.is_not(None))
    older = dealt_with.order_by(dead_letters.c.resolved_at.desc()).offset(_LETTERS).limit(limit)
    return conn.execute(delete(dead_letters).where(dead_letters.c.id.in_(older))).rowcount


def lags(conn: Connection, books: Iterable[Book] = BOOKS) -> dict[str, float]:
    """By book: for how many seconds its oldest row should have been gone; 0.0 where none should."""
    found = {}
    for book in books:
        oldest = select(db_now() - book.at).where(book.at < db_now() - book.seconds, *book.only)
        age = conn.execute(oldest.order_by(book.at).limit(1)).scalar()
        found[book.name] = 0.0 if age is None else float(age) - book.seconds
    return found
