"""Deletes what is older than it is kept: a little by the sweeper every minute, what is left by the hourly cleanup.

Where there is an archive, what it is to hold goes there first, in batches that are worth a file.
"""

import asyncio
import time
from collections.abc import Sequence
from functools import partial

from bmn.db.engine import Database
from bmn.db.keeping import retention, upkeep
from bmn.db.keeping.retention import Book, Deletion
from bmn.jobs.core import Core
from bmn.logs import get_logger
from bmn.work.archive.archive_files import Archive, open_archive
from bmn.work.archive.writing import archive_batch

log = get_logger(__name__)

SWEEP_SECONDS = 2.0
_FIRST, _FIRST_ARCHIVED, _MOST = 100, 500, 2000  # rows in one transaction, and in one file
_SHORT_SECONDS, _LONG_SECONDS = 0.05, 0.1  # others wait for their turn to write meanwhile
_GATHER_SECONDS = 3600.0  # so late the sweeper lets rows get that the hourly cleanup archives together


class _Shelf:
    """One book during a sweep: where its last batch ended, and how many rows the next one takes."""

    def __init__(self, book: Book, archive: Archive | None) -> None:
        self._book = book
        self._archive = archive
        self._size = _FIRST if archive is None else _FIRST_ARCHIVED
        self._upto = 0.0
        self.removed = 0
        self.done = False
        self.failure: Exception | None = None

    async def prune(self, db: Database) -> None:
        """Deletes one batch. What goes wrong ends this book's sweep and nobody else's."""
        try:
            batch, took = await self._batch(db)
        except Exception as error:  # noqa: BLE001, told at the end of the sweep
            log.warning("old rows were not deleted", book=self._book.name, reason=str(error))
            self.failure, self.done = error, True
            return
        self.removed += batch.removed
        self._upto, self.done = batch.upto, batch.removed < self._size
        if took < _SHORT_SECONDS:
            self._size = min(2 * self._size, _MOST)
        elif took > _LONG_SECONDS:
            self._size = max(self._size // 2, 1)

    async def _batch(self, db: Database) -> tuple[Deletion, float]:
        """Deletes a batch; also for how many seconds that kept others from writing."""
        if self._archive is not None and self._book.archived:
            moved = await archive_batch(db, self._archive, self._book, self._size, self._upto)
            return Deletion(moved.removed, moved.upto), moved.seconds
        began = time.monotonic()
        batch = await db.write(partial(retention.prune, book=self._book, limit=self._size, after=self._upto))
        return batch, time.monotonic() - began


async def sweep(
    db: Database,
    budget: float,
    archive: Archive | None = None,
    *,
    gather: float = 0.0,
    books: Sequence[Book] = retention.BOOKS,
) -> dict[str, int]:
    """Deletes what is due, a batch of each book in turn, until nothing is or the budget is spent; rows by book.

    Months that PostgreSQL drops as a whole are counted as such. budget: seconds; each book gets one batch at least. gather:
    how late, in seconds, what goes into the archive may be without being touched. Raises what went wrong with a book, after
    the others had theirs.
    """
    until = time.monotonic() + budget
    archiving = archive is not None
    months, failure = await _keep_months(db, archiving)
    late = await db.read(partial(retention.lags, books=books, archiving=archiving))
    shelves = {
        book.name: _Shelf(book, archive)
        for book in books
        if late[book.name] > (gather if archive is not None and book.archived else 0.0)
    }
    while open_ones := [shelf for shelf in shelves.values() if not shelf.done]:
        for shelf in open_ones:
            await shelf.prune(db)
        if time.monotonic() >= until:
            break
    for problem in (failure, *(shelf.failure for shelf in shelves.values())):
        if problem is not None:
            raise problem
    return {**{name: shelf.removed for name, shelf in shelves.items()}, **months}


async def _keep_months(db: Database, archiving: bool) -> tuple[dict[str, int], Exception | None]:
    """Makes and drops what PostgreSQL keeps by the month: how many months of each book are gone, and what went wrong."""
    try:
        if db.is_sqlite or not await db.read(partial(upkeep.is_due, archiving=archiving)):
            return {}, None
        return await asyncio.to_thread(upkeep.run, db.url, archiving=archiving), None
    except Exception as error:  # noqa: BLE001, told at the end of the sweep
        log.warning("months were not kept up", reason=str(error))
        return {}, error


async def prune_a_little(core: Core) -> None:
    """The sweeper's share, every minute."""
    archive = open_archive(core.settings)
    removed = await sweep(core.db, SWEEP_SECONDS, archive, gather=_GATHER_SECONDS)
    if some := {name: rows for name, rows in removed.items() if rows}:
        log.debug("deleted what was due", **some)
