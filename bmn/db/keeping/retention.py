"""How long records are kept, and deleting what is older: book by book, a bounded number of rows at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal,
    not_,
    select,
    tuple_,
)

from bmn.db.keeping import partitions
from bmn.db.keeping.partitions import Part
from bmn.db.prepared import Prepared
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
Span = tuple[float, float]
"""Seconds since 1970, both included."""

_LETTERS = 1000
_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Book:
    """Rows of one table that are kept for so many seconds.

    at: by what they age; an index is in its order. only: which of them age at all. belonging: columns of other tables
    that name a row, and whose rows go with it. counted: the mark that has to pass a row first, or sums would lack it.
    archived: where there is an archive, its rows are written there before they are deleted. monthly: PostgreSQL keeps it in
    parts, of which those of a month are dropped as a whole.
    """

    at: Column[float]
    seconds: float
    only: tuple[ColumnElement[bool], ...] = ()
    belonging: tuple[Column[Any], ...] = ()
    counted: Table | None = None
    archived: bool = False
    monthly: bool = False

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

    def named(self, keys: Sequence[Any], span: Span | None = None) -> dict[Table, ColumnElement[bool]]:
        """By table: which rows these keys mean. A key is a value, or a tuple where the table's has several columns.

        span: the times of the oldest and the newest of them, so that no other month is looked at.
        """
        own = list(self.table.primary_key)
        row: ColumnElement[bool] = own[0].in_(keys) if len(own) == 1 else tuple_(*own).in_(keys)
        if self.monthly and span:
            row = and_(row, self.at.between(*span))
        return {self.table: row, **{column.table: column.in_(keys) for column in self.belonging}}


@dataclass(frozen=True, slots=True)
class Deletion:
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
    Book(provider_calls.c.at, 400 * _DAY, counted=spending_mark, archived=True, monthly=True),
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
    """What a batch is to remove. keys: of the book's rows, the oldest first. since: the time of the oldest. upto: of the
    newest, where the next batch begins.
    """

    keys: list[Any]
    since: float
    upto: float

    @property
    def span(self) -> Span:
        """From the oldest to the newest."""
        return self.since, self.upto


def is_held(book: Book, since: Any, upto: Any) -> ColumnElement[bool]:
    """Whether anything of these times is left alone, since it was brought back from the archive."""
    return exists().where(
        archive_holds.c.book == book.name,
        archive_holds.c.held_until > db_now(),
        archive_holds.c.since <= upto,
        archive_holds.c.upto >= since,
    )


def _is_old(book: Book, before: float) -> tuple[ColumnElement[bool], ...]:
    """Past its time, and not held."""
    by_row = () if before == _NEVER else (book.at < before,)
    return (book.at < db_now() - book.seconds, *by_row, not_(is_held(book, book.at, book.at)), *book.only)


def _by_row(conn: Connection, book: Book, archiving: bool) -> float:
    """Rows older than this are deleted one by one.

    Others go with their month, unless the archive takes them by row, or this role may not drop a month.
    """
    whole = book.monthly and not archiving and partitions.is_owner(conn, book.table)
    return partitions.first_month(conn, book.table) if whole else _NEVER


def is_counted(book: Book, upto: Any) -> tuple[ColumnElement[bool], ...]:
    """What has to hold for rows up to a time to be in the sums of the book."""
    if book.counted is None:
        return ()
    return (upto < func.coalesce(select(book.counted.c.upto).scalar_subquery(), 0.0),)


def due(conn: Connection, book: Book, limit: int, after: float = 0.0, *, archiving: bool = False) -> Due:
    """The oldest rows whose time is over, `limit` at most. It costs what it finds, however large the table is.

    after: where the batch before ended. Without it each one would walk again over what the last ones left behind.
    archiving: whether those of whole months count too, which are dropped together where there is no archive.
    """
    keys = list(book.table.primary_key)
    before = _by_row(conn, book, archiving)
    wanted = [*_is_old(book, before), book.at >= after, *is_counted(book, book.at)]
    rows = conn.execute(select(*keys, book.at).where(*wanted).order_by(book.at).limit(limit)).all()
    names: list[Any] = [row[0] if len(keys) == 1 else tuple(row)[:-1] for row in rows]
    return Due(names, rows[0][-1] if rows else after, rows[-1][-1] if rows else after)


def prune(conn: Connection, book: Book, limit: int, after: float = 0.0) -> Deletion:
    """Deletes the oldest rows that are due, with what belongs to them; limit and after as in `due`."""
    found = due(conn, book, limit, after)
    if found.keys:
        delete_rows(conn, book, found.keys, found.span)
    return Deletion(len(found.keys), found.upto)


def delete_rows(conn: Connection, book: Book, keys: Sequence[Any], span: Span | None = None) -> None:
    """Deletes rows of a book, after what belongs to them; span as in `Book.named`."""
    for table, these in reversed(book.named(keys, span).items()):
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
    """How many rows of a book are due to be archived, `most` at most."""
    return len(due(conn, book, most, archiving=True).keys)


def lags(conn: Connection, books: Iterable[Book] = BOOKS, *, archiving: bool = False) -> dict[str, float]:
    """By book: for how many seconds its oldest row should have been gone; 0.0 where none should. archiving: as in `due`."""
    found = {}
    for book in books:
        before = _by_row(conn, book, archiving)
        bounded = before != _NEVER
        row = _oldest(book.name, bounded).first(conn, {"before": before} if bounded else {})
        late = 0.0 if row is None else float(row[0]) - book.seconds
        found[book.name] = max([late, *_late_months(conn, book, archiving)])
    return found


@cache
def _oldest(name: str, bounded: bool) -> Prepared:
    """Of a book: the age of its oldest row that is due. Asked every few seconds by a service that does nothing else."""
    book = BOOK_OF[name]
    by_row = (book.at < bindparam("before", type_=book.at.type),) if bounded else ()
    return Prepared(select(db_now() - book.at).where(*_is_old(book, _NEVER), *by_row).order_by(book.at).limit(1))


def _late_months(conn: Connection, book: Book, archiving: bool) -> list[float]:
    """For how many seconds the months that can be dropped could have been."""
    if not book.monthly or not partitions.is_owner(conn, book.table):
        return []
    now = float(conn.execute(select(db_now())).scalar_one())
    return [now - book.seconds - part.upto for part in past_months(conn, book, archiving=archiving) if part.is_month]


def past_months(conn: Connection, book: Book, *, archiving: bool) -> list[Part]:
    """The parts of a monthly book that are to be dropped: all of their rows are past their time, counted and not held.

    archiving: only those that the archive has emptied.
    """
    now = float(conn.execute(select(db_now())).scalar_one())
    found = []
    for part in partitions.parts_of(conn, book.table) if book.monthly else ():
        if part.upto > now - book.seconds or (archiving and partitions.has_rows(conn, part)):
            break
        holds = (not_(is_held(book, part.since, part.upto)), *is_counted(book, literal(part.upto)))
        if conn.execute(select(*holds)).one() == (True,) * len(holds):
            found.append(part)
    return found
