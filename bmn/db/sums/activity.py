"""How many jobs have ended how, rolled up: what metrics, queue counts and plots read instead of every job there ever was.

Every job is counted once, when the mark passes the moment it ended: into its minute, hour and day, and into a total that
outlives them. Behind the mark figures come from here, and from the rows only for the last two minutes.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select

from bmn.db.sums.rollup import DAY, HOUR, MINUTE, TOTAL, beginning_of, bucket_of, mark_of, move_mark
from bmn.db.tables import activity_mark, db_now, is_no_probe, job_activity, jobs
from bmn.db.upsert import insert_once

_KEY = ("span", "bucket", "queue", "state", "cause")
_SUMS = ("jobs", "usd", "seconds")
_SPANS = (MINUTE, HOUR, DAY, TOTAL)
_KEPT = {MINUTE: 2 * DAY, HOUR: 35 * DAY, DAY: 400 * DAY}


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
    moved = move_mark(conn, activity_mark, jobs.c.completed_at)
    if moved is None:
        return False
    start, end, further = moved
    _add(conn, _ended_between(conn, start, end))
    return further


def outcomes(conn: Connection) -> dict[tuple[str, str, str], int]:
    """How many jobs have ever ended how, by queue, state and cause; exact at this moment."""
    found: dict[tuple[str, str, str], int] = {}
    total = select(job_activity).where(job_activity.c.span == TOTAL)
    behind = [_from_row(row) for row in conn.execute(total)]
    for entry in (*behind, *_ended_between(conn, mark_of(conn, activity_mark), None)):
        key = (entry.queue, entry.state, entry.cause)
        found[key] = found.get(key, 0) + entry.jobs
    return found


def history(conn: Connection, span: int, seconds: float) -> list[Activity]:
    """What ended lately, oldest first. span: MINUTE, HOUR or DAY. seconds: how far back."""
    query = select(job_activity).where(job_activity.c.span == span, job_activity.c.bucket >= db_now() - seconds)
    return [_from_row(row) for row in conn.execute(query.order_by(job_activity.c.bucket))]


def recent(conn: Connection, span: int, seconds: float) -> list[Activity]:
    """As `history`, and what ended just now, by the minute: exact at this moment."""
    return [*history(conn, span, seconds), *_ended_between(conn, mark_of(conn, activity_mark), None)]


def lately(conn: Connection, seconds: float) -> list[Activity]:
    """What ended within so many seconds, by the minute, exact at this moment."""
    return recent(conn, MINUTE, seconds)


def delete_old(conn: Connection) -> int:
    """Drops minutes after two days, hours after 35, days after 400; totals stay."""
    return sum(
        conn.execute(
            delete(job_activity).where(job_activity.c.span == span, job_activity.c.bucket < db_now() - kept)
        ).rowcount
        for span, kept in _KEPT.items()
    )


_MINUTE = beginning_of(jobs.c.completed_at, MINUTE)
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
    .where(jobs.c.completed_at.is_not(None), is_no_probe)
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
            bucket = bucket_of(entry.bucket, span)
            held = sums.setdefault((span, bucket, entry.queue, entry.state, entry.cause), [0, 0.0, 0.0])
            for place, value in enumerate((entry.jobs, entry.usd, entry.seconds)):
                held[place] += value
    if not sums:
        return
    statement = insert_once(conn, job_activity)
    added = {name: job_activity.c[name] + statement.excluded[name] for name in _SUMS}
    statement = statement.on_conflict_do_update(index_elements=list(_KEY), set_=added)
    conn.execute(statement, [dict(zip((*_KEY, *_SUMS), (*key, *held), strict=True)) for key, held in sums.items()])
