"""Calls of providers by the month, on PostgreSQL: divided where rows are, made ahead, dropped whole, and nobody notices."""

from collections.abc import Collection
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from bmn.db.engine import Database
from bmn.db.keeping import partitions, retention, upkeep
from bmn.db.keeping.retention import BOOK_OF
from bmn.db.migrations import migrate
from bmn.db.tables import audit_log, db_now, provider_calls, spending_mark
from bmn.settings import Settings
from bmn.work.archive.archive_files import open_archive
from bmn.work.archive.reading import WantedRows, restore
from bmn.work.pruning import sweep
from tests.kit.parts import divide_long_ago, month_ago
from tests.kit.releases import as_of

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

_DAY = 86_400.0
_BOOK = BOOK_OF["provider_calls"]
_WHOLE = "0030"


def _add(conn: Connection, *ages: float) -> None:
    """A call for each age in seconds."""
    row = {"provider": "bfl", "operation": "submit", "outcome": "ok", "job_id": "j"}
    for age in ages:
        conn.execute(insert(provider_calls).values(**row, at=db_now() - age))


def _ages(conn: Connection) -> list[int]:
    """In days, the oldest first."""
    query = select((db_now() - provider_calls.c.at) / _DAY).order_by(provider_calls.c.at)
    return [round(age) for age in conn.execute(query).scalars()]


def _names(conn: Connection) -> list[str]:
    return [part.name for part in partitions.parts_of(conn, provider_calls)]


def _indexes(conn: Connection) -> set[str]:
    query = "SELECT indexname FROM pg_indexes WHERE tablename = 'provider_calls' AND indexname NOT LIKE '%pkey'"
    return set(conn.execute(text(query)).scalars())


async def test_a_table_with_rows_is_divided_and_no_statement_notices(db: Database, database_url: str) -> None:
    as_of(database_url, _WHOLE)
    await db.write(partial(_add_ages, ages=(500, 40, 1, 0)))
    before = await db.read(lambda conn: conn.execute(select(provider_calls).order_by(provider_calls.c.id)).all())
    assert migrate(database_url)[0] == "0031"
    after = await db.read(lambda conn: conn.execute(select(provider_calls).order_by(provider_calls.c.id)).all())
    assert after == before
    assert await db.read(_indexes) == {index.name for index in provider_calls.indexes}
    first, *months = await db.read(_names)
    assert first == "provider_calls_before" and len(months) in (1, 2)
    await db.write(partial(_add_ages, ages=(0,)))
    newest = await db.read(lambda conn: conn.execute(select(func.max(provider_calls.c.id))).scalar_one())
    assert newest == before[-1].id + 1
    as_of(database_url, _WHOLE)
    assert await db.read(_ages) == [500, 40, 1, 0, 0]
    assert await db.read(_indexes) == {index.name for index in provider_calls.indexes}


def _add_ages(conn: Connection, ages: Collection[float]) -> None:
    _add(conn, *(age * _DAY for age in ages))


async def test_a_large_table_is_divided_in_steps_that_may_be_interrupted(db: Database, database_url: str) -> None:
    as_of(database_url, _WHOLE)
    await db.write(partial(_add_ages, ages=(500, 40, 0)))
    await db.write(
        lambda conn: (
            conn.execute(text("CREATE ROLE reader_of_calls; GRANT SELECT ON provider_calls TO PUBLIC")).rowcount
        )
    )
    await db.write(partial(partitions.promise, table=provider_calls))
    await db.write(partial(_add_ages, ages=(0,)))
    assert await db.read(partial(upkeep.is_due, archiving=False))
    upkeep.run(database_url, archiving=False)
    assert not await db.read(partial(upkeep.is_due, archiving=False))
    assert await db.read(_ages) == [500, 40, 0, 0]
    rights = text("SELECT has_table_privilege('reader_of_calls', 'provider_calls', 'SELECT')")
    assert await db.read(lambda conn: conn.execute(rights).scalar_one())
    rules = text("SELECT count(*) FROM pg_constraint WHERE conname = 'provider_calls_before_months'")
    assert await db.read(lambda conn: conn.execute(rules).scalar_one()) == 0
    await db.write(lambda conn: conn.execute(text("DROP ROLE reader_of_calls")).rowcount)


async def test_a_promise_whose_month_is_near_is_taken_back(db: Database, database_url: str) -> None:
    """Of a division that was interrupted long ago: it must never refuse a row."""
    as_of(database_url, _WHOLE)
    near = "DO $$ BEGIN EXECUTE format('ALTER TABLE provider_calls ADD CONSTRAINT provider_calls_before_months"
    near += " CHECK (at < %s)', extract(epoch from now()) + 1000); END $$"
    await db.write(lambda conn: conn.execute(text(near)).rowcount)
    upkeep.run(database_url, archiving=False)
    await db.write(partial(_add, *()))
    await db.write(partial(_add_ages, ages=(-0.5,)))
    assert await db.read(_ages) == [0]


async def test_a_past_month_is_dropped_whole_and_no_row_of_another_goes(db: Database) -> None:
    await db.write(divide_long_ago)
    await db.write(partial(_add_ages, ages=(700, 550, 460, 410, 399, 100, 0)))
    await db.write(lambda conn: conn.execute(text("DELETE FROM spending_mark")).rowcount)
    assert "months of provider_calls" not in await sweep(db, 5.0)  # nothing goes before it is in the sums
    await db.write(lambda conn: conn.execute(insert(spending_mark).values(id=1, upto=db_now())).rowcount)
    removed = await sweep(db, 5.0)
    assert removed["months of provider_calls"] in (6, 7, 8)
    left = await db.read(_ages)
    assert left[-3:] == [399, 100, 0]  # of the month that is not over yet nothing has gone
    assert left[:-3] in ([], [410])
    assert "provider_calls_before" not in await db.read(_names)
    assert (await db.read(retention.lags))["provider_calls"] == 0.0
    names = await db.read(_names)
    assert names[-1] > (await db.read(partial(month_ago, number=0))).name


async def test_with_an_archive_a_month_goes_once_its_rows_have_and_they_come_back(db: Database, home: Path) -> None:
    archive = open_archive(Settings(bmn_home=home, bmn_archive_days=30))
    assert archive
    await db.write(divide_long_ago)
    await db.write(partial(_add_ages, ages=(460, 459, 100)))
    assert await db.read(partial(retention.past_months, book=_BOOK, archiving=False))
    removed = await sweep(db, 60.0, archive)
    assert removed["provider_calls"] == 2
    await sweep(db, 60.0, archive)
    assert await db.read(_ages) == [100]
    first = (await db.read(lambda conn: partitions.parts_of(conn, provider_calls)))[0]
    assert first.upto > await db.read(lambda conn: conn.execute(select(db_now())).scalar_one()) - _BOOK.seconds
    await restore(archive, db, WantedRows("j"), hold_seconds=3600.0)
    assert await db.read(_ages) == [460, 459, 100]
    await sweep(db, 60.0, archive)
    assert await db.read(_ages) == [460, 459, 100]
    await db.write(lambda conn: conn.execute(text("DELETE FROM archive_holds")).rowcount)
    assert (await sweep(db, 60.0))["provider_calls"] == 2  # row by row: their months are gone
    assert await db.read(_ages) == [100]


async def test_what_was_brought_back_keeps_its_month(db: Database) -> None:
    await db.write(divide_long_ago)
    await db.write(partial(_add_ages, ages=(560,)))
    hold = "INSERT INTO archive_holds (book, since, upto, held_until) SELECT 'provider_calls', at, at,"
    await db.write(
        lambda conn: conn.execute(text(f"{hold} extract(epoch from now()) + 60 FROM provider_calls")).rowcount
    )
    await sweep(db, 5.0)
    assert await db.read(_ages) == [560]


async def test_a_month_that_nobody_made_is_kept_with_the_others_and_refuses_nothing(db: Database) -> None:
    await db.write(divide_long_ago)
    now = await db.read(lambda conn: conn.execute(select(func.max(db_now()))).scalar_one())
    await db.write(partial(_add_ages, ages=(-200,)))
    await sweep(db, 5.0)
    assert await db.read(_ages) == [-200]
    assert (await db.read(lambda conn: partitions.parts_of(conn, provider_calls)))[-1].since > now


async def test_rows_of_a_clock_that_was_ahead_move_into_their_month(db: Database) -> None:
    await db.write(divide_long_ago)
    last = (await db.read(lambda conn: partitions.parts_of(conn, provider_calls)))[-1]
    now = await db.read(lambda conn: conn.execute(select(db_now())).scalar_one())
    await db.write(lambda conn: conn.execute(text(f"DROP TABLE {last.name}")).rowcount)
    await db.write(partial(_add_ages, ages=(-(last.since + _DAY - now) / _DAY,)))
    await sweep(db, 5.0)
    assert (await db.read(lambda conn: partitions.parts_of(conn, provider_calls)))[-1] == last
    assert await db.read(partial(partitions.has_rows, part=last))


async def test_what_is_wrong_with_months_holds_up_no_book(db: Database) -> None:
    await db.write(divide_long_ago)
    last = (await db.read(lambda conn: partitions.parts_of(conn, provider_calls)))[-1]
    await db.write(lambda conn: conn.execute(text(f"ALTER TABLE provider_calls DETACH PARTITION {last.name}")).rowcount)
    await db.write(
        lambda conn: conn.execute(insert(audit_log).values(actor="a", action="b", subject="c", at=1.0)).rowcount
    )
    with pytest.raises(DBAPIError, match="already exists"):
        await sweep(db, 5.0)
    assert (await db.read(retention.lags))["audit_log"] == 0.0


async def test_who_does_not_own_the_table_sweeps_it_row_by_row(db: Database, database_url: str) -> None:
    name = "calls_writer"
    for statement in (
        f"CREATE ROLE {name} LOGIN",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}",
    ):
        await db.write(lambda conn, each=statement: conn.execute(text(each)).rowcount)  # type: ignore[misc]
    await db.write(divide_long_ago)
    await db.write(partial(_add_ages, ages=(560,)))
    other = Database(database_url.replace("postgres@", f"{name}@"))
    await other.start()
    try:
        await other.write(partial(_add_ages, ages=(0,)))
        names = await db.read(_names)
        assert (await other.read(retention.lags))["provider_calls"] == pytest.approx(160 * _DAY, abs=60)
        assert (await sweep(other, 5.0))["provider_calls"] == 1
        assert await db.read(_ages) == [0]
        assert await db.read(_names) == names
    finally:
        await other.close()
        await db.write(lambda conn: conn.execute(text(f"DROP OWNED BY {name}; DROP ROLE {name}")).rowcount)


async def test_a_month_that_somebody_reads_is_left_for_the_next_sweep(db: Database, database_url: str) -> None:
    await db.write(divide_long_ago)
    await db.write(partial(_add_ages, ages=(560,)))
    reader = create_engine(database_url)
    with reader.begin() as conn:
        conn.execute(select(provider_calls)).all()
        await sweep(db, 5.0)
        assert await db.read(_ages) == [560]
        assert (await db.read(retention.lags))["provider_calls"] > 100 * _DAY
    reader.dispose()
    await sweep(db, 5.0)
    assert await db.read(_ages) == []


def test_errors_that_do_not_pass_are_not_swallowed(database_url: str) -> None:
    as_of(database_url, _WHOLE)
    engine = create_engine(database_url)
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE provider_calls_before (id int)"))
    engine.dispose()
    with pytest.raises(DBAPIError):
        upkeep.run(database_url, archiving=False)
