"""Every error of the project, drawn as a tree, and the closed set of causes a job can fail of.

BmnError
├── UsageProblem          400  exit 2     the request itself is wrong
│   └── PayloadTooLarge   413  exit 2
├── NotFound              404  exit 3     no such thing, or not yours: the two look the same
├── NotSignedIn           401  exit 4
├── NotAllowed            403  exit 4
├── Conflict              409  exit 5
├── InsufficientCredits   402  exit 6
├── TryLater              503  exit 75    a dependency is away
│   └── RateLimited       429  exit 75
├── NoServer              -    exit 69    the command line found nobody to talk to
├── Misconfigured         500  exit 2     a setting is wrong; named in the message
└── JobFailure            -    exit 1     one attempt of a job failed, of one cause
    └── Moderated         -    exit 7

CancellationRequested (BaseException)     a cancel that no handler can swallow
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from bmn.cleaning import cleaned_text


class Cause(StrEnum):
    """Why a job failed: the same word in `jobs why`, filters, metrics and the docs."""

    BAD_INPUT = "bad_input"
    MODERATED = "moderated"
    PROVIDER_AUTH = "provider_auth"
    PROVIDER_CREDIT = "provider_credit"
    PROVIDER_RATE_LIMITED = "provider_rate_limited"
    PROVIDER_OVERLOADED = "provider_overloaded"
    PROVIDER_TIMEOUT = "provider_timeout"
    PROVIDER_GARBAGE = "provider_garbage"
    DOWNLOAD_FAILED = "download_failed"
    STORAGE_FAILED = "storage_failed"
    DATABASE = "database"
    REDIS = "redis"
    WORKER_LOST = "worker_lost"
    WORKER_KILLED = "worker_killed"
    TIMEOUT = "timeout"
    WEBHOOK_FAILED = "webhook_failed"
    CANCELLED = "cancelled"
    DEADLINE = "deadline"
    SCHEMA_CHANGED = "schema_changed"
    BUG = "bug"


OUTAGES = frozenset({Cause.PROVIDER_OVERLOADED, Cause.PROVIDER_TIMEOUT})
"""What jobs meet where a provider is down for all of them."""


@dataclass(frozen=True, slots=True)
class CauseInfo:
    """What follows from a cause.

    fault: who has to act (`you`, `us`, `provider`).
    retried: another attempt may heal it.
    dead_letter: when no attempt is left, an operator can mend it, so it goes to the dead letters.
    pauses_queue: every job of the queue would fail alike, so the queue waits instead.
    user_text, user_advice: what an end user reads, what happened and what to do at the end of it; no vendor names, no stack.
    advice: what an operator does about it.
    """

    fault: str
    retried: bool
    dead_letter: bool
    pauses_queue: bool
    user_text: str
    user_advice: str
    advice: str

    @property
    def told(self) -> str:
        """To the user of a job that has ended of this."""
        return f"{self.user_text} {self.user_advice}".rstrip()

    @property
    def told_while_waiting(self) -> str:
        """What a user reads while their queue stands still for it."""
        return f"{self.user_text} Your job waits; nothing is lost."

    @property
    def told_before_retry(self) -> str:
        """What a user reads while another attempt is to come."""
        return f"{self.user_text} We try again by ourselves."


def _info(
    fault: str,
    user_text: str,
    user_advice: str,
    advice: str,
    *,
    retried: bool = False,
    dead: bool = False,
    pauses: bool = False,
) -> CauseInfo:
    return CauseInfo(fault, retried, dead, pauses, user_text, user_advice, advice)


CAUSES: dict[Cause, CauseInfo] = {
    Cause.BAD_INPUT: _info(
        "you",
        "Something in the request cannot be used.",
        "Change it and try again.",
        "Correct the input; the error names the field.",
    ),
    Cause.MODERATED: _info(
        "you",
        "The image service declined this content.",
        "Try other words.",
        "Reword the prompt. Nothing was charged for the declined part.",
    ),
    Cause.PROVIDER_AUTH: _info(
        "us",
        "We cannot reach our image service right now.",
        "Please try again later.",
        "The provider refuses us: our key, its rights, the sender or the model. Fix it, then `bmn queues resume QUEUE`.",
        pauses=True,
        dead=True,
    ),
    Cause.PROVIDER_CREDIT: _info(
        "us",
        "We cannot reach our image service right now.",
        "Please try again later.",
        "The provider account is empty. Top it up, then `bmn queues resume QUEUE`.",
        pauses=True,
        dead=True,
    ),
    Cause.PROVIDER_RATE_LIMITED: _info(
        "provider",
        "Our image service is busy.",
        "Please try again later.",
        "The provider asked us to slow down for an hour. Lower the concurrency, or ask it for a higher limit.",
        retried=True,
        dead=True,
    ),
    Cause.PROVIDER_OVERLOADED: _info(
        "provider",
        "Our image service had an outage.",
        "Please try again later.",
        "The provider answered with server errors. Look at its status page, then replay.",
        retried=True,
        dead=True,
    ),
    Cause.PROVIDER_TIMEOUT: _info(
        "provider",
        "Our image service took too long.",
        "Please try again.",
        "The provider did not answer in time. Replay when it is well.",
        retried=True,
        dead=True,
    ),
    Cause.PROVIDER_GARBAGE: _info(
        "provider",
        "Our image service sent something unusable.",
        "Please try again.",
        "The provider's answer could not be read. Replay; if it repeats, its API has changed.",
        retried=True,
        dead=True,
    ),
    Cause.DOWNLOAD_FAILED: _info(
        "provider",
        "A finished picture could not be fetched.",
        "Please try again.",
        "The result could not be downloaded. Replay; look at the address in the job's timeline.",
        retried=True,
        dead=True,
    ),
    Cause.STORAGE_FAILED: _info(
        "us",
        "A finished picture could not be saved.",
        "Please try again; it is not charged twice.",
        "The object store refused or is away. See `bmn doctor`; a replay does not pay the provider again.",
        retried=True,
        dead=True,
    ),
    Cause.DATABASE: _info(
        "us",
        "Something on our side is not working.",
        "Please try again.",
        "The database was away. See `bmn doctor`, then replay.",
        retried=True,
        dead=True,
    ),
    Cause.REDIS: _info(
        "us",
        "Something on our side is not working.",
        "Please try again.",
        "Redis was away. See `bmn doctor`, then replay.",
        retried=True,
        dead=True,
    ),
    Cause.WORKER_LOST: _info(
        "us",
        "We lost a machine while working on this.",
        "It goes on by itself.",
        "A worker vanished while it held the job. Look at the worker's log.",
        retried=True,
        dead=True,
    ),
    Cause.WORKER_KILLED: _info(
        "us",
        "This job could not be finished.",
        "We are looking into it.",
        "Several workers died on this job: memory, or a crash in native code. Do not replay before it is understood.",
        dead=True,
    ),
    Cause.TIMEOUT: _info(
        "provider",
        "This took longer than it may.",
        "Please try again.",
        "The attempt passed its time limit. See which step was slow in the timeline, then replay.",
        retried=True,
        dead=True,
    ),
    Cause.WEBHOOK_FAILED: _info(
        "you",
        "The receiver of a webhook did not take it.",
        "Fix the receiver, then replay the delivery.",
        "The receiver is its user's; `bmn webhooks deliveries` says what it answered.",
        retried=True,
    ),
    Cause.CANCELLED: _info("you", "Cancelled.", "", "Nothing to do. What was finished or ordered is kept and charged."),
    Cause.DEADLINE: _info(
        "you",
        "Its deadline has passed, so it was cancelled.",
        "Start it again, with more time.",
        "Nothing to fix. If many miss their deadlines, the queue is too slow: add workers, or allow more time.",
    ),
    Cause.SCHEMA_CHANGED: _info(
        "us",
        "This job is from an older version.",
        "Please start it again.",
        "The payload no longer fits the schema; the error shows the difference. Submit it again.",
        dead=True,
    ),
    Cause.BUG: _info(
        "us",
        "Something on our side went wrong.",
        "We are looking into it.",
        "A defect of ours; the log has the traceback. Replay after the fix.",
        retried=True,
        dead=True,
    ),
}


def told(cause: Cause, message: str) -> str:
    """What an end user reads of a failure: where they can mend it, what it says of itself; else what its cause says."""
    return message if CAUSES[cause].fault == "you" else CAUSES[cause].told


def suggest(name: str, kind: str, choices: Iterable[str]) -> str:
    """The hint for an unknown name: the choice that was probably meant, and all there are. kind: what they are called."""
    names = list(choices)
    first_words = {choice.partition("-")[0]: choice for choice in reversed(names)}
    begun = [choice for choice in names if name and choice.startswith(name)]
    by_first_word = [first_words[word] for word in get_close_matches(name, first_words, n=1)]
    near = begun or get_close_matches(name, names, n=1) or by_first_word
    listed = f"{kind}: {', '.join(names)}"
    return f"Did you mean {near[0]}? {listed}" if near else listed


class BmnError(Exception):
    """Base of everything that is expected to go wrong.

    message: what happened, to what. hint: what to do about it. extra: fields that the HTTP body carries too.
    """

    code = "error"
    http_status = 500
    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None, **extra: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.extra = extra


class UsageProblem(BmnError):
    code, http_status, exit_code = "bad_request", 400, 2


class PayloadTooLarge(UsageProblem):
    code, http_status = "too_large", 413


class NotFound(BmnError):
    code, http_status, exit_code = "not_found", 404, 3


class NotSignedIn(BmnError):
    code, http_status, exit_code = "not_signed_in", 401, 4


class NotAllowed(BmnError):
    code, http_status, exit_code = "not_allowed", 403, 4


class Conflict(BmnError):
    code, http_status, exit_code = "conflict", 409, 5


class InsufficientCredits(BmnError):
    code, http_status, exit_code = "insufficient_credits", 402, 6

    def __init__(self, required: int, available: int) -> None:
        super().__init__(
            "Insufficient credits",
            hint=f"This needs {required}, and you have {available}. An admin can add more.",
            required=required,
            available=available,
        )
        self.required = required
        self.available = available


class BudgetReached(BmnError):
    """A user has spent what a day allows. It frees again by itself."""

    code, http_status, exit_code = "budget_reached", 402, 6


class TryLater(BmnError):
    """A dependency is away or full. retry_after: seconds, sent as the header of that name."""

    code, http_status, exit_code = "unavailable", 503, 75

    def __init__(self, message: str, *, retry_after: int = 5, hint: str | None = None, **extra: Any) -> None:
        super().__init__(message, hint=hint, **extra)
        self.retry_after = retry_after


class RateLimited(TryLater):
    code, http_status = "rate_limited", 429


class NoServer(BmnError):
    code, exit_code = "no_server", 69


class Misconfigured(BmnError):
    code, exit_code = "misconfigured", 2


class JobFailure(BmnError):
    """One attempt, or one unit of it, failed. The cause decides what happens next (`bmn.jobs.retry_policy`).

    retryable: overrides the cause's rule where the provider's answer says more.
    retry_after: seconds the provider asked us to wait.
    ambiguous: a paid request was sent and no answer came, so it may have been billed.
    said: the provider's own sentence, cleaned and without secrets; for operators, never for users.
    status, request_id: of the provider's answer. task_gone: what was ordered will never come. expired: its address has.
    """

    code, exit_code = "job_failed", 1

    def __init__(
        self,
        cause: Cause,
        message: str,
        *,
        retryable: bool | None = None,
        retry_after: float | None = None,
        ambiguous: bool = False,
        said: str | None = None,
        hint: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        task_gone: bool = False,
        expired: bool = False,
        **extra: Any,
    ) -> None:
        super().__init__(cleaned_text(message), hint=hint, **extra)
        self.cause = cause
        self.status = status
        self.request_id = request_id
        self.task_gone = task_gone
        self.expired = expired
        self.retryable = CAUSES[cause].retried if retryable is None else retryable
        self.retry_after = retry_after
        self.ambiguous = ambiguous
        self.said = said

    @property
    def for_operators(self) -> str:
        """The message, and what the provider said."""
        if not self.said:
            return self.message
        return f"{self.message} It says: {self.said}" + ("" if self.said[-1] in ".!?" else ".")


class Moderated(JobFailure):
    code, exit_code = "moderated", 7

    def __init__(self, message: str, **extra: Any) -> None:
        super().__init__(Cause.MODERATED, message, **extra)


class CancellationRequested(BaseException):
    """The job was asked to stop. Not an Exception, so that a handler's `except Exception` lets it pass."""
