"""How many jobs have ended how, rolled up: what metrics, queue counts and plots read instead of every job there ever was.

Every job is counted once, when the mark passes the moment it ended: into its minute, hour and day, and into a total that
outlives them. Behind the mark figures come from here, and from the rows only for the last two minutes.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Double, Row, delete, func, select, update
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from bmn.db.tables import activity_mark, db_now, job_activity, jobs
from bmn.db.upsert import insert_once

MINUTE, HOUR, DAY, TOTAL = 60, 3600, 86_400, 0
_KEY = ("span", "bucket", "queue", "state", "cause")
_SUMS = ("jobs", "usd", "seconds")
_SPANS = (MINUTE, HOUR, DAY, TOTAL)
_KEPT = {MINUTE: 2 * DAY, HOUR: 35 * DAY, DAY: 400 * DAY}
_BEHIND = 120.0  # seconds; a transaction that has noted when a job ended has committed by then
_STEP = 7.0 * DAY  # how much of an old table one transaction rolls up


@dataclass(frozen=True, slots=True)
class Activity:
    """Jobs of one queue that ended one way within one span. bucket: its beginning, seconds since 1970.

    cause: empty where nothing went wrong. usd: what their providers were paid. seconds: their durations added up.
    """

    bucket: float
    queue: str
    state: str
    cause: str
    jobs: int
    usd: float
    seconds: float


def roll_up(conn: Connection) -> bool:
    """Moves the mark towards two minutes ago; False where it is there already. Of two who do it at once, one counts."""
    mark = _mark(conn)
    until = _whole_minute(conn)
    if mark is None:
        first = conn.execute(select(func.min(jobs.c.completed_at)).where(jobs.c.completed_at.is_not(None))).scalar()
        mark = until if first is None else min(until, first // MINUTE * MINUTE)
        conn.execute(insert_once(conn, activity_mark).values(id=1, upto=mark).on_conflict_do_nothing())
    target = min(until, mark + _STEP)
    moved = update(activity_mark).where(activity_mark.c.upto == mark, activity_mark.c.upto < target)
    if conn.execute(moved.values(upto=target)).rowcount == 0:
        return False
    _add(conn, _ended_between(conn, mark, target))
    return target < until


def outcomes(conn: Connection) -> dict[tuple[str, str, str], int]:
    """How many jobs have ever ended how, by queue, state and cause; exact at this moment."""
    found: dict[tuple[str, str, str], int] = {}
    total = select(job_activity).where(job_activity.c.span == TOTAL)
    behind = [_from_row(row) for row in conn.execute(total)]
    for entry in (*behind, *_ended_between(conn, _mark(conn), None)):
        key = (entry.queue, entry.state, entry.cause)
        found[key] = found.get(key, 0) + entry.jobs
    return found


def history(conn: Connection, span: int, seconds: float) -> list[Activity]:
    """What ended lately, oldest first. span: MINUTE, HOUR or DAY. seconds: how far back."""
    query = select(job_activity).where(job_activity.c.span == span, job_activity.c.bucket >= db_now() - seconds)
    return [_from_row(row) for row in conn.execute(query.order_by(job_activity.c.bucket))]


def delete_old(conn: Connection) -> int:
    """Drops minutes after two days, hours after 35, days after 400; totals stay."""
    return sum(
        conn.execute(
            delete(job_activity).where(job_activity.c.span == span, job_activity.c.bucket < db_now() - kept)
        ).rowcount
        for span, kept in _KEPT.items()
    )


def _mark(conn: Connection) -> float | None:
    value: float | None = conn.execute(select(activity_mark.c.upto)).scalar()
    return value


def _whole_minute(conn: Connection) -> float:
    now = float(conn.execute(select(db_now())).scalar_one())
    return (now - _BEHIND) // MINUTE * MINUTE


class _minute_of(FunctionElement[float]):
    """The beginning of the minute that a time lies in."""

    type = Double()
    inherit_cache = True


@compiles(_minute_of, "sqlite")
def _sqlite_minute(element: Any, compiler: Any, **options: Any) -> str:
    return f"(CAST({compiler.process(element.clauses, **options)} / {MINUTE} AS INTEGER) * {MINUTE}.0)"


@compiles(_minute_of, "postgresql")
def _postgresql_minute(element: Any, compiler: Any, **options: Any) -> str:
    return f"(floor({compiler.process(element.clauses, **options)} / {MINUTE}) * {MINUTE})"


_MINUTE = _minute_of(jobs.c.completed_at)
_CAUSE = func.coalesce(jobs.c.cause, "")
_COUNTED = (
    select(
        _MINUTE.label("bucket"),
        jobs.c.queue,
        jobs.c.state,
        _CAUSE.label("cause"),
        func.count().label("jobs"),
        func.coalesce(func.sum(jobs.c.cost_usd), 0.0).label("usd"),
        func.coalesce(func.sum(jobs.c.completed_at - jobs.c.started_at), 0.0).label("seconds"),
    )
    .where(jobs.c.completed_at.is_not(None))
    .group_by(_MINUTE, jobs.c.queue, jobs.c.state, _CAUSE)
)


def _ended_between(conn: Connection, start: float | None, end: float | None) -> list[Activity]:
    """What ended from `start` on and before `end`, by the minute, counted from the rows."""
    query = _COUNTED
    if start is not None:
        query = query.where(jobs.c.completed_at >= start)
    if end is not None:
        query = query.where(jobs.c.completed_at < end)
    return [_from_row(row) for row in conn.execute(query)]


def _from_row(row: Row[Any]) -> Activity:
    return Activity(row.bucket, row.queue, row.state, row.cause, row.jobs, row.usd, row.seconds)


def _add(conn: Connection, found: list[Activity]) -> None:
    """Adds minutes to what their minute, hour, day and total hold already."""
    sums: dict[tuple[int, float, str, str, str], list[float]] = {}
    for entry in found:
        for span in _SPANS:
            bucket = entry.bucket // span * span if span else 0.0
            held = sums.setdefault((span, bucket, entry.queue, entry.state, entry.cause), [0, 0.0, 0.0])
            for place, value in enumerate((entry.jobs, entry.usd, entry.seconds)):
                held[place] += value
    if not sums:
        return
    statement = insert_once(conn, job_activity)
    added = {name: job_activity.c[name] + statement.excluded[name] for name in _SUMS}
    statement = statement.on_conflict_do_update(index_elements=list(_KEY), set_=added)
    conn.execute(statement, [dict(zip((*_KEY, *_SUMS), (*key, *held), strict=True)) for key, held in sums.items()])
