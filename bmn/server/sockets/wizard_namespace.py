"""/wizard: following and cancelling jobs. A job or brand that is not the caller's reads like one that does not exist."""

from typing import Any

from bmn.db import event_store, job_store
from bmn.db.engine import Connection
from bmn.db.records import JobRow, StoredEvent
from bmn.events.audience import job_event, job_room, jobs_room
from bmn.jobs.cancellation import cancel
from bmn.schemas.events import CancelAnswer, Done, JobJoined, JobRoom, JobStatus, Nothing
from bmn.schemas.payloads import TERMINAL_STATES, JobState
from bmn.server.sockets.handlers import DONE, Handler, Handlers, SocketContext
from bmn.server.sockets.rooms import BRAND, GROUP, entering, leaving
from bmn.server.sockets.session import Session
from bmn.server.sockets.words import state_word

_NO_BRAND, _NO_GROUP, _NO_JOB = (
    "Brand not found or not authorized",
    "Group not found or not authorized",
    "Job not found",
)
_PAGE = 1000
_UNLUCKY = (JobState.RETRYING, JobState.FAILED, JobState.CANCELLED)


async def join_user(context: SocketContext, session: Session, _ask: Nothing) -> Done:
    """Joins the room of all of one's own jobs."""
    async with session.order:
        await context.enter(session, jobs_room(session.user_id))
    return DONE


async def leave_user(context: SocketContext, session: Session, _ask: Nothing) -> Done:
    """Leaves it."""
    async with session.order:
        await context.leave(session, jobs_room(session.user_id))
    return DONE


async def join_job(context: SocketContext, session: Session, ask: JobRoom) -> JobJoined:
    """Sends what the job has published so far, then goes on live; the answer comes behind it."""
    job_id, room = ask.job_id, job_room(ask.job_id)
    async with session.order:
        context.check_room(session, room)
        since = context.delivery.done
        session.joining.add(job_id)
        try:
            job, rows = await context.core.db.read(lambda conn: _job_and_history(conn, job_id, session.user_id))
            for part in _unseen(session, job, rows):
                context.delivery.replay(session, [job_event(row.event, row.payload) for row in part])
            session.again.discard(job_id)
            context.sessions.enter(session, room)
        finally:
            session.joining.discard(job_id)
            context.delivery.catch_up(session, job_id, since)
        await context.save(session)
    return JobJoined(ok=True, seq=rows[-1].seq if rows else job.last_seq, state=state_word(job))


def _job_and_history(conn: Connection, job_id: str, user_id: str) -> tuple[JobRow, list[StoredEvent]]:
    job = job_store.get_job(conn, job_id, user_id)
    rows: list[StoredEvent] = []
    while page := event_store.after(conn, job_id, rows[-1].seq if rows else 0, _PAGE):
        rows += page
        if len(page) < _PAGE:
            break
    return job, rows


def _unseen(session: Session, job: JobRow, rows: list[StoredEvent]) -> list[list[StoredEvent]]:
    """What this socket has not had yet, through the brand's room for instance; everything where it left and is back."""
    job_id = job.id
    if job_id in session.again or job_id not in session.high:
        return [rows]
    high, low = session.high[job_id], session.low.get(job_id, 1)
    newer = [row for row in rows if row.seq > high]
    if job.state in TERMINAL_STATES and not newer:
        return []  # it has the end, which has to stay the last word
    return [[row for row in rows if row.seq < low], newer]


async def leave_job(context: SocketContext, session: Session, ask: JobRoom) -> Done:
    """Leaves a job's room."""
    async with session.order:
        if ask.job_id in session.high and job_room(ask.job_id) in session.rooms:
            session.again.add(ask.job_id)
        await context.leave(session, job_room(ask.job_id))
    return DONE


async def job_status(context: SocketContext, session: Session, ask: JobRoom) -> JobStatus:
    """Answers with a job's state."""
    job = await context.core.db.read(lambda conn: job_store.get_job(conn, ask.job_id, session.user_id))
    return status_answer(job, context.signer.sign_all(job.result))


def status_answer(job: JobRow, result: Any) -> JobStatus:
    """A job's state in BullMQ's words."""
    return JobStatus(
        job_id=job.id,
        state=state_word(job),
        progress=job.progress,
        data=result,
        failed_reason=job.message if job.state in _UNLUCKY else None,
        seq=job.last_seq,
    )


async def cancel_job(context: SocketContext, session: Session, ask: JobRoom) -> CancelAnswer:
    """Cancels a job, as the route does."""
    done = await cancel(context.core, ask.job_id, session.actor, user_id=session.user_id)
    return CancelAnswer(
        ok=True,
        message=done.message,
        state=done.state,
        credits_charged=done.charged,
        credits_refunded=done.refunded,
        collector_job_id=done.collector,
    )


HANDLERS: Handlers = {
    "brand:join": entering(BRAND, "Join failed", _NO_BRAND),
    "brand:leave": leaving(BRAND, "Leave failed", _NO_BRAND),
    "group:join": entering(GROUP, "Join failed", _NO_GROUP),
    "group:leave": leaving(GROUP, "Leave failed", _NO_GROUP),
    "user:join": Handler(Nothing, join_user, failed="Join failed"),
    "user:leave": Handler(Nothing, leave_user, failed="Leave failed"),
    "job:join": Handler(JobRoom, join_job, "jobId", "Join failed", _NO_JOB),
    "job:leave": Handler(JobRoom, leave_job, "jobId", "Leave failed", _NO_JOB),
    "job:status": Handler(JobRoom, job_status, "jobId", "Status check failed", _NO_JOB),
    "job:cancel": Handler(JobRoom, cancel_job, "jobId", "Cancel failed", _NO_JOB),
}
