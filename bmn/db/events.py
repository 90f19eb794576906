"""What jobs have published, one row an event: the log that sockets, SSE, `jobs watch` and `jobs show` read from."""

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, or_, select, update

from bmn.db.tables import db_now, job_events, jobs

EventRow = dict[str, Any]
"""job_id, seq, event, payload (the complete data as sent), at (seconds)."""

# Statements of the hot paths are built once: building one costs more than the database needs to run it.
_ADD = insert(job_events)


@dataclass(frozen=True, slots=True)
class EventSource:
    """The job that an event is of, with the seq it has just taken."""

    id: str
    brand_id: str | None
    last_seq: int


def add(conn: Connection, job: Row[Any] | EventSource, event: str, fields: dict[str, Any]) -> EventRow:
    """Stores an event whose seq the caller's update of the job has just taken: `last_seq=jobs.c.last_seq + 1`.

    job: a row with id, brand_id and last_seq. fields: what the event carries beside the fields that every one has.
    """
    payload = {
        "jobId": job.id,
        "brandId": job.brand_id,
        **{name: value for name, value in fields.items() if value is not None},
        "seq": job.last_seq,
        "timestamp": int(time.time() * 1000),
    }
    row = {"job_id": job.id, "seq": job.last_seq, "event": event, "payload": payload}
    conn.execute(_ADD, row)
    return row


def append(
    conn: Connection, job_id: str, event: str, fields: dict[str, Any], *, fence: int | None = None
) -> EventRow | None:
    """Takes the next seq of a job and stores an event. With a fence: only while that executor holds the job."""
    guard = [jobs.c.id == job_id]
    if fence is not None:
        guard += [jobs.c.fence == fence, jobs.c.state == "active"]
    statement = update(jobs).where(*guard).values(last_seq=jobs.c.last_seq + 1)
    job = conn.execute(statement.returning(jobs.c.id, jobs.c.brand_id, jobs.c.last_seq)).first()
    return add(conn, job, event, fields) if job else None


def after(conn: Connection, job_id: str, seq: int, limit: int = 1000) -> list[EventRow]:
    """A job's events after seq, oldest first."""
    query = (
        select(job_events)
        .where(job_events.c.job_id == job_id, job_events.c.seq > seq)
        .order_by(job_events.c.seq)
        .limit(limit)
    )
    return [dict(row) for row in conn.execute(query).mappings()]


def missing(conn: Connection, published: dict[str, int], limit: int = 5000) -> list[EventRow]:
    """The rows of these jobs that were not published yet. published: the last seq that Redis knows, per job."""
    if not published:
        return []
    wanted = or_(*(and_(job_events.c.job_id == job, job_events.c.seq > seq) for job, seq in published.items()))
    query = select(job_events).where(wanted).order_by(job_events.c.job_id, job_events.c.seq).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def recorded_between(conn: Connection, after: float, age: float, limit: int) -> list[tuple[str, int, float]]:
    """Job, last seq and time of what was recorded after a moment and is `age` seconds old; oldest first, one row a job."""
    page = (
        select(job_events.c.job_id, job_events.c.seq, job_events.c.at)
        .where(job_events.c.at > after, job_events.c.at < db_now() - age)
        .order_by(job_events.c.at)
        .limit(limit)
        .subquery()
    )
    newest = func.max(page.c.at)
    query = select(page.c.job_id, func.max(page.c.seq), newest).group_by(page.c.job_id).order_by(newest)
    return [(job_id, seq, at) for job_id, seq, at in conn.execute(query)]
