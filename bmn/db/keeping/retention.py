"""How long records are kept, and deleting what is older: book by book, a bounded number of rows at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, delete, exists, func, not_, select, tuple_

from bmn.db.tables import (
    activity_mark,
    agent_sessions,
    alert_tellings,
    alerts,
    archive_holds,
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
    archived: where there is an archive, its rows are written there before they are deleted.
    """

    at: Column[float]
    seconds: float
    only: tuple[ColumnElement[bool], ...] = ()
    belonging: tuple[Column[Any], ...] = ()
    counted: Table | None = None
    archived: bool = False

    @property
    def name(self) -> str:
        """As metrics name it."""
        return self.table.name

    @property
    def table(self) -> Table:
        """Where its rows are."""
        return self.at.table

    @property
    def tables(self) -> tuple[Table, ...]:
        """That of its rows, then those of what belongs to them."""
        return (self.table, *(column.table for column in self.belonging))

    def named(self, keys: Sequence[Any]) -> dict[Table, ColumnElement[bool]]:
        """By table: which rows these keys mean. A key is a value, or a tuple where the table's has several columns."""
        own = list(self.table.primary_key)
        row = own[0].in_(keys) if len(own) == 1 else tuple_(*own).in_(keys)
        return {self.table: row, **{column.table: column.in_(keys) for column in self.belonging}}


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
        archived=True,
    ),
    Book(credit_ledger.c.created_at, 400 * _DAY, archived=True),
    Book(provider_calls.c.at, 400 * _DAY, counted=spending_mark, archived=True),
    Book(audit_log.c.at, 400 * _DAY, archived=True),
    Book(alerts.c.resolved_at, 30 * _DAY, belonging=(alert_tellings.c.alert_id,)),
    Book(dead_letters.c.resolved_at, 30 * _DAY, archived=True),
    Book(escalations.c.created_at, 30 * _DAY),
    Book(bulk_actions.c.ended_at, 30 * _DAY, belonging=(bulk_items.c.bulk_id,), archived=True),
    Book(kits.c.ended_at, 30 * _DAY, belonging=(kit_steps.c.kit_id,), archived=True),
    Book(idempotency_keys.c.created_at, _DAY),
    Book(webhook_deliveries.c.created_at, 30 * _DAY),
    Book(shares.c.expires_at, 30 * _DAY),
    Book(agent_sessions.c.updated_at, 30 * _DAY),
    Book(archive_holds.c.held_until, 30 * _DAY),
)
BOOK_OF = {book.name: book for book in BOOKS}


@dataclass(frozen=True, slots=True)
class Due:
    """What a batch is to remove. keys: of the book's rows, the oldest first. upto: the time of the newest, where the next
    batch begins.
    """

    keys: list[Any]
    upto: float


def _is_old(book: Book) -> tuple[ColumnElement[bool], ...]:
    """Past its time, and not held since it was brought back."""
    held = exists().where(
        archive_holds.c.book == book.name,
        archive_holds.c.held_until > db_now(),
        archive_holds.c.since <= book.at,
        archive_holds.c.upto >= book.at,
    )
    return (book.at < db_now() - book.seconds, not_(held), *book.only)


def due(conn: Connection, book: Book, limit: int, after: float = 0.0) -> Due:
    """The oldest rows whose time is over, `limit` at most. It costs what it finds, however large the table is.

    after: where the batch before ended. Without it each one would walk again over what the last ones left behind.
    """
    keys = list(book.table.primary_key)
    wanted = [*_is_old(book), book.at >= after]
    if book.counted is not None:
        wanted.append(book.at < func.coalesce(select(book.counted.c.upto).scalar_subquery(), 0.0))
    rows = conn.execute(select(*keys, book.at).where(*wanted).order_by(book.at).limit(limit)).all()
    names: list[Any] = [row[0] if len(keys) == 1 else tuple(row)[:-1] for row in rows]
    return Due(names, rows[-1][-1] if rows else after)


def prune(conn: Connection, book: Book, limit: int, after: float = 0.0) -> Batch:
    """Deletes the oldest rows that are due, with what belongs to them; limit and after as in `due`."""
    found = due(conn, book, limit, after)
    if found.keys:
        delete_rows(conn, book, found.keys)
    return Batch(len(found.keys), found.upto)


def delete_rows(conn: Connection, book: Book, keys: Sequence[Any]) -> None:
    """Deletes rows of a book, after what belongs to them."""
    for table, these in reversed(book.named(keys).items()):
        conn.execute(delete(table).where(these))


def surplus_letters(conn: Connection, limit: int) -> list[str]:
    """Dead letters that somebody has dealt with, but the thousand latest of them."""
    dealt_with = select(dead_letters.c.id).where(dead_letters.c.resolved_at.is_not(None))
    older = dealt_with.order_by(dead_letters.c.resolved_at.desc()).offset(_LETTERS).limit(limit)
    return list(conn.execute(older).scalars())


def prune_letters(conn: Connection, limit: int) -> int:
    """Deletes surplus letters; the number of those deleted."""
    found = surplus_letters(conn, limit)
    if found:
        delete_rows(conn, BOOK_OF[dead_letters.name], found)
    return len(found)


def count_due(conn: Connection, book: Book, most: int) -> int:
    """How many rows of a book are due, `most` at most."""
    return len(due(conn, book, most).keys)


def lags(conn: Connection, books: Iterable[Book] = BOOKS) -> dict[str, float]:
    """By book: for how many seconds its oldest row should have been gone; 0.0 where none should."""
    found = {}
    for book in books:
        oldest = select(db_now() - book.at).where(*_is_old(book))
        age = conn.execute(oldest.order_by(book.at).limit(1)).scalar()
        found[book.name] = 0.0 if age is None else float(age) - book.seconds
    return found
