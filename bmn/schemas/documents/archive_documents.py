"""What the commands of the archive print as JSON."""

from bmn.schemas.documents.document import Document, Time


class ArchivedBook(Document):
    """One table. files, rows: in the archive, without what belongs to a row. since, until: between which times they lie.

    due: rows that are to be archived and deleted, 10,001 at most.
    """

    book: str
    files: int
    rows: int
    since: Time | None
    until: Time | None
    due: int


class ArchiveReport(Document):
    """What there is. days: for how long files are kept; 0: nothing is archived.

    archived: rows that were archived and deleted just now, by table. forgotten: rows that were taken out of the archive.
    """

    days: int
    books: list[ArchivedBook]
    archived: dict[str, int]
    forgotten: int


class BrokenFile(Document):
    """A file that could not be read. name: its key in the store."""

    name: str
    reason: str


class RestoreReport(Document):
    """What was brought back. database: into which. found: rows in the archive that were meant. restored: those that were
    absent, by table. held_until: until when retention leaves them alone.
    """

    database: str
    files: int
    found: int
    restored: dict[str, int]
    held_until: Time
    broken: list[BrokenFile]
