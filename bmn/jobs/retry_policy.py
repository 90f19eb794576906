"""What happens after an attempt failed: a pure decision, no side effects."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bmn.errors import CAUSES, OUTAGES, Cause, JobFailure

LONGEST_DELAY = 300.0
"""Seconds; the cap of a backoff. A provider's Retry-After may be longer and wins, up to the longest wait."""
JITTER = 0.2


class Action(StrEnum):
    """What becomes of a job whose attempt has failed."""

    RETRY = "retry"  # another attempt, after the delay
    WAIT = "wait"  # the same attempt later: the provider asked us to slow down
    PAUSE = "pause"  # the same attempt later, and the queue with it: every job would fail alike
    FAIL = "fail"  # no further attempt


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from a failure. delay: seconds until the next attempt. retries_left: attempts after this one."""

    action: Action
    delay: float = 0.0
    retries_left: int = 0


def backoff(first: float, attempt: int, *, scale: float = 1.0) -> float:
    """Seconds before the attempt after `attempt`: doubled each time, capped, plus up to 20 % so that no herd forms."""
    delay: float = min(LONGEST_DELAY, first * 2 ** (attempt - 1))
    return delay * scale * (1 + random.uniform(0, JITTER))


def decide(
    failure: JobFailure,
    *,
    attempt: int,
    max_attempts: int,
    first_backoff: float,
    degraded: bool = False,
    limited_for: float = 0.0,
    longest_wait: float = 3600.0,
    scale: float = 1.0,
    waits: Sequence[float] = (),
) -> Decision:
    """Decides after attempt number `attempt` (from 1).

    degraded: the provider fails for everybody, so the job waits with its queue instead of spending an attempt.
    limited_for: seconds since this job first waited for its provider; past longest_wait it waits no more.
    scale: multiplies every delay but Retry-After. waits: seconds before each further attempt, in place of doubling.
    """
    outage = degraded and failure.cause in OUTAGES and failure.retryable and limited_for < longest_wait
    if outage or CAUSES[failure.cause].pauses_queue:
        return Decision(Action.PAUSE, delay=backoff(first_backoff, 1, scale=scale))
    if failure.cause is Cause.PROVIDER_RATE_LIMITED:
        if limited_for >= longest_wait:
            return Decision(Action.FAIL)
        own = max(backoff(first_backoff, 1, scale=scale), min(LONGEST_DELAY, limited_for / 4) * scale)
        # A provider that says nothing, or "at once", is asked ever less often; and so is one whose word does not hold.
        asked = (failure.retry_after or 0.0) * (1 + random.uniform(0, JITTER))
        waiting = max(asked, min(own, limited_for / 10)) if asked else own
        return Decision(Action.WAIT, delay=min(waiting, longest_wait - limited_for))
    left = max_attempts - attempt
    if not failure.retryable or left <= 0:
        return Decision(Action.FAIL)
    if attempt <= len(waits):
        delay = waits[attempt - 1] * scale * (1 + random.uniform(0, JITTER))
    else:
        delay = backoff(first_backoff, attempt, scale=scale)
    asked = min(failure.retry_after or 0.0, longest_wait)
    return Decision(Action.RETRY, delay=max(delay, asked), retries_left=left)
