"""Matrix row 15: a process stands still (garbage, a moved machine, SIGSTOP), is taken over from, and wakes up."""

import signal
import time
from dataclasses import replace

import pytest

from bmn.errors import TryLater
from tests.chaos.deployment import Deployment
from tests.kit.processes import eventually, wait_until


@pytest.mark.parametrize(
    "point",
    [
        "claimed",
        "submitting",
        "provider_sent",
        "submitted",
        "storing",
        "stored",
        "settling",
    ],
)
async def test_a_worker_that_wakes_up_too_late_changes_nothing(stack: Deployment, point: str) -> None:
    sleeper = stack.worker_held_at(point)
    job_id = await stack.logos(1)
    await stack.stop_there(sleeper)
    fence = (await stack.job(job_id)).fence
    await stack.lost()
    stack.worker()
    assert await stack.ended(job_id) == ["completed"]
    before = await stack.job(job_id)
    assert before.fence > fence
    sleeper.signal(signal.SIGCONT)
    wait_until(lambda: "another executor" in sleeper.tail() or "orphan" in sleeper.tail(), what="the sleeper is fenced")
    # An order whose answer is in the sleeper's hand was paid, whoever has the job by now: we pay for both, the user for one.
    paid = pytest.approx(before.cost_usd * len(stack.bill()))

    async def is_in_the_books() -> bool:
        return (await stack.job(job_id)).cost_usd == paid

    await eventually(is_in_the_books)
    after = await stack.job(job_id)
    assert replace(after, cost_usd=before.cost_usd) == before
    assert after.credits_charged == 1
    more = await stack.logos(1)
    assert await stack.ended(more) == ["completed"]
    await stack.check()


@pytest.mark.timed
async def test_a_process_that_stands_still_holds_nobody_up_for_long(stack: Deployment) -> None:
    """Wherever it stood, with a lock of the database in its hand, too.

    PostgreSQL takes the lock away; SQLite cannot, so writers are told to try again until the process goes on or is gone.
    """
    sleepers = [stack.worker(slots=4) for _ in range(2)]
    ids = [await stack.logos(1) for _ in range(10)]
    for sleeper in sleepers:
        sleeper.signal(signal.SIGSTOP)
    stack.losses = 10
    began = time.monotonic()
    try:
        await stack.do()
    except TryLater:
        assert stack.is_sqlite
    assert time.monotonic() - began < 40
    for sleeper in sleepers:
        sleeper.kill()
    stack.worker(slots=4)
    assert set(await stack.ended(*ids)) == {"completed"}
    await stack.check(served=["logo-generation"])
