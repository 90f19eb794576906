"""Ended jobs are counted once each, whoever counts, and what is read is exact at every moment."""

import asyncio

from sqlalchemy import Connection, func, select, update

from bench.rows import Size, fill
from bmn.db.engine import Database
from bmn.db.sums import activity
from bmn.db.tables import activity_mark, db_now, jobs

_SIZE = Size(ended=400, waiting=20, users=10, span=20 * 86_400.0)


def _by_hand(conn: Connection) -> dict[tuple[str, str, str], int]:
    cause = func.coalesce(jobs.c.cause, "")
    query = select(jobs.c.queue, jobs.c.state, cause, func.count()).where(jobs.c.completed_at.is_not(None))
    return {
        (queue, state, why): n
        for queue, state, why, n in conn.execute(query.group_by(jobs.c.queue, jobs.c.state, cause))
    }


async def _roll_up_all(db: Database) -> None:
    while await db.write(activity.roll_up):
        pass


async def test_counts_are_exact_before_during_and_after_an_old_table_is_rolled_up(db: Database) -> None:
    await db.write(lambda conn: fill(conn, _SIZE))
    expected = await db.read(_by_hand)
    assert await db.read(activity.outcomes) == expected
    assert await db.write(activity.roll_up)  # a week of three
    assert await db.read(activity.outcomes) == expected
    await _roll_up_all(db)
    assert await db.read(activity.outcomes) == expected


async def test_a_job_that_ends_now_is_counted_now(db: Database) -> None:
    await db.write(lambda conn: fill(conn, _SIZE))
    await _roll_up_all(db)
    ended = {"state": "completed", "completed_at": db_now(), "started_at": db_now()}
    await db.write(lambda conn: conn.execute(update(jobs).where(jobs.c.state == "queued").values(**ended)).rowcount)
    assert await db.read(activity.outcomes) == await db.read(_by_hand)


async def test_of_several_who_count_at_once_one_does(db: Database) -> None:
    await db.write(lambda conn: fill(conn, _SIZE))
    second = Database(db.url)
    await second.start()
    try:
        await asyncio.gather(*(_roll_up_all(each) for each in (db, second, db, second)))
    finally:
        await second.close()
    assert await db.read(activity.outcomes) == await db.read(_by_hand)


async def test_minutes_hours_and_days_add_up_to_the_same(db: Database) -> None:
    await db.write(lambda conn: fill(conn, _SIZE))
    await _roll_up_all(db)
    mark = await db.read(lambda conn: conn.execute(select(activity_mark.c.upto)).scalar_one())
    behind = await db.read(
        lambda conn: conn.execute(select(func.count()).where(jobs.c.completed_at < mark)).scalar_one()
    )
    for span in (activity.MINUTE, activity.HOUR, activity.DAY):
        found = await db.read(lambda conn, s=span: activity.history(conn, s, 30 * activity.DAY))
        assert sum(entry.jobs for entry in found) == behind
        assert [entry.bucket for entry in found] == sorted(entry.bucket for entry in found)


async def test_old_minutes_go_and_totals_stay(db: Database) -> None:
    await db.write(lambda conn: fill(conn, _SIZE))
    await _roll_up_all(db)
    expected = await db.read(_by_hand)
    assert await db.write(activity.delete_old) > 0
    minutes = await db.read(lambda conn: activity.history(conn, activity.MINUTE, 30 * activity.DAY))
    now = await db.read(lambda conn: conn.execute(select(db_now())).scalar_one())
    assert all(entry.bucket > now - 3 * activity.DAY for entry in minutes)
    assert await db.read(activity.outcomes) == expected
