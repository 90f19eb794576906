"""What there is in the archive, and what is due to go there."""

from collections.abc import Sequence

from bmn.db.engine import Database
from bmn.db.keeping import retention
from bmn.schemas.base import when
from bmn.schemas.documents import ArchivedBook
from bmn.work.archive.archive_files import Archive, ArchiveFile

_MOST = 10_001


async def look(archive: Archive, db: Database) -> list[ArchivedBook]:
    """Each table that is archived, in the order in which they are."""
    files: dict[str, list[ArchiveFile]] = {}
    for file in await archive.list():
        files.setdefault(file.book, []).append(file)
    books = [book for book in retention.BOOKS if book.archived]
    due = await db.read(lambda conn: [retention.count_due(conn, book, _MOST) for book in books])
    return [_of(book.name, files.get(book.name, []), number) for book, number in zip(books, due, strict=True)]


def _of(book: str, files: Sequence[ArchiveFile], due: int) -> ArchivedBook:
    return ArchivedBook(
        book=book,
        files=len(files),
        rows=sum(file.rows for file in files),
        since=when(min(file.since for file in files)) if files else None,
        until=when(max(file.upto for file in files)) if files else None,
        due=due,
    )
