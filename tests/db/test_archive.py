"""What retention deletes is in the archive before it is gone, and comes back from there as it was, byte for byte."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, text, update

from bench.rows import Size, fill
from bmn.db.engine import Database
from bmn.db.keeping import archiving
from bmn.db.keeping.retention import BOOK_OF, BOOKS
from bmn.db.migrations import migrate
from bmn.db.sums import activity, spending
from bmn.db.tables import audit_log, credit_ledger, dead_letters, job_events, job_logs, jobs, kit_steps, kits
from bmn.errors import JobFailure, Misconfigured
from bmn.settings import Settings
from bmn.work.archive.archive_files import Archive, ArchiveFile, open_archive
from bmn.work.archive.archive_lines import pack, unpack
from bmn.work.archive.reading import WantedRows, forget, restore
from bmn.work.archive.writing import archive_letters
from bmn.work.pruning import sweep

_DAY = 86_400.0
_ODD = "Zażółć \u2028 \x85 \\u0041 \" 'new\nline' 🐙"
_ARCHIVED = [book for book in BOOKS if book.archived]


def _contents(conn: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that is archived, each value as the database spells and types it."""
    found = {}
    for book in _ARCHIVED:
        for table in book.tables:
            columns = ", ".join(
                f'CAST("{column.name}" AS text)' + (f', typeof("{column.name}")' if _is_sqlite(conn) else "")
                for column in table.columns
            )
            rows = conn.execute(text(f"SELECT {columns} FROM {table.name}"))
            found[table.name] = sorted(map(tuple, rows), key=repr)
    return found


def _is_sqlite(conn: Connection) -> bool:
    return conn.dialect.name == "sqlite"


def _odd_rows(conn: Connection) -> None:
    """Rows with whatever a column may hold, of the books that jobs do not fill."""
    at = conn.execute(select(jobs.c.completed_at).where(jobs.c.completed_at.is_not(None)).limit(1)).scalar_one()
    job = conn.execute(select(jobs.c.id).where(jobs.c.completed_at == at)).scalars().first()
    conn.execute(
        update(jobs).where(jobs.c.id == job).values(payload={"b": [1.5, 1e22, 10**20, None], "a": _ODD}, message=_ODD)
    )
    conn.execute(update(jobs).where(jobs.c.id == job).values(result=None))  # a document that is `null`
    spaced = '{ "spaced" :1.0, "b":[ ] }'
    odd = {"job_id": job, "seq": 9, "event": "odd", "at": at, "payload": spaced}
    document = ":payload" if _is_sqlite(conn) else "CAST(:payload AS jsonb)"
    conn.execute(
        text(
            f"INSERT INTO job_events (job_id, seq, event, payload, at) VALUES (:job_id, :seq, :event, {document}, :at)"
        ),
        odd,
    )
    conn.execute(insert(job_logs).values(job_id=job, level="info", message=_ODD, fields={"é": _ODD}, at=at + 0.1))
    conn.execute(insert(audit_log).values(actor="user-3", action="grant", subject="user-1", before={"n": 1}, at=at))
    kit = {"id": "kit", "user_id": "user-1", "brand_id": "brand-1", "state": "done", "step": "logos", "plan": {}}
    more = {"message": "", "credits_estimated": 0, "usd_estimated": 0.1, "credits_left": 0, "ended_at": at}
    conn.execute(insert(kits).values(**kit, **more))
    conn.execute(insert(kit_steps), [{"kit_id": "kit", "step": "logos"}, {"kit_id": "kit", "step": "pick"}])


def _make_old(conn: Connection) -> None:
    """Moves every book that is archived two years into the past; no dead letter is open."""
    conn.execute(update(dead_letters).values(state="purged", resolved_at=dead_letters.c.created_at))
    for book in _ARCHIVED:
        conn.execute(update(book.table).values({book.at.name: book.at - 730 * _DAY}))


@pytest.fixture
async def old(db: Database) -> Database:
    """A database in which everything that ended is due."""
    await db.write(lambda conn: fill(conn, Size(ended=120, waiting=5, users=6)))
    await db.write(_odd_rows)
    for roll_up in (activity.roll_up, spending.roll_up):
        while await db.write(roll_up):
            pass
    await db.write(_make_old)
    return db


@pytest.fixture
def archive(home: Path) -> Archive:
    return _opened(home)


def _opened(home: Path) -> Archive:
    opened = open_archive(Settings(bmn_home=home, bmn_archive_days=30))
    assert opened is not None
    return opened


async def _contents_of(db: Database) -> dict[str, list[tuple[Any, ...]]]:
    return await db.read(_contents)


async def test_what_was_archived_and_dropped_comes_back_byte_for_byte(old: Database, archive: Archive) -> None:
    before = await _contents_of(old)
    removed = await sweep(old, 60.0, archive)
    assert removed["jobs"] == 120
    assert removed["credit_ledger"] == 360
    assert {name for name, rows in (await _contents_of(old)).items() if rows} == {"jobs"}  # those that wait
    done = await restore(archive, old, WantedRows(), hold_seconds=0.0)
    assert (
        sum(done.rows.values()) == done.found == sum(removed[book.name] for book in _ARCHIVED if book.name in removed)
    )
    assert await _contents_of(old) == before
    again = await restore(archive, old, WantedRows(), hold_seconds=0.0)
    assert (sum(again.rows.values()), again.found, again.broken) == (0, done.found, [])
    assert await _contents_of(old) == before


async def test_a_file_of_another_database_is_queried_with_the_same_rows(
    old: Database, archive: Archive, tmp_path: Path
) -> None:
    def answer(conn: Connection) -> list[Any]:
        events = select(job_events.c.job_id, job_events.c.seq, job_events.c.payload, job_events.c.at)
        return sorted(conn.execute(events).all(), key=repr)

    before = await old.read(answer)
    await sweep(old, 60.0, archive)
    address = f"sqlite:///{tmp_path / 'other.sqlite3'}"
    migrate(address)
    other = Database(address)
    await other.start()
    await restore(archive, other, WantedRows(), hold_seconds=0.0)
    assert await other.read(answer) == before
    await other.close()


async def test_one_job_comes_back_with_what_belongs_to_it_and_stays(old: Database, archive: Archive) -> None:
    job_id = await old.read(lambda conn: conn.execute(select(jobs.c.id).where(jobs.c.message == _ODD)).scalar_one())
    before = await old.read(partial(_of_job, job_id=job_id))
    await sweep(old, 60.0, archive)
    assert not any(await old.read(partial(_of_job, job_id=job_id)))
    done = await restore(archive, old, WantedRows(job_id), hold_seconds=60.0)
    assert done.rows["jobs"] == 1
    assert await old.read(partial(_of_job, job_id=job_id)) == before
    await sweep(old, 60.0, archive)
    assert await old.read(partial(_of_job, job_id=job_id)) == before
    await old.write(lambda conn: conn.execute(text("DELETE FROM archive_holds")).rowcount)
    await sweep(old, 60.0, archive)
    assert not any(await old.read(partial(_of_job, job_id=job_id)))


def _of_job(conn: Connection, job_id: str) -> list[int]:
    """How many jobs, events, logs, ledger rows and calls it has."""
    tables = ("job_events", "job_units", "job_logs", "credit_ledger", "provider_calls")
    queries = [f"SELECT count(*) FROM {table} WHERE job_id = :job" for table in tables]
    queries.append("SELECT count(*) FROM jobs WHERE id = :job")
    return [int(conn.execute(text(query), {"job": job_id}).scalar_one()) for query in queries]


async def test_a_period_brings_back_its_rows_alone(old: Database, archive: Archive) -> None:
    ended = await old.read(
        lambda conn: sorted(conn.execute(select(jobs.c.completed_at).where(jobs.c.completed_at > 0)).scalars())
    )
    await sweep(old, 60.0, archive)
    since, upto = ended[30], ended[59]
    done = await restore(archive, old, WantedRows(since=since, upto=upto), hold_seconds=60.0)
    assert done.rows["jobs"] == 30
    left = await old.read(
        lambda conn: sorted(conn.execute(select(jobs.c.completed_at).where(jobs.c.completed_at > 0)).scalars())
    )
    assert left == ended[30:60]


@pytest.mark.full
async def test_a_number_that_another_row_has_by_now_becomes_a_new_one(old: Database, archive: Archive) -> None:
    first = await old.read(lambda conn: conn.execute(select(credit_ledger.c.id).limit(1)).scalar_one())
    await sweep(old, 60.0, archive)
    taken = {"id": first, "user_id": "somebody", "job_id": "else", "kind": "grant", "amount": 7}
    await old.write(lambda conn: conn.execute(insert(credit_ledger).values(**taken)).rowcount)
    await restore(archive, old, WantedRows(), hold_seconds=60.0)
    await restore(archive, old, WantedRows(), hold_seconds=60.0)
    rows = await old.read(lambda conn: conn.execute(select(credit_ledger.c.user_id)).scalars().all())
    assert (len(rows), list(rows).count("somebody")) == (361, 1)


async def test_what_changes_while_it_is_archived_is_not_deleted(old: Database, archive: Archive) -> None:
    taken = await old.read(partial(archiving.take, book=BOOK_OF["jobs"], limit=10, after=0.0))
    assert taken is not None
    changed = update(job_events).where(job_events.c.job_id == taken.keys[3], job_events.c.seq == 1)
    await old.write(lambda conn: conn.execute(changed.values(event="changed")).rowcount)
    before = await _contents_of(old)
    with pytest.raises(archiving.RowsChanged):
        await old.write(partial(archiving.remove, taken=taken))
    assert await _contents_of(old) == before
    await sweep(old, 60.0, archive)
    done = await restore(archive, old, WantedRows(), hold_seconds=0.0)
    assert done.rows["jobs"] == 120
    assert await _contents_of(old) == before


async def test_a_store_that_refuses_keeps_every_row(old: Database, archive: Archive, home: Path) -> None:
    before = await _contents_of(old)
    (home / "archive").rmdir()
    (home / "archive").write_text("no folder")
    with pytest.raises(JobFailure):
        await sweep(old, 60.0, archive)
    assert await _contents_of(old) == before


async def test_surplus_letters_are_archived_too(db: Database, archive: Archive) -> None:
    letter = {"queue": "q", "cause": "bug", "error": "e", "attempts": 3, "state": "purged", "created_at": 1.0}
    letters = [{"id": f"d{n}", "job_id": f"j{n}", "resolved_at": float(n), **letter} for n in range(1005)]
    await db.write(lambda conn: conn.execute(insert(dead_letters), letters).rowcount)
    before = await _contents_of(db)
    assert await archive_letters(db, archive, 100) == 5
    assert await archive_letters(db, archive, 100) == 0
    await restore(archive, db, WantedRows(), hold_seconds=0.0)
    assert await _contents_of(db) == before


@pytest.mark.full
async def test_a_user_is_taken_out_of_the_archive_and_nobody_else(old: Database, archive: Archive) -> None:
    others = await old.read(lambda conn: _ended_of(conn, theirs=False))
    assert await old.read(lambda conn: _ended_of(conn, theirs=True))
    await sweep(old, 60.0, archive)
    assert await forget(archive, "user-1") > 20
    assert await forget(archive, "user-1") == 0
    texts = [repr(list(unpack(await archive.read(file)))) for file in await archive.list()]
    assert not any("'user-1'" in each for each in texts)
    await restore(archive, old, WantedRows(), hold_seconds=0.0)
    assert await old.read(lambda conn: _ended_of(conn, theirs=True)) == []
    assert await old.read(lambda conn: _ended_of(conn, theirs=False)) == others


def _ended_of(conn: Connection, *, theirs: bool) -> list[str]:
    owner = jobs.c.user_id == "user-1" if theirs else jobs.c.user_id != "user-1"
    return sorted(conn.execute(select(jobs.c.id).where(jobs.c.completed_at > 0, owner)).scalars())


@pytest.mark.full
@pytest.mark.parametrize("point", ["storing", "archived"])
async def test_killed_in_the_middle_nothing_is_lost_and_nothing_comes_back_twice(
    old: Database, home: Path, point: str
) -> None:
    before = await _contents_of(old)
    code = """
import asyncio, sys
from bmn.db.engine import Database
from bmn.settings import Settings
from bmn.work.archive.archive_files import open_archive
from bmn.work.pruning import sweep

async def main():
    db = Database(sys.argv[1])
    await db.start()
    await sweep(db, 60.0, open_archive(Settings()))

asyncio.run(main())
"""
    env = {**os.environ, "BMN_ARCHIVE_DAYS": "30", "BMN_KILL_AT": f"{point}:2"}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, old.url, env=env)
    assert await process.wait() == -signal.SIGKILL
    archive = _opened(home)
    kept = await _contents_of(old)
    assert len(kept["jobs"]) < len(before["jobs"])  # the first batch is gone, and in the archive
    await sweep(old, 60.0, archive)
    await restore(archive, old, WantedRows(), hold_seconds=0.0)
    assert await _contents_of(old) == before


# --- files -------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def file(archive: Archive) -> AsyncIterator[ArchiveFile]:
    shape = archiving.shape_of("kit_steps")
    row = archiving.StoredRow("kit_steps", shape.columns, ("kit", "logos", 3.5))
    yield await archive.write("kits", pack("kit_steps", [(row,)], ascii_only=True), since=3.5, upto=3.5, rows=1)


async def test_a_file_is_found_by_its_times_and_known_by_its_bytes(archive: Archive, file: ArchiveFile) -> None:
    assert await archive.list() == [file]
    assert (file.since, file.upto, file.rows) == (3, 4, 1)
    assert ArchiveFile.of_key(file.key) == file
    assert [[row.values for row in group] for group in unpack(await archive.read(file))] == [[("kit", "logos", 3.5)]]


@pytest.mark.full
async def test_a_damaged_file_is_named_and_holds_up_no_other(
    old: Database, archive: Archive, home: Path, file: ArchiveFile
) -> None:
    (home / "archive" / file.key).write_bytes(b"torn")
    await sweep(old, 60.0, archive)
    done = await restore(archive, old, WantedRows(), hold_seconds=0.0)
    assert [key for key, _ in done.broken] == [file.key]
    assert done.rows["jobs"] == 120


async def test_a_file_goes_when_its_days_are_over(archive: Archive, file: ArchiveFile) -> None:
    data = await archive.read(file)
    await archive.write("kits", data, since=1.0, upto=2.0, rows=1, written=file.written - 31 * int(_DAY))
    assert await archive.drop_old() == 1
    assert await archive.list() == [file]


def test_a_bucket_that_anybody_reads_is_no_archive(home: Path) -> None:
    s3 = {"storage_backend": "s3", "s3_endpoint": "https://s3.example.org", "s3_access_key_id": "i"}
    more = {"s3_secret_access_key": "s", "public_base_url": "https://assets.example.org", "bmn_archive_days": 30}
    with pytest.raises(Misconfigured):
        open_archive(Settings.model_validate({"bmn_home": home, **s3, **more}))
    assert open_archive(Settings.model_validate({"bmn_home": home, **s3, **more, "bmn_archive_bucket": "private"}))
    assert open_archive(Settings(bmn_home=home)) is None
