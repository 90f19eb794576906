"""What providers were asked and what it cost."""

from collections.abc import Collection
from typing import Any, Literal

from sqlalchemy import Connection, String, func, literal_column, select
from sqlalchemy.sql import ColumnElement

from bmn.db.tables import db_now, provider_calls

CostsBy = Literal["kind", "provider", "user", "model"]

# Spelled out, since PostgreSQL does not take two parameters of one value for the same expression.
_NONE: ColumnElement[str] = literal_column("'-'", String)
_KEYS: dict[str, ColumnElement[Any]] = {
    "kind": func.coalesce(provider_calls.c.queue, _NONE),
    "provider": func.coalesce(provider_calls.c.provider, _NONE),
    "user": func.coalesce(provider_calls.c.user_id, _NONE),
    "model": func.coalesce(provider_calls.c.model, _NONE),
}


def costs(
    conn: Connection, by: CostsBy, *, user_id: str | None = None, since: float | None = None, limit: int = 200
) -> list[dict[str, Any]]:
    """Calls, units and dollars per key, dearest first; sandboxed ones apart, since nobody is billed for those.

    user_id: only that user's. since: seconds since 1970.
    """
    key = _KEYS[by].label("key")
    query = select(
        key,
        provider_calls.c.sandboxed,
        func.count().label("calls"),
        func.coalesce(func.sum(provider_calls.c.units), 0.0).label("units"),
        func.coalesce(func.sum(provider_calls.c.usd), 0.0).label("usd"),
    ).group_by(key, provider_calls.c.sandboxed)
    if user_id is not None:
        query = query.where(provider_calls.c.user_id == user_id)
    if since is not None:
        query = query.where(provider_calls.c.at >= since)
    query = query.order_by(func.sum(provider_calls.c.usd).desc(), key).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def sandboxed(conn: Connection, job_ids: list[str]) -> dict[str, bool]:
    """Whether the sandbox answered every call of a job, by job id; jobs without a call are left out."""
    if not job_ids:
        return {}
    query = (
        select(provider_calls.c.job_id, func.min(provider_calls.c.sandboxed))
        .where(provider_calls.c.job_id.in_(job_ids))
        .group_by(provider_calls.c.job_id)
    )
    return {job_id: bool(lowest) for job_id, lowest in conn.execute(query)}


def of_job(conn: Connection, job_id: str, limit: int = 200) -> list[dict[str, Any]]:
    """The calls one job made, oldest first."""
    query = select(provider_calls).where(provider_calls.c.job_id == job_id).order_by(provider_calls.c.id).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


_LOOKED_AT = 200
_SAYS_NOTHING = ("cancelled", "bug")


def unanswered_jobs(conn: Connection, queue: str, outcomes: Collection[str], seconds: float) -> int:
    """How many different jobs of a queue have met these outcomes alone, since its provider last gave another answer.

    seconds: how far back to look.
    """
    query = select(provider_calls.c.job_id, provider_calls.c.outcome).where(
        provider_calls.c.queue == queue,
        provider_calls.c.at > db_now() - seconds,
        provider_calls.c.outcome.not_in(_SAYS_NOTHING),
    )
    found: set[str] = set()
    for job_id, outcome in conn.execute(query.order_by(provider_calls.c.id.desc()).limit(_LOOKED_AT)):
        if outcome not in outcomes:
            break
        found.add(job_id)
    return len(found)
