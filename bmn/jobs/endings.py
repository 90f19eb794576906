"""How an attempt has ended, as the transition of its job. Each is one transaction of the executor."""

import traceback

from bmn.db import job_store, transitions
from bmn.db.engine import Connection
from bmn.db.records import JobRow, UnitState
from bmn.db.transitions import Change
from bmn.errors import CAUSES, BmnError, Cause, JobFailure, TryLater
from bmn.jobs.context import Result
from bmn.jobs.retry_policy import Action, Decision
from bmn.logs import get_logger
from bmn.schemas.results import JobResult

log = get_logger(__name__)


def as_failure(error: Exception) -> JobFailure:
    """What an error of a handler means for its job."""
    if isinstance(error, JobFailure):
        return error
    if isinstance(error, TryLater):
        return JobFailure(Cause.DATABASE, error.message)
    if isinstance(error, BmnError):
        return JobFailure(Cause.BAD_INPUT, error.message)
    log.error("handler raised", error=repr(error), trace="".join(traceback.format_exception(error)))
    return JobFailure(Cause.BUG, f"A defect on our side ({type(error).__name__}).")


def ended_well(conn: Connection, job: JobRow, result: Result) -> Change | None:
    """Completes a job; None where it is no longer this process's."""
    data = result.data or transitions.result_of(job, transitions.delivered_assets(conn, job.id))
    if job.collects_id:
        return _collected(conn, job, data)
    step = job.traits.step or None
    error, cause = _why_only_a_part(conn, job) if result.partial else (None, None)
    return transitions.complete(
        conn, job, result.message, data, partial=result.partial, step=step, error=error, cause=cause
    )


def _why_only_a_part(conn: Connection, job: JobRow) -> tuple[str | None, Cause | None]:
    """Of the first unit that was refused: what lists, groups and filters know the job by."""
    refused = next((unit for unit in job_store.units(conn, job.id) if unit.cause), None)
    return (refused.error, refused.cause) if refused else (None, None)


def _collected(conn: Connection, job: JobRow, data: JobResult) -> Change | None:
    ordered = job_store.units(conn, job.id)
    there = sum(unit.state is UnitState.SAVED for unit in ordered)
    message = f"{there} of {len(ordered)} that were ordered before the cancel arrived"
    return transitions.complete(conn, job, message, data, partial=there < len(ordered))


def after_failure(conn: Connection, job: JobRow, failure: JobFailure, decision: Decision) -> Change | None:
    """Carries out what was decided; None where the job is no longer this process\'s."""
    cause, error = failure.cause, failure.message
    if decision.action is Action.RETRY:
        left = decision.retries_left
        return transitions.retry(conn, job, delay=decision.delay, cause=cause, error=error, retries_left=left)
    if decision.action in (Action.WAIT, Action.PAUSE):
        text = CAUSES[cause].told_while_waiting
        return transitions.wait(conn, job, delay=decision.delay, cause=cause, message=text)
    return transitions.fail(conn, job, cause, error)
