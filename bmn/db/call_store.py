"""What providers were asked and what it cost."""

from collections.abc import Collection, Iterable
from dataclasses import asdict

from sqlalchemy import ColumnElement, Connection, Float, bindparam, func, insert, select, update

from bmn.db.prepared import Prepared
from bmn.db.records import NewCall, ProviderCallRow
from bmn.db.tables import db_now, jobs, provider_calls

CLOCK_SECONDS = 86_400.0
"""By how much the database's clock may have been set back between a job and its calls."""

_ADD = Prepared(insert(provider_calls))
_SPEND = Prepared(
    update(jobs)
    .where(jobs.c.id == bindparam("of_job"))
    .values(cost_usd=jobs.c.cost_usd + bindparam("price", type_=Float))
)


def add(conn: Connection, call: NewCall) -> None:
    """Writes down what a provider was asked, and adds its price to the job's cost."""
    _ADD.run(conn, {**asdict(call), "sandboxed": int(call.sandboxed)})
    if call.job_id and call.usd:
        _SPEND.run(conn, {"of_job": call.job_id, "price": call.usd})


def add_all(conn: Connection, made: Iterable[NewCall]) -> None:
    """As `add`, for several calls."""
    for call in made:
        add(conn, call)


def _is_since(chosen: ColumnElement[bool]) -> ColumnElement[bool]:
    """Not older than these jobs: what keeps PostgreSQL from looking into every month. A clock may have been set back."""
    oldest = select(func.min(jobs.c.created_at)).where(chosen).scalar_subquery()
    return provider_calls.c.at > func.coalesce(oldest, 0.0) - CLOCK_SECONDS


def sandboxed(conn: Connection, job_ids: list[str]) -> dict[str, bool]:
    """Whether the sandbox answered every call of a job, by job id; jobs without a call are left out."""
    if not job_ids:
        return {}
    query = (
        select(provider_calls.c.job_id, func.min(provider_calls.c.sandboxed))
        .where(provider_calls.c.job_id.in_(job_ids), _is_since(jobs.c.id.in_(job_ids)))
        .group_by(provider_calls.c.job_id)
    )
    return {job_id: bool(lowest) for job_id, lowest in conn.execute(query)}


def of_job(conn: Connection, job_id: str, limit: int = 200) -> list[ProviderCallRow]:
    """The newest calls of a job, oldest first."""
    newest = provider_calls.c.id.desc()
    mine = (provider_calls.c.job_id == job_id, _is_since(jobs.c.id == job_id))
    query = select(provider_calls).where(*mine).order_by(newest).limit(limit)
    return [ProviderCallRow.from_row(row) for row in conn.execute(query)][::-1]


_LOOKED_AT = 200
_SAYS_NOTHING = ("cancelled", "bug")


def unanswered_jobs(
    conn: Connection, queue: str, outcomes: Collection[str], seconds: float, provider: str | None = None
) -> int:
    """How many different jobs of a queue have met these outcomes alone, since its provider last gave another answer.

    seconds: how far back to look. provider: whose calls count, where a queue has several.
    """
    query = select(provider_calls.c.job_id, provider_calls.c.outcome).where(
        provider_calls.c.queue == queue,
        provider_calls.c.at > db_now() - seconds,
        provider_calls.c.outcome.not_in(_SAYS_NOTHING),
    )
    if provider is not None:
        query = query.where(provider_calls.c.provider == provider)
    found: set[str] = set()
    for job_id, outcome in conn.execute(query.order_by(provider_calls.c.id.desc()).limit(_LOOKED_AT)):
        if outcome not in outcomes:
            break
        found.add(job_id)
    return len(found)


def spent(conn: Connection, seconds: float) -> float:
    """What real providers were paid within these seconds, in USD; the sandbox costs nothing."""
    query = select(func.coalesce(func.sum(provider_calls.c.usd), 0.0)).where(
        provider_calls.c.at > db_now() - seconds, provider_calls.c.sandboxed == 0
    )
    return float(conn.execute(query).scalar_one())
