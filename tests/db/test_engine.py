"""The writer: many small transactions, one commit, and nobody waits for ever."""

import asyncio
import fcntl
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import event, func, insert, select, text

from bmn.db import engine as engine_module
from bmn.db.engine import Connection, Database, IntegrityError, make_engine
from bmn.db.tables import agent_sessions, brands
from bmn.errors import TryLater
from tests.kit.processes import PATIENCE, eventually


def _add(conn: Connection, name: str) -> None:
    conn.execute(insert(brands).values(id=name, user_id="ana", name=name))


async def _names(db: Database) -> set[str]:
    return set(await db.read(lambda conn: list(conn.execute(select(brands.c.id)).scalars())))


async def test_a_write_is_committed_when_it_returns(db: Database) -> None:
    await db.write(lambda conn: _add(conn, "one"))
    assert await _names(db) == {"one"}


async def test_a_document_that_no_database_takes_whole_is_kept_cleaned_by_both(db: Database) -> None:
    """A NUL, half a character and an endless number, as a model may write them; PostgreSQL would end the transaction."""
    kept = [{"content": "a\0b\ud800c", "number": float("inf")}]
    values = {"id": "s", "user_id": "ana", "brand_id": "b", "step": "x", "messages": kept}
    await db.write(lambda conn: conn.execute(insert(agent_sessions).values(values)))
    found = await db.read(lambda conn: conn.execute(select(agent_sessions.c.messages)).scalar_one())
    assert found == [{"content": "ab\ufffdc", "number": None}]


async def test_transactions_that_wait_share_a_commit(db: Database) -> None:
    commits = []
    event.listen(db._writer, "commit", lambda conn: commits.append(1))
    await asyncio.gather(*(db.write(lambda conn, n=n: _add(conn, f"b{n}")) for n in range(200)))
    assert len(await _names(db)) == 200
    assert len(commits) < 100


async def test_one_that_fails_undoes_only_itself(db: Database) -> None:
    def broken(conn: Connection) -> None:
        _add(conn, "half")
        raise ValueError("no")

    outcomes = await asyncio.gather(
        db.write(lambda conn: _add(conn, "before")),
        db.write(broken),
        db.write(lambda conn: _add(conn, "before")),
        db.write(lambda conn: _add(conn, "after")),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), ValueError, IntegrityError, type(None)]
    assert await _names(db) == {"before", "after"}


async def test_a_caller_that_is_cancelled_does_not_undo_its_write(db: Database) -> None:
    task = asyncio.create_task(db.write(lambda conn: _add(conn, "kept")))
    await asyncio.sleep(0)
    task.cancel()

    async def there() -> bool:
        return await _names(db) == {"kept"}

    await eventually(there)


async def test_deadlocked_transactions_are_run_again(postgres_server: str, database_url: str) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite has one writer at a time, so nothing deadlocks")
    one, two = Database(database_url), Database(database_url)
    await one.start()
    await two.start()
    try:
        await one.write(lambda conn: (_add(conn, "a"), _add(conn, "b")))
        both = threading.Barrier(2, timeout=PATIENCE)
        met = {"one": False, "two": False}

        def cross(conn: Connection, me: str, first: str, second: str) -> None:
            conn.execute(text("update brands set vision = :me where id = :id"), {"me": me, "id": first})
            if not met[me]:
                met[me] = True
                both.wait()
            conn.execute(text("update brands set vision = :me where id = :id"), {"me": me, "id": second})

        await asyncio.gather(
            one.write(lambda conn: cross(conn, "one", "a", "b")), two.write(lambda conn: cross(conn, "two", "b", "a"))
        )
        rows = await one.read(lambda conn: list(conn.execute(select(brands.c.vision)).scalars()))
        assert len(set(rows)) == 1
    finally:
        await one.close()
        await two.close()


async def test_a_process_that_keeps_its_turn_does_not_stop_the_others(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not db._lock_file:
        pytest.skip("PostgreSQL orders its writers itself")
    monkeypatch.setattr(engine_module, "_TURN_SECONDS", 0.1)
    with db._lock_file.open("rb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        await db.write(lambda conn: _add(conn, "late"))
    await db.write(lambda conn: _add(conn, "next"))
    assert await _names(db) == {"late", "next"}


async def test_a_row_that_is_locked_for_long_gives_try_later(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    if db.is_sqlite:
        pytest.skip("SQLite locks no rows")
    monkeypatch.setattr(engine_module, "_BUSY_SECONDS", 1)
    await db.write(lambda conn: _add(conn, "row"))
    other = make_engine(db.url)
    with other.connect() as conn, conn.begin():
        conn.execute(text("update brands set name = 'x' where id = 'row'"))
        with pytest.raises(TryLater):
            await db.write(lambda conn: conn.execute(text("update brands set name = 'y' where id = 'row'")))
    other.dispose()
    await db.write(lambda conn: _add(conn, "next"))
    assert "next" in await _names(db)


async def test_sqlite_that_is_locked_by_another_program_gives_try_later(tmp_path: Path) -> None:
    from bmn.db.migrations import migrate

    url = f"sqlite:///{tmp_path / 'locked.sqlite3'}"
    migrate(url)
    db = Database(url)
    event.listen(db._writer, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout=100"))
    await db.start()
    holder = make_engine(url, writer=True)
    with holder.connect() as conn, conn.begin():
        with pytest.raises(TryLater):
            await db.write(lambda conn: _add(conn, "late"))
        assert await _names(db) == set()  # readers are not held up
    await db.write(lambda conn: _add(conn, "late"))
    holder.dispose()
    await db.close()


async def test_a_full_disk_is_told_as_that_and_not_fifty_times_a_second(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from bmn.db.migrations import migrate

    url = f"sqlite:///{tmp_path / 'full.sqlite3'}"
    migrate(url)
    db = Database(url)
    await db.start()
    full = make_engine(url, writer=True)
    event.listen(db._writer, "checkout", lambda raw, *_: raw.execute("PRAGMA max_page_count=1"))
    long = "x" * 100_000
    for number in range(50):
        with pytest.raises(TryLater, match="The disk of the database is full"):
            await db.write(lambda conn, n=number: _add(conn, f"{n}{long}"))  # type: ignore[misc]
    said = [record for record in caplog.records if "database away" in str(record.msg)]
    assert len(said) <= 1 + 50 // 10
    assert await _names(db) == set()  # what is there can be read
    await db.close()
    full.dispose()


async def test_the_writer_survives_what_it_did_not_expect(db: Database) -> None:
    if not db.is_sqlite:
        pytest.skip("the lock file is SQLite's")
    lock, db._lock_file, db._lock_handle = db._lock_file, Path("/nonexistent/lock"), None
    with pytest.raises(TryLater):
        await db.write(lambda conn: _add(conn, "lost"))
    db._lock_file = lock
    await db.write(lambda conn: _add(conn, "next"))
    assert await _names(db) == {"next"}


_MANY_WRITES = """
import asyncio, sys
from sqlalchemy import text
from bmn.db.engine import Database

ADD = text("update brands set details = json_set(details, '$.n', json_extract(details, '$.n') + 1)")

async def main():
    db = Database(sys.argv[1])
    await db.start()
    await asyncio.gather(*(db.write(lambda conn: conn.execute(ADD)) for _ in range(300)))
    await db.close()

asyncio.run(main())
"""


def _start_writers(url: str) -> list[subprocess.Popen[bytes]]:
    return [subprocess.Popen([sys.executable, "-c", _MANY_WRITES, url]) for _ in range(3)]


async def test_processes_that_write_at_once_lose_nothing(db: Database) -> None:
    if not db.is_sqlite:
        pytest.skip("the statement is SQLite's")
    row = {"id": "n", "user_id": "ana", "name": "n", "details": {"n": 0}}
    await db.write(lambda conn: conn.execute(insert(brands).values(row)))
    codes = [await asyncio.to_thread(process.wait, 60) for process in _start_writers(db.url)]
    assert codes == [0, 0, 0]
    assert await db.read(lambda conn: conn.execute(select(brands.c.details)).scalar_one()) == {"n": 900}


async def test_a_database_that_is_away_gives_try_later_and_heals(db: Database) -> None:
    if db.is_sqlite:
        pytest.skip("a file does not go away")
    await db.write(lambda conn: _add(conn, "one"))
    name = db.url.rsplit("/", 1)[1]
    admin = make_engine(db.url.rsplit("/", 1)[0] + "/postgres")
    kill = text("select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = :name")
    for _ in range(3):
        with admin.connect() as conn:
            conn.execute(kill, {"name": name})
        await asyncio.gather(*(db.write(lambda conn: conn.execute(select(func.now()))) for _ in range(5)))
        assert await _names(db) == {"one"}
    admin.dispose()


async def test_a_server_that_became_a_standby_is_left_for_the_primary(db: Database) -> None:
    """What its old connections say after a failover that did not close them; new ones find whoever may be written to."""
    if db.is_sqlite:
        pytest.skip("a file has no standby")
    harmless = text("DELETE FROM brands WHERE 1 = 0")

    async def refused() -> bool:
        try:
            await db.write(
                lambda conn: conn.execute(text("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")).close()
            )
            await db.write(lambda conn: conn.execute(harmless).close())
        except TryLater:
            return True
        return False

    await eventually(refused)
    for _ in range(5):
        await db.write(lambda conn: conn.execute(harmless).close())
