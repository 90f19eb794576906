"""Cancelling: a durable flag on the row, a word to the worker, and an honest answer."""

import asyncio
from dataclasses import dataclass
from functools import partial

from redis.exceptions import RedisError

from bmn.broker import redis_keys
from bmn.db import claims, job_store, transitions
from bmn.db.accounts import audit_store
from bmn.db.collecting import collector_id
from bmn.db.engine import Connection
from bmn.db.records import JobRow
from bmn.db.transitions import Change
from bmn.errors import Conflict
from bmn.jobs.command import WorkerCommand
from bmn.jobs.core import Core
from bmn.logs import get_logger
from bmn.schemas.payloads import TERMINAL_STATES, JobState

log = get_logger(__name__)

_ANSWER_SECONDS = 2.0
_LOOK_SECONDS = 0.02
_TRIES = 3  # between the two questions a job may go from one worker back in line


@dataclass(frozen=True, slots=True)
class CancelOutcome:
    """state: `cancelled`, `finishing` (it had just ended in another way), or `no worker acknowledged`.

    charged, refunded: credits; None where that is not decided yet. collector: the job that collects what had been ordered.
    """

    job_id: str
    state: str
    message: str
    charged: int | None = None
    refunded: int | None = None
    collector: str | None = None


async def cancel(
    core: Core, job_id: str, by: str, *, user_id: str | None = None, reason: str | None = None
) -> CancelOutcome:
    """Asks a job to stop. Waits up to two seconds for its worker's answer.

    user_id: whose job it has to be; None for an admin. Raises NotFound, or Conflict where it has ended already or only
    collects what was ordered, and charged, before another cancel.
    """
    job = await core.db.read(lambda conn: job_store.get_job(conn, job_id, user_id))
    check_open(job)
    change, asked = await core.db.write(lambda conn: request_cancel(conn, job, by, reason))
    if change is not None:
        core.outbox.publish(change, job.queue)
        return await _ended(core, job_id)
    if not asked:
        return await _ended(core, job_id)
    await tell_worker(core, job_id)
    return await _ended(core, job_id)


async def cancel_overdue(core: Core) -> None:
    """Cancels what has missed a deadline. What its provider had accepted is charged and collected, as in any cancel."""
    for job in await core.db.read(claims.overdue):
        change, asked = await core.db.write(partial(transitions.cancel_overdue, held=job))
        if change is not None:
            core.outbox.publish(change, job.queue)
        elif asked:
            await tell_worker(core, job.id)
        if change is not None or asked:
            log.info("deadline missed", job_id=job.id, start_by=job.start_by, finish_by=job.finish_by)


async def tell_worker(core: Core, job_id: str) -> None:
    """Tells the worker of a job that somebody wants it to stop; without Redis it reads that at its next renewal."""
    try:
        await core.redis.publish(redis_keys.CONTROL, WorkerCommand(deployment=core.deployment, cancel=job_id).dump())
    except (RedisError, OSError) as error:
        log.warning("the worker will see the cancel at its next renewal", job_id=job_id, reason=str(error))


def check_open(job: JobRow) -> None:
    """Raises Conflict for a job that has ended, or only fetches what was ordered before another cancel."""
    if job.state in TERMINAL_STATES:
        hint = "Nothing is left to stop; its record says what came of it."
        raise Conflict(f"This job has ended already: {job.state}.", hint=hint, state=job.state)
    if job.collects_id:
        hint = "It is paid for; what cannot be fetched is refunded."
        raise Conflict(
            "This job only fetches what was ordered and paid for before a cancel.", hint=hint, state=job.state
        )


def request_cancel(conn: Connection, job: JobRow, by: str, reason: str | None) -> tuple[Change | None, bool]:
    """Cancels a job that waits, or asks the worker of one that runs; inside the caller's transaction.

    The change of one that waited, and whether somebody was asked. Neither: it has just ended.
    """
    for _ in range(_TRIES):
        change = transitions.cancel_waiting(conn, job, by)
        if change is not None or transitions.ask_to_cancel(conn, job.id, by):
            audit_store.note(conn, by, "job.cancel", job.id, reason=reason, before={"state": job.state})
            return change, True
    return None, False


async def _ended(core: Core, job_id: str) -> CancelOutcome:
    until = asyncio.get_running_loop().time() + _ANSWER_SECONDS
    pause = _LOOK_SECONDS
    while asyncio.get_running_loop().time() < until:
        if answer := await core.db.read(lambda conn: _answer(conn, job_id)):
            return answer
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.2)
    message = "No worker has acknowledged yet. It stops at its next checkpoint, or when its lease is taken over."
    return CancelOutcome(job_id, "no worker acknowledged", message)


def _answer(conn: Connection, job_id: str) -> CancelOutcome | None:
    """What became of a job, in figures; None where it has not ended."""
    job = job_store.get_job(conn, job_id)
    money = (job.credits_charged, job.credits_refunded)
    if job.state == JobState.CANCELLED:
        name = collector_id(job)
        collector = name if job_store.exists(conn, name) else None
        return CancelOutcome(job_id, "cancelled", job.message or "Cancelled.", *money, collector)
    if job.state in TERMINAL_STATES:
        return CancelOutcome(job_id, "finishing", f"It ended before the cancel reached it: {job.state}.", *money)
    return None
