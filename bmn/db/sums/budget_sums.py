"""What a queue has cost within the last hour, and a user within the last day: real providers' dollars, or credits.

Both windows slide, so that what stood still goes on as soon as enough of it lies behind.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, func, select

from bmn.db.sums.rollup import DAY, HOUR
from bmn.db.tables import db_now, jobs, provider_calls

Unit = Literal["usd", "credits"]

_AT_ONCE = 500  # users that one query names


@dataclass(frozen=True, slots=True)
class Spent:
    """amount: so far. frees_at: when the oldest of it leaves the window, seconds since 1970; None where nothing is in it."""

    amount: float
    frees_at: float | None


def batched(names: Collection[str], size: int) -> Iterator[list[str]]:
    """Some of them at a time."""
    rest = iter(names)
    while some := list(islice(rest, size)):
        yield some


def of_queue(conn: Connection, queue: str, unit: Unit) -> Spent:
    """Within the last hour."""
    if unit == "usd":
        called = provider_calls.c
        query = select(func.coalesce(func.sum(called.usd), 0.0), func.min(called.at)).where(
            called.queue == queue, called.at > db_now() - HOUR, called.sandboxed == 0, called.usd > 0
        )
    else:
        query = select(func.coalesce(func.sum(jobs.c.credits_charged), 0), func.min(jobs.c.completed_at)).where(
            jobs.c.queue == queue, jobs.c.completed_at > db_now() - HOUR, jobs.c.credits_charged > 0
        )
    amount, oldest = conn.execute(query).one()
    return Spent(float(amount), None if oldest is None else oldest + HOUR)


def under_way(conn: Connection, user_id: str) -> float:
    """USD that a user's open jobs are expected to cost beyond what was booked."""
    left = jobs.c.usd_estimated - jobs.c.cost_usd
    query = select(func.coalesce(func.sum(left), 0.0)).where(
        jobs.c.user_id == user_id, jobs.c.created_at > db_now() - DAY, jobs.c.completed_at.is_(None), left > 0
    )
    return float(conn.execute(query).scalar_one())


def of_users(conn: Connection, user_ids: Collection[str], unit: Unit) -> dict[str, float]:
    """The same as `of_user` of many, with what their jobs under way are expected to cost; who spent nothing is left out."""
    found: dict[str, float] = {}
    for some in batched(user_ids, _AT_ONCE):
        kept = jobs.c.credits_reserved - jobs.c.credits_refunded
        queries = [_by_user(jobs.c.user_id, kept, jobs.c.created_at, kept > 0)]
        if unit == "usd":
            called, left = provider_calls.c, jobs.c.usd_estimated - jobs.c.cost_usd
            queries = [
                _by_user(called.user_id, called.usd, called.at, called.sandboxed == 0, called.usd > 0),
                _by_user(jobs.c.user_id, left, jobs.c.created_at, jobs.c.completed_at.is_(None), left > 0),
            ]
        for query, owner in queries:
            for user_id, amount in conn.execute(query.where(owner.in_(some))):
                found[user_id] = found.get(user_id, 0.0) + float(amount)
    return found


def _by_user(
    owner: ColumnElement[Any], amount: ColumnElement[Any], at: ColumnElement[Any], *conditions: ColumnElement[bool]
) -> tuple[Select[Any], ColumnElement[Any]]:
    return select(owner, func.sum(amount)).where(at > db_now() - DAY, *conditions).group_by(owner), owner


def of_user(conn: Connection, user_id: str, unit: Unit) -> Spent:
    """Within the last day. Credits: what was set aside and did not come back, so that jobs under way count."""
    if unit == "usd":
        called = provider_calls.c
        query = select(func.coalesce(func.sum(called.usd), 0.0), func.min(called.at)).where(
            called.user_id == user_id, called.at > db_now() - DAY, called.sandboxed == 0, called.usd > 0
        )
    else:
        kept = jobs.c.credits_reserved - jobs.c.credits_refunded
        query = select(func.coalesce(func.sum(kept), 0), func.min(jobs.c.created_at)).where(
            jobs.c.user_id == user_id, jobs.c.created_at > db_now() - DAY, kept > 0
        )
    amount, oldest = conn.execute(query).one()
    return Spent(float(amount), None if oldest is None else oldest + DAY)
