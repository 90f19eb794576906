"""Jobs: inserting and finding one. `bmn.db.lists` has the lists. Who may change a job's state is `bmn.db.transitions`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import Connection, Double, and_, bindparam, case, func, insert, or_, select
from sqlalchemy.sql import ColumnElement

from bmn.db import event_store
from bmn.db.prepared import Prepared
from bmn.db.records import EventRow, JobPlace, JobRow, LogLineRow, NewJob, UnitRow
from bmn.db.tables import db_now, is_completed, is_no_probe, is_waiting, job_logs, job_units, jobs
from bmn.errors import NotFound
from bmn.schemas.events import JobProgress
from bmn.schemas.payloads import JobState


def _turn() -> ColumnElement[int]:
    """Start-time fair queueing: one turn behind the user's own last waiting job, but not before those in line.

    So 10,000 jobs of one user take 10,000 turns, and one job of another takes the turn that is served next.
    """
    mine = select(func.coalesce(func.max(jobs.c.turn) + 1, 0)).where(
        jobs.c.user_id == bindparam("of_user"), jobs.c.queue == bindparam("of_queue"), is_waiting
    )
    due = (jobs.c.queue == bindparam("of_queue"), is_waiting, jobs.c.run_at <= db_now())
    line = select(func.coalesce(func.min(jobs.c.turn), 0)).where(*due)
    own, front = mine.scalar_subquery(), line.scalar_subquery()
    return case((own > front, own), else_=front)


# Built once: building a statement costs more than the database needs to run it.
_INSERT = Prepared(
    insert(jobs).values(
        state=JobState.QUEUED,
        turn=_turn(),
        run_at=db_now() + bindparam("in_seconds"),
        start_by=db_now() + bindparam("start_in", type_=Double),
        finish_by=db_now() + bindparam("finish_in", type_=Double),
        stage="queued",
        last_seq=1,
        queued_at=db_now(),
    )
)
_EXISTS = Prepared(select(jobs.c.id).where(jobs.c.id == bindparam("job")))
_LOG = Prepared(insert(job_logs))
_UNITS = Prepared(select(job_units).where(job_units.c.job_id == bindparam("job")).order_by(job_units.c.unit))


def insert_job(conn: Connection, job: NewJob) -> EventRow:
    """Stores a job in state `queued` and its first event. Raises IntegrityError where the id is taken."""
    values = {
        "id": job.id,
        "queue": job.queue,
        "user_id": job.user_id,
        "brand_id": job.brand_id,
        "payload": job.payload,
        "payload_version": job.payload_version,
        "max_attempts": job.max_attempts,
        "priority": job.priority,
        "message": job.message,
        "credits_reserved": job.credits,
        "unit_credits": job.unit_credits,
        "usd_estimated": job.usd,
        "idempotency_key": job.idempotency_key,
        "parent_id": job.parent_id,
        "collects_id": job.collects_id,
        "group_id": job.group_id,
        "request_id": job.request_id,
        "trace_parent": job.trace_parent,
        "webhooks": [asdict(hook) for hook in job.webhooks] or None,
    }
    times = {
        "in_seconds": job.delay,
        "start_in": None if job.start_within is None else job.delay + job.start_within,
        "finish_in": None if job.finish_within is None else job.delay + job.finish_within,
    }
    _INSERT.run(conn, {**values, **times, "of_user": job.user_id, "of_queue": job.queue})
    source = event_store.EventSource(job.id, job.queue, job.user_id, job.brand_id, job.collects_id, job.group_id, 1)
    first = JobProgress(**event_store.stamp(source), status="queued", progress=0, message=job.message)
    return event_store.add(conn, source, first)


def exists(conn: Connection, job_id: str) -> bool:
    """Whether there is a job of this id."""
    return _EXISTS.first(conn, {"job": job_id}) is not None


def get_job(conn: Connection, job_id: str, user_id: str | None = None, *, lock: bool = False) -> JobRow:
    """One job; with a user id only if it is theirs. Raises NotFound, the same for absent and foreign.

    lock: nobody else changes it before this transaction ends.
    """
    query = select(jobs).where(jobs.c.id == job_id)
    if lock:
        query = query.with_for_update()
    if user_id is not None:
        query = query.where(jobs.c.user_id == user_id)
    row = conn.execute(query).first()
    if row is None:
        raise NotFound("Job not found")
    return JobRow.from_row(row)


def own_group(conn: Connection, group_id: str, user_id: str) -> str:
    """The id of a group of this user's jobs. Raises NotFound, the same for absent and foreign."""
    query = select(jobs.c.id).where(jobs.c.group_id == group_id, jobs.c.user_id == user_id).limit(1)
    if conn.execute(query).first() is None:
        raise NotFound("There are no jobs of this group.")
    return group_id


def units(conn: Connection, job_id: str) -> list[UnitRow]:
    """The paid steps of a job, in the order of their names."""
    return [UnitRow.from_row(row) for row in _UNITS.all(conn, {"job": job_id})]


def position(conn: Connection, job: JobRow) -> int:
    """How many jobs of its queue are served before a waiting one; those that may not begin by then are not."""
    before = or_(
        jobs.c.priority < job.priority,
        and_(jobs.c.priority == job.priority, jobs.c.turn < job.turn),
        and_(
            jobs.c.priority == job.priority,
            jobs.c.turn == job.turn,
            jobs.c.created_at < job.created_at,
        ),
    )
    may_begin = or_(jobs.c.run_at <= db_now(), jobs.c.run_at <= job.run_at)
    query = select(func.count()).where(jobs.c.queue == job.queue, is_waiting, may_begin, before)
    return int(conn.execute(query).scalar_one())


def replaceable(conn: Connection, user_id: str, brand_id: str, queue: str) -> list[JobRow]:
    """A brand's jobs of a queue that no worker has, oldest first; those that collect what is paid for apart."""
    of_brand = (jobs.c.user_id == user_id, jobs.c.brand_id == brand_id, jobs.c.queue == queue)
    query = select(jobs).where(*of_brand, is_waiting, jobs.c.collects_id.is_(None)).order_by(jobs.c.created_at)
    return [JobRow.from_row(row) for row in conn.execute(query)]


def durations(conn: Connection, queue: str, *, sample: int = 50) -> list[float]:
    """How long the last completed jobs of a queue took from start to end, in seconds, shortest first."""
    query = (
        select(jobs.c.completed_at - jobs.c.started_at)
        .where(jobs.c.queue == queue, is_completed, jobs.c.started_at.is_not(None), is_no_probe)
        .order_by(jobs.c.completed_at.desc())
        .limit(sample)
    )
    return sorted(float(value) for (value,) in conn.execute(query))


def add_log(
    conn: Connection, job_id: str, attempt: int, level: str, message: str, fields: Mapping[str, object] | None = None
) -> None:
    """One line more in a job's log."""
    row = {"job_id": job_id, "attempt": attempt, "level": level, "message": message[:2000], "fields": fields or {}}
    _LOG.run(conn, row)


def logs(
    conn: Connection, job_id: str, *, after: int = 0, attempt: int | None = None, limit: int = 1000
) -> list[LogLineRow]:
    """Log lines of a job or of one attempt, oldest first. after: the id of the last line one has."""
    wanted = [job_logs.c.job_id == job_id, job_logs.c.id > after]
    if attempt is not None:
        wanted.append(job_logs.c.attempt == attempt)
    query = select(job_logs).where(*wanted).order_by(job_logs.c.id).limit(limit)
    return [LogLineRow.from_row(row) for row in conn.execute(query)]


def last_said(conn: Connection, job_id: str) -> str | None:
    """A provider's own words, in the newest of a job's last log lines that has any."""
    query = select(job_logs.c.fields).where(job_logs.c.job_id == job_id).order_by(job_logs.c.id.desc()).limit(50)
    return next((str(fields["said"]) for fields in conn.execute(query).scalars() if fields.get("said")), None)


def children(conn: Connection, job_id: str) -> list[str]:
    """Replays of a job, oldest first."""
    query = select(jobs.c.id).where(jobs.c.parent_id == job_id).order_by(jobs.c.created_at)
    return list(conn.execute(query).scalars())


def states(conn: Connection, job_ids: Collection[str]) -> dict[str, JobState]:
    """The states of some jobs, by id; those that are gone are left out."""
    query = select(jobs.c.id, jobs.c.state).where(jobs.c.id.in_(list(job_ids)))
    return {row.id: JobState(row.state) for row in conn.execute(query)} if job_ids else {}


def state_of(conn: Connection, job_id: str) -> tuple[JobState, int] | None:
    """A job's state and its last seq; None where there is no such job."""
    row = conn.execute(select(jobs.c.state, jobs.c.last_seq).where(jobs.c.id == job_id)).first()
    return (JobState(row.state), row.last_seq) if row else None


def brand_and_group(conn: Connection, job_id: str) -> tuple[str | None, str | None]:
    """What a job is for and was ordered with; None for one without, and where there is no such job."""
    row = conn.execute(select(jobs.c.brand_id, jobs.c.group_id).where(jobs.c.id == job_id)).first()
    return (row.brand_id, row.group_id) if row else (None, None)


def misplaced(conn: Connection, *, running: Sequence[str], in_line: Sequence[str]) -> list[JobPlace]:
    """Of the jobs that are shown as running or in line, those that are not, and where they are."""
    due = and_(is_waiting, jobs.c.run_at <= db_now())
    elsewhere = or_(
        and_(jobs.c.id.in_(running), jobs.c.state != JobState.ACTIVE),
        and_(jobs.c.id.in_(in_line), ~due),
    )
    query = select(jobs.c.id, jobs.c.fence, jobs.c.state, jobs.c.lease_owner, jobs.c.run_at).where(elsewhere)
    return [JobPlace.from_row(row) for row in conn.execute(query)]
