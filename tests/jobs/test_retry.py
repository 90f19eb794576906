"""What follows from a failure: a table of decisions, no side effects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmn.errors import CAUSES, OUTAGES, Cause, JobFailure, Moderated
from bmn.jobs.retry_policy import JITTER, LONGEST_DELAY, Action, Decision, backoff, decide

RETRIED = [cause for cause, info in CAUSES.items() if info.retried and cause is not Cause.PROVIDER_RATE_LIMITED]
FINAL = [cause for cause, info in CAUSES.items() if not info.retried and not info.pauses_queue]


def _plan(failure: JobFailure, attempt: int = 1, **more: float) -> Decision:
    return decide(failure, attempt=attempt, max_attempts=3, first_backoff=3, **more)


@pytest.mark.parametrize("cause", RETRIED)
def test_what_may_heal_is_tried_again_until_no_attempt_is_left(cause: Cause) -> None:
    plans = [_plan(JobFailure(cause, "x"), attempt) for attempt in (1, 2, 3)]
    assert [p.action for p in plans] == [Action.RETRY, Action.RETRY, Action.FAIL]
    assert [p.retries_left for p in plans] == [2, 1, 0]


@pytest.mark.parametrize("cause", FINAL)
def test_what_cannot_heal_ends_at_once(cause: Cause) -> None:
    assert _plan(JobFailure(cause, "x")) == Decision(Action.FAIL)


@pytest.mark.parametrize("cause", [Cause.PROVIDER_AUTH, Cause.PROVIDER_CREDIT])
def test_what_every_job_would_meet_pauses_the_queue(cause: Cause) -> None:
    assert _plan(JobFailure(cause, "x"), attempt=3).action is Action.PAUSE


def test_a_provider_that_says_more_than_its_cause_is_heard() -> None:
    assert _plan(JobFailure(Cause.PROVIDER_OVERLOADED, "x", retryable=False)).action is Action.FAIL
    assert _plan(JobFailure(Cause.BAD_INPUT, "x", retryable=True)).action is Action.RETRY
    assert _plan(Moderated("x")).action is Action.FAIL


def test_an_outage_that_everybody_meets_spends_no_attempt_but_has_an_end() -> None:
    for cause in OUTAGES:
        outage = JobFailure(cause, "x")
        assert _plan(outage, attempt=3, degraded=True).action is Action.PAUSE
        assert _plan(outage, attempt=1, degraded=True, limited_for=3600).action is Action.RETRY
        assert _plan(outage, attempt=3, degraded=True, limited_for=3600).action is Action.FAIL
        assert _plan(JobFailure(cause, "asked twice", retryable=False), degraded=True).action is Action.FAIL
    assert _plan(JobFailure(Cause.PROVIDER_GARBAGE, "x"), degraded=True).action is Action.RETRY


def test_being_asked_to_slow_down_spends_no_attempt_but_has_an_end() -> None:
    slow = JobFailure(Cause.PROVIDER_RATE_LIMITED, "x", retry_after=10)
    waiting = _plan(slow, attempt=3)
    assert waiting.action is Action.WAIT
    assert 10 <= waiting.delay <= 10 * (1 + JITTER)
    assert _plan(slow, limited_for=3600).action is Action.FAIL


def test_a_provider_cannot_make_a_job_wait_longer_than_it_may_wait() -> None:
    assert _plan(JobFailure(Cause.PROVIDER_RATE_LIMITED, "x", retry_after=1e9), limited_for=3000).delay == 600
    assert _plan(JobFailure(Cause.PROVIDER_OVERLOADED, "x", retry_after=1e9)).delay == 3600


def test_retry_after_wins_over_a_shorter_backoff() -> None:
    assert _plan(JobFailure(Cause.PROVIDER_OVERLOADED, "x", retry_after=100)).delay == 100
    assert _plan(JobFailure(Cause.PROVIDER_OVERLOADED, "x", retry_after=0.1)).delay >= 3


@given(first=st.floats(0.1, 60), attempt=st.integers(1, 30))
def test_a_backoff_doubles_is_capped_and_spread(first: float, attempt: int) -> None:
    plain = min(LONGEST_DELAY, first * 2 ** (attempt - 1))
    assert plain <= backoff(first, attempt) <= plain * (1 + JITTER)


def test_five_hundred_failures_do_not_come_back_as_a_herd() -> None:
    delays = [backoff(3, 3) for _ in range(500)]
    bins = [0] * 10
    for delay in delays:
        bins[min(9, int((delay - 12) / (12 * JITTER) * 10))] += 1
    assert max(bins) < 2 * sum(bins) / len(bins)


@given(
    cause=st.sampled_from(Cause),
    attempt=st.integers(1, 10),
    most=st.integers(1, 10),
    limited=st.floats(0, 10_000),
    asked=st.none() | st.floats(0, 1e6),
)
def test_no_decision_exceeds_its_limits(
    cause: Cause, attempt: int, most: int, limited: float, asked: float | None
) -> None:
    failure = JobFailure(cause, "x", retry_after=asked)
    decision = decide(failure, attempt=attempt, max_attempts=most, first_backoff=3, limited_for=limited)
    assert 0 <= decision.delay <= 3600
    if decision.action is Action.RETRY:
        assert decision.retries_left == most - attempt > 0
    else:
        assert decision.retries_left == 0


@pytest.mark.parametrize("asked", [None, 0.0, 0.2])
def test_a_provider_that_is_busy_for_long_is_asked_ever_less_often(asked: float | None) -> None:
    failure = JobFailure(Cause.PROVIDER_RATE_LIMITED, "slow down", retry_after=asked)
    waited, times = 0.0, 0
    while (decision := decide(failure, attempt=1, max_attempts=3, first_backoff=2.0, limited_for=waited)).delay:
        waited, times = waited + decision.delay + 0.1, times + 1
        assert times < 100
    assert waited > 3000
