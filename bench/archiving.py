"""How fast old rows go: `python -m bench.archiving`, deleted alone, and archived first, on SQLite and on PostgreSQL.

Each job has three events, a unit, three ledger rows and two calls. Prints jobs a second, the processor of this process for
each, bytes of the archive, and how long it takes to bring them back.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, text, update

from bench.rows import Size, fill
from bmn.db.engine import Database, make_engine
from bmn.db.migrations import migrate
from bmn.db.tables import activity_mark, dead_letters, jobs
from bmn.settings import Settings
from bmn.work.archive.archive_files import Archive, find_archive
from bmn.work.archive.reading import WantedRows, restore
from bmn.work.pruning import sweep
from tests.kit.postgres import running_postgres

_DAY = 86_400.0


def _make_old(conn: Connection) -> None:
    conn.execute(update(jobs).values(completed_at=jobs.c.completed_at - 60 * _DAY))
    conn.execute(update(dead_letters).values(state="purged"))
    conn.execute(activity_mark.insert().values(id=1, upto=4e9))


def _filled(url: str, number: int) -> str:
    migrate(url)
    engine = make_engine(url, writer=True)
    with engine.begin() as conn:
        fill(conn, Size(ended=number, waiting=10, users=100))
        _make_old(conn)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text("ANALYZE"))
    engine.dispose()
    return url


@contextmanager
def _addresses(folder: Path, number: int) -> Iterator[list[tuple[str, bool, str]]]:
    """Kind, whether its rows are archived, address."""
    with running_postgres(folder / "server") as server:
        admin = make_engine(f"{server}/postgres", writer=True)
        found = []
        with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            for archived in (False, True):
                name = f"old_{archived}".lower()
                conn.execute(text(f"CREATE DATABASE {name}"))
                found.append(("SQLite", archived, _filled(f"sqlite:///{folder / name}.sqlite3", number)))
                found.append(("PostgreSQL", archived, _filled(f"{server}/{name}", number)))
        admin.dispose()
        yield sorted(found)


async def _swept(kind: str, address: str, archive: Archive | None) -> None:
    db = Database(address)
    await db.start()
    began, used = time.monotonic(), time.process_time()
    removed = (await sweep(db, float("inf"), archive))["jobs"]
    took, used = time.monotonic() - began, time.process_time() - used
    how = "archived and deleted" if archive else "deleted"
    print(
        f"{kind:12}{how:22}{removed / took:8,.0f} jobs/s  {used * 1000 / removed:.2f} ms of processor each", flush=True
    )
    if archive is not None:
        began = time.monotonic()
        done = await restore(archive, db, WantedRows(), hold_seconds=60.0)
        print(f"{kind:12}{'brought back':22}{done.rows['jobs'] / (time.monotonic() - began):8,.0f} jobs/s", flush=True)
    await db.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=20_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "server").mkdir()
        with _addresses(Path(place), options.jobs) as addresses:
            for kind, archived, address in addresses:
                home = Path(place) / f"{kind}-{archived}"
                archive = find_archive(Settings(bmn_home=home, bmn_archive_days=1)) if archived else None
                asyncio.run(_swept(kind, address, archive))
                if archived:
                    files = [file.stat().st_size for file in home.rglob("*.zst")]
                    print(f"{kind:12}{len(files)} files, {sum(files) / options.jobs:.0f} bytes a job")


if __name__ == "__main__":
    main()
