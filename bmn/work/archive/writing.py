"""Archives batches: read, written, and only then deleted. Interrupted anywhere, the next one begins again, and a batch that
is in two files comes back once.
"""

import asyncio
import time
from dataclasses import dataclass
from functools import partial

from bmn import failpoints
from bmn.db.engine import Database
from bmn.db.keeping import archiving
from bmn.db.keeping.archiving import RowsChanged, Taken
from bmn.db.keeping.retention import Book
from bmn.logs import get_logger
from bmn.work.archive.archive_files import Archive
from bmn.work.archive.archive_lines import pack

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of a batch. upto: where the next one begins. seconds: for how long others could not write meanwhile."""

    removed: int
    upto: float
    seconds: float = 0.0


async def archive_batch(db: Database, archive: Archive, book: Book, limit: int, after: float) -> Moved:
    """As `retention.prune`, but what it deletes is in the archive before.

    Raises JobFailure where the store does not take it; then nothing is deleted.
    """
    taken = await db.read(partial(archiving.take, book=book, limit=limit, after=after))
    return await _move(db, archive, taken) if taken else Moved(0, after)


async def archive_letters(db: Database, archive: Archive, limit: int) -> int:
    """As `retention.prune_letters`, archived before; raises as `archive_batch` does."""
    taken = await db.read(partial(archiving.take_letters, limit=limit))
    return (await _move(db, archive, taken)).removed if taken else 0


async def _move(db: Database, archive: Archive, taken: Taken) -> Moved:
    data = await asyncio.to_thread(partial(pack, taken.book.name, taken.groups, ascii_only=db.is_sqlite))
    await archive.write(taken.book.name, data, since=taken.since, upto=taken.upto, rows=len(taken.keys))
    failpoints.hit("archived")
    began = time.monotonic()
    try:
        await db.write(partial(archiving.remove, taken=taken))
    except RowsChanged:
        # Somebody wrote to them, or another process archived them as well: what is left is read again by the next sweep.
        log.info("rows changed while they were archived; they stay for now", book=taken.book.name, rows=len(taken.keys))
        return Moved(0, taken.upto)
    return Moved(len(taken.keys), taken.upto, time.monotonic() - began)
