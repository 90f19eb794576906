"""What calls cost is added up once each, whoever adds, and what is read is exact at every moment."""

import asyncio
from typing import get_args

import pytest
from sqlalchemy import Connection, delete, func, insert, select, update

from bench.rows import Size, fill
from bmn.db.engine import Database
from bmn.db.records import Cost
from bmn.db.sums import spending
from bmn.db.sums.rollup import DAY, HOUR
from bmn.db.tables import db_now, jobs, provider_calls, provider_spending, spending_mark

_SIZE = Size(ended=300, waiting=0, users=7, span=50 * DAY)
_ADDED = provider_calls.c.at < select(spending_mark.c.upto).scalar_subquery()
_KINDS = get_args(spending.CostsBy)


def _by_hand(conn: Connection, by: spending.CostsBy, since: float | None) -> list[Cost]:
    """The same question asked of the calls alone: without a mark every one is read."""
    with conn.begin_nested() as undone:
        conn.execute(delete(spending_mark))
        found = spending.costs(conn, by, since=since)
        undone.rollback()
    return found


async def _add_up(db: Database) -> None:
    while await db.write(spending.roll_up):
        pass


def _rounded(costs: list[Cost]) -> list[tuple[str, bool, int, float, float]]:
    return [(cost.key, cost.sandboxed, cost.calls, round(cost.units, 6), round(cost.usd, 6)) for cost in costs]


@pytest.mark.parametrize("days", [None, 0.0, 0.3, 1.0, 3.7, 20.0, 34.5, 45.0, 90.0])
async def test_costs_are_what_the_calls_say_however_far_back_one_asks(db: Database, days: float | None) -> None:
    await db.write(lambda conn: fill(conn, _SIZE))
    await _add_up(db)
    await db.write(_call_now)
    now = float(await db.read(lambda conn: conn.execute(select(db_now())).scalar_one()))
    since = None if days is None else now - days * DAY
    for by in _KINDS:
        asked = await db.read(lambda conn, by=by: spending.costs(conn, by, since=since))  # type: ignore[misc]
        counted = await db.write(lambda conn, by=by: _by_hand(conn, by, since))  # type: ignore[misc]
        assert _rounded(asked) == _rounded(counted)


@pytest.mark.parametrize("days", [None, 0.3, 3.7, 45.0])
async def test_what_ended_jobs_were_expected_to_cost_stands_beside_it(db: Database, days: float | None) -> None:
    await db.write(lambda conn: fill(conn, _SIZE))
    await db.write(lambda conn: conn.execute(update(jobs).values(usd_estimated=0.25, credits_charged=3)).rowcount)
    await _add_up(db)
    now = float(await db.read(lambda conn: conn.execute(select(db_now())).scalar_one()))
    since = None if days is None else now - days * DAY
    ended = jobs.c.completed_at.is_not(None) if since is None else jobs.c.completed_at >= since
    keys = {"kind": jobs.c.queue, "user": jobs.c.user_id}
    for by, key in keys.items():
        asked = await db.read(lambda conn, by=by: spending.expected(conn, by, since=since))  # type: ignore[misc]
        query = select(key, func.count() * 0.25).where(ended).group_by(key)
        counted = await db.read(lambda conn, query=query: conn.execute(query).all())  # type: ignore[misc]
        assert asked == {name or "-": usd for name, usd in counted} and asked
    number = await db.read(lambda conn: conn.execute(select(func.count()).select_from(jobs).where(ended)).scalar_one())
    assert await db.read(lambda conn: spending.credits_charged(conn, since=since)) == 3 * number
    name, usd = asked.popitem()
    assert await db.read(lambda conn: spending.credits_charged(conn, user_id=name, since=since)) == 12 * usd
    assert await db.read(lambda conn: spending.expected(conn, "user", user_id=name, since=since)) == {name: usd}


def _call_now(conn: Connection) -> None:
    conn.execute(insert(provider_calls), {"provider": "bfl", "operation": "submit", "outcome": "ok", "usd": 0.5})


async def test_costs_are_exact_while_an_old_table_is_added_up(db: Database) -> None:
    await db.write(lambda conn: fill(conn, _SIZE))
    expected = _rounded(await db.read(lambda conn: spending.costs(conn, "kind")))
    assert await db.write(spending.roll_up)  # a day of fifty
    assert _rounded(await db.read(lambda conn: spending.costs(conn, "kind"))) == expected


async def test_of_several_who_add_at_once_one_does(db: Database) -> None:
    await db.write(lambda conn: fill(conn, _SIZE))
    expected = _rounded(await db.read(lambda conn: spending.costs(conn, "user")))
    second = Database(db.url)
    await second.start()
    try:
        await asyncio.gather(*(_add_up(each) for each in (db, second, db, second)))
    finally:
        await second.close()
    assert _rounded(await db.read(lambda conn: spending.costs(conn, "user"))) == expected


async def test_totals_outlive_the_calls_and_the_sums_by_hour(db: Database) -> None:
    await db.write(lambda conn: fill(conn, _SIZE))
    await _add_up(db)
    expected = _rounded(await db.read(lambda conn: spending.costs(conn, "provider")))
    await db.write(lambda conn: conn.execute(delete(provider_calls).where(_ADDED)).rowcount)
    assert await db.write(spending.delete_old) > 0
    hours = select(func.count()).select_from(provider_spending).where(provider_spending.c.span == HOUR)
    kept = await db.read(
        lambda conn: conn.execute(hours.where(provider_spending.c.bucket < db_now() - 36 * DAY)).scalar()
    )
    assert kept == 0
    assert _rounded(await db.read(lambda conn: spending.costs(conn, "provider"))) == expected
