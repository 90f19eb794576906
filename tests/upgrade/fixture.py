"""A home that the release before has filled, as a file: what a test of the takeover starts from.

`python -m tests.upgrade.fixture --old CHECKOUT` fills it again; that is due once a release is out.
"""

import argparse
import tarfile
import tempfile
import time
from pathlib import Path

from sqlalchemy import Double, MetaData, create_engine, func, select, text, update

from tests.kit.processes import free_port
from tests.upgrade.fill import Filled, fill_with_ended, fill_with_unfinished, serving_for_unfinished
from tests.upgrade.rehearse import command_of
from tests.upgrade.release import Release

ARCHIVE = Path(__file__).with_name("left_by_the_release_before.tar.xz")
_LONG_AGO = 300.0  # seconds between the end of the old release and now: every lease has ended, every retry is due


def make(old_bmn: Path, archive: Path) -> None:
    """Fills a home, cuts the power, and packs what is left."""
    with tempfile.TemporaryDirectory(prefix="bmn-upgrade-") as name:
        home = Path(name) / "home"
        home.mkdir()
        old = Release(old_bmn, home, free_port())
        filled = fill_with_ended(old)
        with serving_for_unfinished(old) as server:
            fill_with_unfinished(old, filled)
            server.kill()
        filled.forget_what_expires()
        filled.save(home / "filled.json")
        with tarfile.open(archive, "w:xz") as packed:
            for path in sorted(home.rglob("*")):
                if path.is_file() and path.suffix not in (".lock", ".log", ".sock"):
                    packed.add(path, path.relative_to(home))


def unpack(home: Path) -> Filled:
    """The home, as if the old release had ended a moment ago."""
    with tarfile.open(ARCHIVE) as packed:
        packed.extractall(home, filter="data")
    _move_to_now(f"sqlite:///{home / 'bmn.sqlite3'}")
    return Filled.load(home / "filled.json")


def _move_to_now(url: str) -> None:
    """Moves every time of every row by the age of the archive; nothing would be due, or everything expired, else."""
    engine, tables = create_engine(url), MetaData()
    tables.reflect(engine)
    with engine.begin() as conn:
        newest = conn.execute(select(func.max(tables.tables["job_events"].c.at))).scalar_one()
        age = time.time() - _LONG_AGO - newest
        for table in tables.tables.values():
            times = {column.name: column + age for column in table.columns if isinstance(column.type, Double)}
            if times:
                conn.execute(update(table).values(times))
    engine.dispose()


def copy_to_postgresql(source: str, target: str) -> None:
    """Every row, into tables of the same revision that are there already and empty."""
    old, new, tables = create_engine(source), create_engine(target), MetaData()
    tables.reflect(new)
    with old.connect() as reader, new.begin() as writer:
        for table in tables.sorted_tables:
            if table.name == "alembic_version":
                continue
            writer.execute(table.delete())  # what the migration itself has put there
            if rows := [dict(row) for row in reader.execute(select(table)).mappings()]:
                writer.execute(table.insert(), rows)
            if table.primary_key.columns.keys() == ["id"] and table.columns["id"].autoincrement is True:
                sequence = text(
                    "SELECT setval(pg_get_serial_sequence(:name, 'id'), (SELECT max(id) FROM " + table.name + "))"
                )
                writer.execute(sequence, {"name": table.name})
    old.dispose()
    new.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.upgrade.fixture", description=__doc__)
    parser.add_argument("--old", type=Path, required=True, help="a checkout of the release before")
    make(command_of(parser.parse_args().old.resolve()), ARCHIVE)
    print(f"{ARCHIVE.name}: {ARCHIVE.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main()
