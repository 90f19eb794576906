"""Brings rows back from the archive, and takes a user's out of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from bmn.db.engine import Connection, Database
from bmn.db.keeping import archiving
from bmn.db.keeping.archiving import Group, StoredRow
from bmn.db.keeping.retention import BOOK_OF
from bmn.errors import BmnError
from bmn.logs import get_logger
from bmn.work.archive.archive_files import Archive, ArchiveFile
from bmn.work.archive.archive_lines import pack, unpack

log = get_logger(__name__)

_OWNERS = ("user_id", "owner_id", "asked_by", "actor", "subject")
"""The columns in which a row of a book names whom it is about, or who did it."""


@dataclass(frozen=True, slots=True)
class WantedRows:
    """Which rows: those of a job, and what lies between two times, in seconds since 1970, both included."""

    job_id: str | None = None
    since: float | None = None
    upto: float | None = None

    def may_be_in(self, file: ArchiveFile) -> bool:
        """Whether a file's times leave room for what is wanted."""
        return (self.since is None or file.upto >= self.since) and (self.upto is None or file.since <= self.upto)

    def fits(self, row: StoredRow) -> bool:
        """Whether this row of a book is wanted."""
        book = BOOK_OF[row.table]
        at = float(row.get(book.at.name) or 0)
        if (self.since is not None and at < self.since) or (self.upto is not None and at > self.upto):
            return False
        return self.job_id is None or self.job_id in (row.get("job_id"), row.get("id") if row.table == "jobs" else None)


@dataclass(slots=True)
class Restored:
    """What came back. found: rows of books that were wanted. rows: those that were absent, by book. broken: files that
    could not be read, each with why.
    """

    files: int = 0
    found: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    broken: list[tuple[str, str]] = field(default_factory=list)


async def restore(archive: Archive, db: Database, wanted: WantedRows, *, hold_seconds: float) -> Restored:
    """Inserts what is wanted and absent. A file that cannot be read is left out and named.

    hold_seconds: for how long retention leaves it alone.
    """
    done = Restored()
    for file in await archive.list():
        if not wanted.may_be_in(file):
            continue
        groups = await _groups(archive, file, done)
        chosen = [group for group in groups if wanted.fits(group[0])]
        done.files += 1
        done.found += len(chosen)
        if chosen:
            put = await db.write(partial(_put_back, groups=chosen, seconds=hold_seconds))
            done.rows[file.book] = done.rows.get(file.book, 0) + put
    return done


async def forget(archive: Archive, user_id: str) -> int:
    """Takes every row that names a user out of the archive; returns how many rows of books that were.

    The file without them is written before the one with them goes: interrupted, it is begun again. Raises BmnError where a
    file cannot be read, since nobody knows whom it names.
    """
    gone = 0
    for file in await archive.list():
        groups = await asyncio.to_thread(_unpacked, await archive.read(file))
        left = [group for group in groups if not _names(group[0], user_id)]
        if len(left) == len(groups):
            continue
        if left:
            data = await asyncio.to_thread(partial(pack, file.book, left, ascii_only=True))
            await archive.write(file.book, data, since=file.since, upto=file.upto, rows=len(left), written=file.written)
        await archive.delete(file)
        gone += len(groups) - len(left)
    return gone


async def _groups(archive: Archive, file: ArchiveFile, done: Restored) -> list[Group]:
    try:
        return await asyncio.to_thread(_unpacked, await archive.read(file))
    except (BmnError, ValueError) as error:
        log.warning("a file of the archive cannot be read", key=file.key, reason=str(error))
        done.broken.append((file.key, str(error)))
        return []


def _unpacked(data: bytes) -> list[Group]:
    return list(unpack(data))


def _put_back(conn: Connection, groups: Sequence[Group], seconds: float) -> int:
    book = BOOK_OF[groups[0][0].table]
    put = archiving.put_back(conn, groups)
    times = [float(group[0].get(book.at.name) or 0) for group in groups]
    archiving.hold(conn, book.name, min(times), max(times), seconds)
    return put


def _names(row: StoredRow, user_id: str) -> bool:
    return any(row.get(column) == user_id for column in _OWNERS)
