"""The months of what PostgreSQL keeps in parts: large tables divided, coming months made, past ones dropped.

Each step is a transaction of its own on a connection of its own, waits a moment for its lock and is tried again by the next
sweep: nobody stands in line behind it for long.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, Engine, text

from bmn.db.engine import is_passing, make_engine
from bmn.db.keeping import partitions
from bmn.db.keeping.retention import BOOKS, Book, past_months
from bmn.logs import get_logger

log = get_logger(__name__)

_LOCK_SECONDS = 2
_MONTHLY = tuple(book for book in BOOKS if book.monthly)
T = TypeVar("T")


def is_due(conn: Connection, *, archiving: bool) -> bool:
    """Whether there is anything to do. archiving: as in `retention.past_months`."""
    return any(
        partitions.is_to_be_divided(conn, book.table)
        or partitions.missing_months(conn, book.table)
        or (partitions.is_owner(conn, book.table) and past_months(conn, book, archiving=archiving))
        for book in _MONTHLY
    )


def run(url: str, *, archiving: bool) -> dict[str, int]:
    """Does what is due; how many months of each book were dropped. What is locked by others stays for the next time."""
    engine = make_engine(url, writer=True)
    dropped: Counter[str] = Counter()
    try:
        for book in _MONTHLY:
            try:
                dropped[f"months of {book.name}"] += _keep(engine, book, archiving)
            except Exception as error:
                if not is_passing(error):
                    raise
                log.info("months are left for the next sweep", book=book.name, reason=str(error))
    finally:
        engine.dispose()
    return dict(+dropped)


def _keep(engine: Engine, book: Book, archiving: bool) -> int:
    table = book.table
    if _do(engine, partial(partitions.is_to_be_divided, table=table)):
        for step in (partitions.take_back, partitions.promise, partitions.verify, partitions.divide):
            _do(engine, partial(step, table=table))
        log.info("a table is kept by the month from now on", book=book.name)
    for month in _do(engine, partial(partitions.missing_months, table=table)):
        _do(engine, partial(partitions.make_month, table=table, month=month))
    number = 0
    for part in _do(engine, partial(past_months, book=book, archiving=archiving)):
        number += _do(engine, partial(_drop, book=book, part=part, archiving=archiving))
    return number


def _drop(conn: Connection, book: Book, part: partitions.Part, archiving: bool) -> bool:
    """Looks once more when nobody can write to it: rows may have come back from the archive meanwhile."""
    partitions.close_part(conn, book.table, part)
    if part not in past_months(conn, book, archiving=archiving):
        return False
    partitions.drop_part(conn, part)
    return True


def _do(engine: Engine, step: Callable[[Connection], T]) -> T:
    with engine.begin() as conn:
        conn.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'"))
        conn.execute(text("SET LOCAL statement_timeout = 0"))  # a division reads a large table while others use it
        return step(conn)
