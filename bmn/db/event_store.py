"""What jobs have published, one row an event: the log that sockets, SSE, `jobs watch` and `jobs show` read from."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Double, Integer, Row, and_, bindparam, func, insert, or_, select

from bmn.db.prepared import Prepared
from bmn.db.records import EventRow, StoredEvent
from bmn.db.tables import db_now, job_events, jobs
from bmn.schemas.base import now_ms
from bmn.schemas.events import JobEvent, Stamp

# Statements of the hot paths are built once: building one costs more than the database needs to run it.
_ADD = Prepared(insert(job_events))
_page = (
    select(job_events.c.job_id, job_events.c.seq, job_events.c.at)
    .where(job_events.c.at > bindparam("after"), job_events.c.at < db_now() - bindparam("age", type_=Double))
    .order_by(job_events.c.at)
    .limit(bindparam("most", type_=Integer))
    .subquery()
)
_newest = func.max(_page.c.at)
_RECORDED = Prepared(select(_page.c.job_id, func.max(_page.c.seq), _newest).group_by(_page.c.job_id).order_by(_newest))
_SENT = (job_events.c.job_id, job_events.c.seq, job_events.c.event, job_events.c.payload)


@dataclass(frozen=True, slots=True)
class EventSource:
    """The job that an event is of, with the seq it has just taken."""

    id: str
    queue: str
    user_id: str | None
    brand_id: str | None
    collects_id: str | None
    group_id: str | None
    last_seq: int


def stamp(job: Row[Any] | EventSource) -> Stamp:
    """What an event carries of its job, whose seq the caller's update has just taken: `last_seq=jobs.c.last_seq + 1`.

    A job that collects for a cancelled one speaks to its own room only: its pictures arrive as `asset:new`.
    """
    brand_id = None if job.collects_id else job.brand_id
    return {"job_id": job.id, "brand_id": brand_id, "seq": job.last_seq, "timestamp": now_ms()}


def add(conn: Connection, job: Row[Any] | EventSource, event: JobEvent) -> EventRow:
    """Stores an event of a job."""
    payload = event.dump()
    _ADD.run(conn, {"job_id": event.job_id, "seq": event.seq, "event": event.EVENT, "payload": payload})
    return EventRow(event.job_id, event.seq, event.EVENT, payload, job.queue, job.user_id, job.group_id)


def after(conn: Connection, job_id: str, seq: int, limit: int = 1000) -> list[StoredEvent]:
    """A job's events after seq, oldest first."""
    query = (
        select(job_events)
        .where(job_events.c.job_id == job_id, job_events.c.seq > seq)
        .order_by(job_events.c.seq)
        .limit(limit)
    )
    return [StoredEvent.from_row(row) for row in conn.execute(query)]


def missing(conn: Connection, published: dict[str, int], limit: int = 5000) -> list[EventRow]:
    """The rows of these jobs that were not published yet. published: the last seq that Redis knows, per job."""
    if not published:
        return []
    wanted = or_(*(and_(job_events.c.job_id == job, job_events.c.seq > seq) for job, seq in published.items()))
    with_queue = select(*_SENT, jobs.c.queue, jobs.c.user_id, jobs.c.group_id).join(
        jobs, jobs.c.id == job_events.c.job_id
    )
    query = with_queue.where(wanted).order_by(job_events.c.job_id, job_events.c.seq).limit(limit)
    return [EventRow.from_row(row) for row in conn.execute(query)]


def recorded_between(conn: Connection, after: float, age: float, limit: int) -> list[tuple[str, int, float]]:
    """Job, last seq and time of what was recorded after a moment and is `age` seconds old; oldest first, one row a job."""
    asked = {"after": after, "age": age, "most": limit}
    return [(job_id, seq, at) for job_id, seq, at in _RECORDED.all(conn, asked)]
