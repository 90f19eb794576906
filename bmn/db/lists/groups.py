"""Jobs of a filter by what they have in common: how many, and what they cost."""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, String, case, func, literal_column, select
from sqlalchemy.sql import ColumnElement

from bmn.db.call_store import CLOCK_SECONDS
from bmn.db.lists.listing import JobFilter, end_of_search, not_older_than
from bmn.db.lists.paging import COUNTED
from bmn.db.sums.rollup import HOUR, beginning_of
from bmn.db.tables import is_by_sandbox, is_no_probe, jobs, provider_calls

GroupBy = Literal["cause", "queue", "user", "hour"]

_MOST = 200
_NONE: ColumnElement[str] = literal_column(
    "'-'", String
)  # spelled out: PostgreSQL takes two parameters for different ones
# What is added up, of the jobs that are.
_USED = tuple(
    jobs.c[name]
    for name in (
        *("id", "cause", "queue", "user_id", "created_at", "cost_usd", "usd_estimated"),
        *("credits_charged", "credits_reserved"),
    )
)


def _key(counted: Any, by: GroupBy) -> ColumnElement[Any]:
    if by == "hour":
        return beginning_of(counted.created_at, HOUR)
    if by == "queue":
        return counted.queue  # type: ignore[no-any-return]
    return func.coalesce(counted.cause if by == "cause" else counted.user_id, _NONE)


@dataclass(frozen=True, slots=True)
class GroupSum:
    """Jobs with one key. key: a cause, queue or user's id, `-` where a job has none; of an hour, when it begins.

    credits: what was charged. usd: what providers charged, those of the sandbox nothing. credits_reserved, usd_estimated:
    what was expected of both.
    """

    key: str | float
    jobs: int
    credits: int
    credits_reserved: int
    usd: float
    usd_estimated: float


@dataclass(frozen=True, slots=True)
class Groups:
    """groups: the largest first, of hours the newest. searched_to: as in a page; older jobs are not counted."""

    groups: list[GroupSum]
    searched_to: float | None


def group_jobs(conn: Connection, chosen: JobFilter, by: GroupBy) -> Groups:
    """The newest 10,000 jobs of a filter by what they have in common."""
    unindexed = chosen.unindexed()
    end = end_of_search(conn, chosen.conditions()) if unindexed else None
    chosen_jobs = [*chosen.conditions(), *unindexed, *([not_older_than(*end)] if end else ())]
    newest = (jobs.c.created_at.desc(), jobs.c.id.desc())
    counted = select(*_USED).where(*chosen_jobs, is_no_probe).order_by(*newest).limit(COUNTED).subquery().c
    its_calls = (provider_calls.c.job_id == counted.id, provider_calls.c.at > counted.created_at - CLOCK_SECONDS)
    by_sandbox = select(provider_calls.c.id).where(*its_calls, is_by_sandbox)
    spent = case((counted.cost_usd == 0, 0.0), (by_sandbox.exists(), 0.0), else_=counted.cost_usd)
    priced = select(
        _key(counted, by).label("key"),
        counted.created_at,
        counted.credits_charged,
        counted.credits_reserved,
        spent.label("spent"),
        counted.usd_estimated,
    ).subquery()
    row = priced.c
    expected = func.coalesce(row.usd_estimated, row.spent)  # older jobs have no estimate
    number = func.count().label("jobs")
    query = (
        select(
            row.key,
            number,
            func.sum(row.credits_charged),
            func.sum(row.credits_reserved),
            func.coalesce(func.sum(row.spent), 0.0),
            func.coalesce(func.sum(expected), 0.0),
            func.min(row.created_at),
        )
        .group_by(row.key)
        .order_by(row.key.desc() if by == "hour" else number.desc(), row.key)
    )
    found = conn.execute(query).all()
    oldest = min((each[-1] for each in found), default=None)
    searched_to = end[0] if end else None
    if sum(each.jobs for each in found) >= COUNTED:
        searched_to = oldest
    return Groups([GroupSum(*each[:-1]) for each in found[:_MOST]], searched_to)
