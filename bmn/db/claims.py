"""Who runs a job: claiming it with a fence, keeping its lease, taking it from the dead, and what waits in line."""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Double, Integer, Row, and_, bindparam, case, exists, func, or_, select, update
from sqlalchemy.sql import ColumnElement

from bmn.db.hooks import webhook_store
from bmn.db.prepared import Prepared
from bmn.db.records import JobPlace, JobRow, Renewed
from bmn.db.tables import db_now, is_running, is_waiting, jobs, queue_settings
from bmn.schemas.payloads import JobState

_CLAIMABLE = (
    jobs.c.queue == bindparam("of_queue"),
    is_waiting,
    jobs.c.run_at <= db_now(),
    jobs.c.cancel_requested_at.is_(None),
    # What has missed a deadline is the sweeper's to cancel.
    or_(jobs.c.start_by.is_(None), jobs.c.start_by > db_now(), jobs.c.started_at.is_not(None)),
    or_(jobs.c.finish_by.is_(None), jobs.c.finish_by > db_now()),
)
_PLACE = (jobs.c.id, jobs.c.fence, jobs.c.state, jobs.c.lease_owner, jobs.c.run_at)
_IN_ORDER = (jobs.c.priority, jobs.c.turn, jobs.c.created_at)

# Statements of the hot paths are built once: building one costs more than the database needs to run it.
_PAUSED = Prepared(
    select((queue_settings.c.probe_at <= db_now()).label("due")).where(
        queue_settings.c.queue == bindparam("of_queue"), queue_settings.c.paused == 1
    )
)
_NEXT = Prepared(
    select(jobs.c.id)
    .where(*_CLAIMABLE)
    .order_by(*_IN_ORDER)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)
_TAKEN = (
    update(jobs)
    .where(is_waiting)
    .values(
        state=JobState.ACTIVE,
        fence=jobs.c.fence + 1,
        attempt=jobs.c.attempt + 1,
        lease_owner=bindparam("owner"),
        lease_until=db_now() + bindparam("lease", type_=Double),
        started_at=func.coalesce(jobs.c.started_at, db_now()),
        attempt_started_at=db_now(),
    )
    .returning(*jobs.c)
)
_RENEW = (
    update(jobs)
    .where(jobs.c.id.in_(bindparam("ids", expanding=True)), jobs.c.lease_owner == bindparam("owner"), is_running)
    .values(lease_until=db_now() + bindparam("lease", type_=Double))
    .returning(jobs.c.id, jobs.c.fence, jobs.c.cancel_requested_at)
)
_UNFINISHED = Prepared(select(or_(*(exists(select(jobs.c.id).where(state)) for state in (is_running, is_waiting)))))

PROBE_AGAIN_SECONDS = 60.0
"""How long a queue that paused itself waits between two jobs that try its provider."""


def claim(
    conn: Connection, queue: str, limit: int, owner: str, lease: float, *, probe_again: float = PROBE_AGAIN_SECONDS
) -> list[JobRow]:
    """Takes the next jobs of a queue: by priority, then turn, then age. Empty where nothing is due or the queue is paused.

    owner: name of the worker process. lease: seconds. The executor writes with these records, and their fences, from now on.
    A queue that paused itself gives one job now and then, its `probe` true, which finds out whether the provider is mended.
    """
    paused = _PAUSED.first(conn, {"of_queue": queue})
    if paused and not paused.due:
        return []
    ids = [row.id for row in _NEXT.all(conn, {"of_queue": queue, "most": 1 if paused else limit})]
    if not ids or (paused and not _take_probe(conn, queue, probe_again)):
        return []
    taken = _take(conn, ids, owner, lease)
    claimed = [JobRow.from_row(row, paused is not None) for row in taken]
    webhook_store.started(conn, claimed)
    return sorted(claimed, key=lambda job: (job.priority, job.turn, job.created_at))


def claim_one(conn: Connection, queue: str, job_id: str, owner: str, lease: float) -> JobRow | None:
    """Takes one job of a queue, out of its order; None where it is not due, or its queue is paused."""
    if _PAUSED.first(conn, {"of_queue": queue}) or not still_waiting(conn, queue, job_id):
        return None
    taken = [JobRow.from_row(row) for row in _take(conn, [job_id], owner, lease)]
    webhook_store.started(conn, taken)
    return taken[0] if taken else None


def take(conn: Connection, job_id: str, owner: str, lease: float) -> JobRow:
    """Gives a job that was stored in this transaction to the executor that goes on with it."""
    (row,) = _take(conn, [job_id], owner, lease)
    return JobRow.from_row(row)


def _take(conn: Connection, ids: Sequence[str], owner: str, lease: float) -> list[Row[Any]]:
    """The rows of those that still waited, which have a lease now."""
    places = (
        1 << (len(ids) - 1).bit_length()
    )  # few statements serve any number: the last id stands in for what is missing
    named = {f"id_{place}": ids[min(place, len(ids) - 1)] for place in range(places)}
    return _take_of(places).all(conn, {**named, "owner": owner, "lease": lease})


@cache
def _take_of(places: int) -> Prepared:
    return Prepared(_TAKEN.where(jobs.c.id.in_([bindparam(f"id_{place}") for place in range(places)])))


def _take_probe(conn: Connection, queue: str, again: float) -> bool:
    """Only one worker gets the probe; the next one is due later."""
    due = (queue_settings.c.queue == queue, queue_settings.c.paused == 1, queue_settings.c.probe_at <= db_now())
    statement = update(queue_settings).where(*due)
    return conn.execute(statement.values(probe_at=db_now() + again)).rowcount == 1


def still_waiting(conn: Connection, queue: str, job_id: str) -> bool:
    """Whether a job whose id came out of Redis could still be claimed."""
    query = select(jobs.c.id).where(jobs.c.id == job_id, *_CLAIMABLE)
    return conn.execute(query, {"of_queue": queue}).first() is not None


def renew(conn: Connection, owner: str, job_ids: Collection[str], lease: float) -> list[Renewed]:
    """Keeps the leases of the jobs that a worker is running. One that is missing in the answer belongs to somebody else."""
    rows = conn.execute(_RENEW, {"ids": list(job_ids), "owner": owner, "lease": lease})
    return [Renewed(row.id, row.fence, row.cancel_requested_at is not None) for row in rows]


def forgive(conn: Connection, waited: Collection[tuple[str, int, float]]) -> None:
    """Attempts that stood in line for their provider look that much younger. waited: job, fence, seconds."""
    for job_id, fence, seconds in waited:
        mine = update(jobs).where(jobs.c.id == job_id, jobs.c.fence == fence, is_running)
        conn.execute(mine.values(attempt_started_at=jobs.c.attempt_started_at + seconds))


def forgotten_cancels(conn: Connection, limit: int = 200) -> list[str]:
    """Jobs in line whose cancel nobody has carried out."""
    query = select(jobs.c.id).where(is_waiting, jobs.c.cancel_requested_at.is_not(None))
    return list(conn.execute(query.limit(limit)).scalars())


def any_unfinished(conn: Connection) -> bool:
    """Whether any job waits or runs."""
    return bool(_UNFINISHED.one(conn, {})[0])


LATE: tuple[ColumnElement[bool], ...] = (
    and_(is_waiting, jobs.c.start_by <= db_now(), jobs.c.started_at.is_(None)),
    and_(jobs.c.completed_at.is_(None), jobs.c.finish_by <= db_now()),
)
"""The two ways to have missed a deadline, each by an index of its own."""


def overdue(conn: Connection, limit: int = 200) -> list[JobRow]:
    """Jobs that have missed a deadline, and whose cancel nobody has asked for yet."""
    found: dict[str, JobRow] = {}
    for each in LATE:
        query = select(jobs).where(each, jobs.c.cancel_requested_at.is_(None)).limit(limit)
        found |= {job.id: job for job in map(JobRow.from_row, conn.execute(query))}
    return list(found.values())


def expired(conn: Connection, *, stale_after: dict[str, float], limit: int = 200) -> list[JobRow]:
    """Active jobs whose lease has ended, and those that run longer than their queue ever allows.

    stale_after: seconds per queue; twice the queue's timeout.
    """
    query = select(jobs).where(is_running, jobs.c.lease_until < db_now()).order_by(jobs.c.lease_until).limit(limit)
    found = {job.id: job for job in map(JobRow.from_row, conn.execute(query))}
    if stale_after:
        limits = case(stale_after, value=jobs.c.queue, else_=1e12)
        stale = select(jobs).where(is_running, jobs.c.attempt_started_at < db_now() - limits)
        found |= {job.id: job for job in map(JobRow.from_row, conn.execute(stale.limit(limit)))}
    return list(found.values())


def due(conn: Connection, queue: str) -> int:
    """How many jobs of a queue could be claimed now."""
    query = select(func.count()).select_from(jobs).where(*_CLAIMABLE)
    return int(conn.execute(query, {"of_queue": queue}).scalar_one())


def next_in_line(conn: Connection, queue: str, limit: int) -> list[JobPlace]:
    """The due jobs of a queue in the order they will be claimed, as RQ's list should show them."""
    query = select(*_PLACE).where(*_CLAIMABLE).order_by(*_IN_ORDER).limit(limit)
    return [JobPlace.from_row(row) for row in conn.execute(query, {"of_queue": queue})]


def due_queues(conn: Connection) -> list[str]:
    """Queues in which something is due."""
    query = select(jobs.c.queue).where(is_waiting, jobs.c.run_at <= db_now()).distinct()
    return list(conn.execute(query).scalars())


def is_paused(conn: Connection, queue: str) -> bool:
    """Whether a queue takes no jobs at present."""
    query = select(queue_settings.c.paused).where(queue_settings.c.queue == queue)
    return bool(conn.execute(query).scalar())


def end_leases_on(conn: Connection, host: str, pid: int, family: str) -> int:
    """Ends the leases of a process that is known to be dead, by what its name says of it.

    family: what the processes of its supervisor share and no others do.
    """
    dead = jobs.c.lease_owner.contains(f".{host}.{pid}.{family}", autoescape=True)
    statement = update(jobs).where(dead, is_running)
    return conn.execute(statement.values(lease_until=0)).rowcount


def held(conn: Connection, job_id: str, fence: int, *, probe: bool) -> JobRow | None:
    """A job as the executor with this fence claimed it, as a probe or not; None where another has it by now."""
    query = select(jobs).where(jobs.c.id == job_id, jobs.c.fence == fence, is_running)
    row = conn.execute(query).first()
    return JobRow.from_row(row, probe) if row else None
