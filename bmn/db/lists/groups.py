"""Jobs of a filter by what they have in common: how many, and what they cost."""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, String, case, func, literal_column, select
from sqlalchemy.sql import ColumnElement

from bmn.db.lists.listing import JobFilter, end_of_search, not_older_than
from bmn.db.sums.rollup import HOUR, beginning_of
from bmn.db.tables import jobs, provider_calls

GroupBy = Literal["cause", "queue", "user", "hour"]

_MOST = 200
_NONE: ColumnElement[str] = literal_column(
    "'-'", String
)  # spelled out: PostgreSQL takes two parameters for different ones
_KEYS: dict[GroupBy, ColumnElement[Any]] = {
    "cause": func.coalesce(jobs.c.cause, _NONE),
    "queue": jobs.c.queue,
    "user": func.coalesce(jobs.c.user_id, _NONE),
    "hour": beginning_of(jobs.c.created_at, HOUR),
}
_BY_SANDBOX = (
    select(provider_calls.c.id)
    .where(provider_calls.c.job_id == jobs.c.id, provider_calls.c.sandboxed == 1)
    .correlate(jobs)
    .exists()
)


@dataclass(frozen=True, slots=True)
class Group:
    """Jobs with one key. key: a cause, queue or user's id, `-` where a job has none; of an hour, when it begins.

    credits: what was charged. usd: what providers charged, those of the sandbox nothing.
    """

    key: str | float
    jobs: int
    credits: int
    usd: float


@dataclass(frozen=True, slots=True)
class Groups:
    """groups: the largest first, of hours the newest. searched_to: as in a page; older jobs are not counted."""

    groups: list[Group]
    searched_to: float | None


def group_jobs(conn: Connection, chosen: JobFilter, by: GroupBy) -> Groups:
    """The newest 20,000 jobs of a filter by what they have in common."""
    conditions = chosen.conditions()
    end = end_of_search(conn, conditions)
    if end:
        conditions.append(not_older_than(*end))
    key = _KEYS[by].label("key")
    number = func.count().label("jobs")
    spent = case((_BY_SANDBOX, 0.0), else_=jobs.c.cost_usd)
    query = (
        select(key, number, func.sum(jobs.c.credits_charged), func.coalesce(func.sum(spent), 0.0))
        .where(*conditions, *chosen.unindexed())
        .group_by(key)
        .order_by(key.desc() if by == "hour" else number.desc(), key)
        .limit(_MOST)
    )
    return Groups([Group(*row) for row in conn.execute(query)], end[0] if end else None)
