"""What each exit code says, once: scripts, `bmn help exit-codes` and the tests read this table."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bmn.schemas.documents import Job

DONE = 0
FAILED = 1
USAGE = 2
NOT_FOUND = 3
NOT_ALLOWED = 4
CONFLICT = 5
NO_CREDITS = 6
MODERATED = 7
CANCELLED = 8
PARTIAL = 9
NO_SERVER = 69
TRY_LATER = 75
TIMED_OUT = 124
INTERRUPTED = 130
BROKEN_PIPE = 141

MEANINGS: dict[int, str] = {
    DONE: "done",
    FAILED: "the job failed, or a general error",
    USAGE: "the command line or a setting is wrong",
    NOT_FOUND: "no such thing, or it is not yours",
    NOT_ALLOWED: "not signed in, or not allowed",
    CONFLICT: "conflict: the state forbids it, or an idempotency key was used for something else",
    NO_CREDITS: "not enough credits",
    MODERATED: "the provider refused the content",
    CANCELLED: "the job was cancelled",
    PARTIAL: "partly done: some of several were refused; of a partial job with --strict, without it 0",
    NO_SERVER: "no server answers, or it went away for good",
    TRY_LATER: "try again later: a dependency is away, or a limit is reached",
    TIMED_OUT: "--timeout was reached; the job goes on",
    INTERRUPTED: "interrupted with Ctrl-C; a job that was watched goes on",
    BROKEN_PIPE: "the reader of our output went away (said silently)",
}


def of_job(job: "Job", *, strict: bool = False) -> int:
    """The exit code that an ended job stands for."""
    state = job.state
    if state == "failed":
        return MODERATED if job.cause == "moderated" else FAILED
    if state == "partial":
        return PARTIAL if strict else DONE
    return CANCELLED if state == "cancelled" else DONE


def of_state(state: str) -> int:
    """The exit code of a job that ended so, where nothing else is known of it."""
    return {"failed": FAILED, "cancelled": CANCELLED}.get(state, DONE)


def of_jobs(jobs: Iterable["Job"], *, strict: bool = False) -> int:
    """Of several: the worst outcome speaks for all."""
    order = (FAILED, MODERATED, CANCELLED, PARTIAL, DONE)
    codes = {of_job(job, strict=strict) for job in jobs}
    return next((code for code in order if code in codes), DONE)
