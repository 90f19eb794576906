"""`bmn db`: the database's shape, and the archive of what is deleted there."""

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bmn.cli.base import examples, group, run
from bmn.cli.lookup.selection import Since, Until
from bmn.cli.terminal import exit_codes
from bmn.cli.terminal.cells import Cell, Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.params import DryRun, span
from bmn.errors import Misconfigured, NotFound, UsageProblem
from bmn.format import count, counted
from bmn.schemas.documents import ArchivedBook, ArchiveReport, BrokenFile, RestoreReport
from bmn.settings import Settings, load_settings

if TYPE_CHECKING:
    from bmn.db.engine import Database
    from bmn.work.archive.reading import Restored

_LOOKED_AT = 10_000  # rows that are due are counted so far
_COLUMNS = (
    Column("TABLE", flexible=True),
    Column("FILES", right=True),
    Column("ROWS", right=True),
    Column("SINCE", drop=2),
    Column("UNTIL", drop=1),
    Column("DUE", right=True),
)

app = group(
    "The database's shape, and the archive of what is deleted there.",
    "bmn db upgrade",
    "bmn db archive --dry-run",
    "bmn db restore --since 60d --until 30d --into old.sqlite3",
)


@app.command(cls=examples("bmn db upgrade", "DATABASE_URL=postgresql://… bmn db upgrade"))
def upgrade() -> None:
    """Brings the database to this release. Safe to run twice; `bmn serve` does it by itself on SQLite."""
    from bmn.db.migrations import migrate
    from bmn.redaction import redact

    settings = _settings()
    settings.bmn_home.mkdir(parents=True, exist_ok=True, mode=0o700)
    applied = migrate(settings.database_address)
    where = redact(settings.database_address)
    if console.json:
        console.document({"database": where, "applied": applied})
        return
    console.answer(f"✓ {where}: " + (f"applied {', '.join(applied)}" if applied else "was up to date"))
    console.next_step("bmn serve", "bmn doctor")


@app.command(
    cls=examples("bmn db archive --dry-run", "BMN_ARCHIVE_DAYS=400 bmn db archive", "bmn db archive --forget USER")
)
def archive(
    dry_run: DryRun = False,
    forget: Annotated[
        str | None,
        typer.Option(metavar="USER", help="Instead: take every row that names this user out of the archive."),
    ] = None,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False,
) -> int:
    """Archives and deletes what is due; lists what there is. Workers do the same every hour."""
    from bmn.work.archive.archive_files import find_archive

    settings = _settings()
    store = find_archive(settings)
    if forget and dry_run:
        raise UsageProblem("--forget and --dry-run do not go together.")
    if not (dry_run or forget or settings.bmn_archive_days):
        raise Misconfigured(
            "BMN_ARCHIVE_DAYS is 0: nothing is archived.",
            hint="Set the days that files are kept, such as 400. --dry-run lists what is due.",
        )
    if forget and not (yes or console.confirm(f"Take every row of {forget} out of the archive, for good?")):
        return exit_codes.DONE

    async def act() -> ArchiveReport:
        from bmn.work import pruning
        from bmn.work.archive.archive_report import look
        from bmn.work.archive.reading import forget as forget_user

        async with _opened(settings.database_address) as db:
            done = {} if dry_run or forget else await pruning.sweep(db, float("inf"), store)
            gone = await forget_user(store, forget) if forget else 0
            books = await look(store, db)
        archived = {book.book: done[book.book] for book in books if done.get(book.book)}
        return ArchiveReport(days=settings.bmn_archive_days, books=books, archived=archived, forgotten=gone)

    report = run(act())
    if console.json:
        console.document(report)
        return exit_codes.DONE
    console.table(_COLUMNS, [_row(book) for book in report.books])
    if forget:
        console.answer(f"✓ {count(report.forgotten, 'row')} of {forget} taken out of the archive")
    elif not dry_run:
        done = ", ".join(f"{number} of {book}" for book, number in report.archived.items())
        console.answer(f"✓ archived and deleted: {done}" if done else "Nothing was due.")
    if any(book.files for book in report.books):
        console.next_step("bmn db restore JOB")
    return exit_codes.DONE


@app.command(
    cls=examples(
        "bmn db restore JOB --for 2d",
        "bmn db restore --since 60d --until 30d --into old.sqlite3",
        "bmn db restore --since 2026-01-01 --into postgresql://…",
    )
)
def restore(
    job: Annotated[str | None, typer.Argument(metavar="JOB", help="The whole id of a job.", show_default=False)] = None,
    since: Since = None,
    until: Until = None,
    into: Annotated[
        str | None,
        typer.Option(metavar="FILE|URL", help="Into this SQLite file, which is made, or this database; not into ours."),
    ] = None,
    held: Annotated[
        float, typer.Option("--for", parser=span, metavar="SPAN", help="Retention leaves it alone for so long.")
    ] = "7d",  # type: ignore[assignment]
) -> int:
    """Brings archived rows back where they are absent. Of a job, or of what ended between two times."""
    from bmn.work.archive.archive_files import find_archive
    from bmn.work.archive.reading import WantedRows
    from bmn.work.archive.reading import restore as bring_back

    if job is None and since is None and until is None:
        raise UsageProblem("Which rows?", hint="Name a job, or a period with --since and --until.")
    settings, now = _settings(), time.time()
    store, address = find_archive(settings), _target(settings, into)
    wanted = WantedRows(job, None if since is None else now - since, None if until is None else now - until)

    async def act() -> "Restored":
        async with _opened(address) as db:
            return await bring_back(store, db, wanted, hold_seconds=held)

    return _tell_restored(run(act()), address, now + held, into=into is not None)


def _tell_restored(done: "Restored", address: str, held_until: float, *, into: bool) -> int:
    from bmn.redaction import redact
    from bmn.schemas.base import when

    report = RestoreReport(
        database=redact(address),
        files=done.files,
        found=done.found,
        restored=done.rows,
        held_until=when(held_until),
        broken=[BrokenFile(name=name, reason=reason) for name, reason in done.broken],
    )
    for each in report.broken:
        console.tell(f"✗ {each.name}: {each.reason}")
    if not report.found:
        raise NotFound(
            "The archive has no such rows.", hint="`bmn db archive --dry-run` says what it has, and of which times."
        )
    if console.json:
        console.document(report)
    else:
        rows = ", ".join(f"{number} of {book}" for book, number in report.restored.items() if number)
        console.answer(
            (f"✓ restored {rows}" if rows else "✓ They were all there.") + (f": {report.database}" if into else "")
        )
        console.next_step("bmn jobs show JOB")
    return exit_codes.PARTIAL if report.broken else exit_codes.DONE


def _settings() -> Settings:
    from bmn import logs

    os.umask(0o077)
    settings = load_settings()
    logs.configure("warning", settings.bmn_log_format)
    return settings


def _target(settings: Settings, into: str | None) -> str:
    """The address of the database to restore into; another one than ours is made, or brought to this release."""
    from bmn.db.migrations import migrate

    if into is None:
        return settings.database_address
    path = f"sqlite:///{Path(into).expanduser().resolve()}"
    address = load_settings(database_url=into).database_address if "://" in into else path
    migrate(address)
    return address


@asynccontextmanager
async def _opened(address: str) -> "AsyncIterator[Database]":
    from bmn.db.engine import Database
    from bmn.db.migrations import pending_migrations

    if pending_migrations(address):
        raise Misconfigured("The database is not at this release.", hint="Run: bmn db upgrade")
    db = Database(address)
    try:
        await db.start()
        yield db
    finally:
        await db.close()


def _row(book: ArchivedBook) -> tuple[Cell, ...]:
    due = counted(min(book.due, _LOOKED_AT), exact=book.due <= _LOOKED_AT)
    return (
        book.book.replace("_", " "),
        str(book.files),
        str(book.rows),
        (book.since or "")[:10],
        (book.until or "")[:10],
        due,
    )
