"""How long the lines were is written down once a minute, whoever looks, and kept for as long as plots go back."""

import asyncio

from sqlalchemy import Connection, func, select, update

from bench.rows import Size, fill
from bmn.db.engine import Database
from bmn.db.sums import lines
from bmn.db.sums.rollup import DAY, HOUR, MINUTE
from bmn.db.tables import queue_samples


def _moved(conn: Connection, seconds: float) -> None:
    """As if every look had been so long ago."""
    conn.execute(update(queue_samples).values(bucket=queue_samples.c.bucket - seconds))


async def test_a_minute_is_looked_at_once_however_many_look(db: Database) -> None:
    await db.write(lambda conn: fill(conn, Size(ended=10, waiting=30, users=3)))
    assert sum(await asyncio.gather(*(db.write(lines.look) for _ in range(4)))) in (1, 2)  # a minute may end meanwhile
    for span in (MINUTE, HOUR, DAY):
        found = await db.read(lambda conn, span=span: lines.history(conn, span, 2 * DAY))  # type: ignore[misc]
        assert {(one.waiting, one.most_waiting) for one in found} == {(30.0, 30)}
        assert all(one.oldest > 0 for one in found)


async def test_an_hour_is_the_average_and_the_longest_of_its_minutes(db: Database) -> None:
    await db.write(lines.look)
    await db.write(
        lambda conn: conn.execute(update(queue_samples).values(bucket=queue_samples.c.bucket - MINUTE)).rowcount
    )
    await db.write(lambda conn: conn.execute(update(queue_samples).where(queue_samples.c.span > MINUTE).values(
        bucket=queue_samples.c.bucket + MINUTE)).rowcount)  # fmt: skip
    await db.write(lambda conn: fill(conn, Size(ended=1, waiting=10, users=3)))
    await db.write(lines.look)
    day = await db.read(lambda conn: lines.history(conn, DAY, 2 * DAY))
    assert sum(one.most_waiting for one in day) == 10
    assert day[-1].waiting in (5.0, 10.0)  # a day may end between the two


async def test_what_is_old_goes_and_the_sums_stay_longer(db: Database) -> None:
    await db.write(lines.look)
    kept = {MINUTE: 3 * DAY, HOUR: 36 * DAY, DAY: 401 * DAY}
    for span, seconds in kept.items():
        await db.write(lambda conn, seconds=seconds: _moved(conn, seconds))  # type: ignore[misc]
        assert await db.write(lines.delete_old) == 1, span
        await db.write(lambda conn, seconds=seconds: _moved(conn, -seconds))  # type: ignore[misc]
    assert await db.read(lambda conn: conn.execute(select(func.count()).select_from(queue_samples)).scalar_one()) == 0
