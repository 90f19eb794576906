"""Matrix rows 8 to 14 and 16: a worker dies or is stopped, at every point where it matters."""

import signal

import psutil
import pytest
from sqlalchemy import update

from bmn.db.tables import jobs
from bmn.jobs.cancellation import cancel
from tests.chaos.deployment import LOGOS, Deployment, Start
from tests.kit import handlers
from tests.kit.processes import gone, wait_until

POINTS = [
    "dequeued",
    "claimed",
    "submitting",
    "provider_sent",
    "submitted",
    "ready",
    "storing",
    "stored",
    "saved",
    "settling",
    "settled",
]


_BESIDE = ("dequeued", "provider_sent", "ready", "storing", "stored", "collecting")
"""Points between two writes of a picture to the database: what a kill leaves there is what was committed, as on any."""


def _everywhere(points: list[str]) -> pytest.MarkDecorator:
    """At each point on PostgreSQL, and where the database has a part in it on SQLite too."""
    places = [("postgresql", point) for point in points]
    places += [("sqlite", point) for point in points if point not in _BESIDE]
    return pytest.mark.parametrize(("database_url", "point"), places, indirect=["database_url"])


@_everywhere(POINTS)
async def test_a_worker_killed_anywhere_costs_nothing_twice(stack: Deployment, point: str) -> None:
    victim = stack.worker_at(point)
    job_id = await stack.logos(2)
    if point == "dequeued" and await stack.ended_or_gone(job_id, victim):
        job_id = await stack.logos(2)  # the first was claimed before it stood in the line
    assert victim.wait_end() == -signal.SIGKILL
    await stack.lost()
    assert stack.losses >= (point in ("submitting", "provider_sent"))
    stack.worker()
    assert await stack.ended(job_id) == ["completed"]
    row = await stack.job(job_id)
    assert (row.credits_charged, row.credits_refunded) == (2, 0)
    assert row.losses == (0 if point in ("dequeued", "settled") else 1)
    assert row.attempt == 1
    report = await stack.check()
    assert report.billed <= 2 * len(stack.accepted) + report.ambiguous


async def test_a_supervisors_word_spares_the_wait_for_the_lease(start: Start) -> None:
    stack: Deployment = await start(BMN_LEASE_SECONDS="60", BMN_RENEW_SECONDS="1")
    victim = stack.worker_at("submitted")
    job_id = await stack.logos(1)
    victim.wait_end()
    await stack.lost()
    stack.worker(replaces=victim.pid)
    assert await stack.ended(job_id) == ["completed"]
    assert len(stack.bill()) == 1
    await stack.check()


async def test_the_third_worker_that_dies_on_a_job_makes_it_a_dead_letter(stack: Deployment) -> None:
    """Row 19: a segfault each time; the third time in a process of its own, so that others do not suffer."""
    job_id = await stack.do("die", how="segfault")
    for _ in range(2):
        stack.worker(handlers.QUEUE).wait_end()
    survivor = stack.worker(handlers.QUEUE)
    others = [await stack.do() for _ in range(5)]
    assert await stack.ended(job_id, *others) == ["failed"] + ["completed"] * 5
    row = await stack.job(job_id)
    assert (row.cause, row.losses) == ("worker_killed", 3)
    assert survivor.code is None
    await stack.check()


async def test_a_job_that_runs_alone_can_end_well_and_be_cancelled(stack: Deployment) -> None:
    fine = await stack.logos(1)
    await stack.core.db.write(lambda conn: conn.execute(update(jobs).values(losses=2)))
    worker = stack.worker(slots=1)
    assert await stack.ended(fine) == ["completed"]
    worker.stop()  # nobody takes the next one before it has lost two
    stack.fault(op="poll", pending=True)
    third = await stack.logos(1)
    await stack.core.db.write(lambda conn: conn.execute(update(jobs).where(jobs.c.id == third).values(losses=2)))
    worker = stack.worker(slots=1)

    async def polled() -> bool:
        return any(unit.state == "submitted" for unit in await stack.units(third))

    await stack.until(polled)
    children = psutil.Process(worker.pid).children()
    assert len(children) == 1
    answer = await cancel(stack.core, third, "ana")
    assert answer.state == "cancelled"
    wait_until(lambda: gone(children[0].pid))
    stack.clear_faults()
    assert await stack.ended(str(answer.collector)) == ["completed"]  # what it had ordered, by the worker itself
    await stack.check()


async def test_a_killed_worker_leaves_no_process_behind(stack: Deployment) -> None:
    """Row 14: the process of a job that runs alone goes with its worker."""
    stack.fault(op="poll", pending=True, times=200)
    job_id = await stack.logos(1)
    await stack.core.db.write(lambda conn: conn.execute(update(jobs).values(losses=2)))
    worker = stack.worker()

    async def polled() -> bool:
        return any(unit.state == "submitted" for unit in await stack.units(job_id))

    await stack.until(polled)
    (child,) = psutil.Process(worker.pid).children()
    worker.kill()
    wait_until(lambda: gone(child.pid))
    stack.worker()
    assert await stack.ended(job_id) == ["failed"]  # its third lost worker
    await stack.check()


async def test_sigterm_with_running_jobs_ends_within_the_grace_and_spends_no_attempt(start: Start) -> None:
    """Row 16, and I14: what cannot finish goes on elsewhere, from its units."""
    grace = 10.0
    stack: Deployment = await start(BMN_GRACE_SECONDS=str(grace))
    stack.fault(op="poll", pending=True)
    worker = stack.worker(LOGOS, slots=4)
    ids = [await stack.logos(1) for _ in range(4)]

    async def all_ordered() -> bool:
        return all([any(u.state == "submitted" for u in await stack.units(job_id)) for job_id in ids])

    await stack.until(all_ordered)
    assert worker.stop(grace) == 0
    rows = [await stack.job(job_id) for job_id in ids]
    assert [(row.state, row.attempt, row.losses) for row in rows] == [("queued", 0, 0)] * 4
    stack.clear_faults()
    stack.worker(LOGOS, slots=4)
    assert await stack.ended(*ids) == ["completed"] * 4
    assert len(stack.bill()) == 4
    await stack.check()


async def test_a_second_sigterm_hurries(stack: Deployment) -> None:
    worker = stack.worker(handlers.QUEUE)
    job_id = await stack.do("hang")
    await stack.active(job_id)
    worker.signal(signal.SIGTERM)
    wait_until(lambda: "waiting for running jobs" in worker.tail())
    assert worker.stop(8) == 0
    assert (await stack.job(job_id)).state == "queued"
    await stack.check(served=[LOGOS])


@pytest.mark.parametrize("when", ["idle", "starting"])
async def test_sigterm_while_there_is_nothing_to_do(stack: Deployment, when: str) -> None:
    worker = stack.worker(wait=when == "idle")
    assert worker.stop(15) in ((0,) if when == "idle" else (0, -signal.SIGTERM))
    await stack.check()


async def test_a_handler_that_does_not_listen_cannot_keep_a_worker_alive(stack: Deployment) -> None:
    """Row 18: the attempt ends at its timeout, the slot is free, and the process ends when it is told to."""
    stubborn, other = await stack.do("swallow", times=1000), await stack.do()
    await stack.core.db.write(lambda conn: conn.execute(update(jobs).values(max_attempts=1)))
    worker = stack.worker(handlers.QUEUE, slots=1, figures={"timeout": 2})
    assert await stack.ended(stubborn, other) == ["failed", "completed"]
    assert (await stack.job(stubborn)).cause == "timeout"
    assert worker.stop(8) == 0
    await stack.check()


async def test_every_worker_is_replaced_under_load_and_no_attempt_is_spent(stack: Deployment) -> None:
    workers = [stack.worker(LOGOS, slots=2) for _ in range(2)]
    ids = [await stack.logos(2) for _ in range(12)]
    for old in workers:
        stack.worker(LOGOS, slots=2)
        assert old.stop(15) == 0
    assert await stack.ended(*ids) == ["completed"] * 12
    rows = [await stack.job(job_id) for job_id in ids]
    assert {(row.attempt, row.losses) for row in rows} == {(1, 0)}
    assert len(stack.bill()) == 24
    await stack.check()


@_everywhere(["collecting", "ready", "stored", "saved", "settling"])
async def test_a_worker_killed_while_it_collects_for_a_cancelled_job_costs_nothing_twice(
    stack: Deployment, point: str
) -> None:
    victim = stack.worker_at(point)
    stack.fault(op="poll", pending=True)
    job_id = await stack.logos(3)

    async def ordered() -> bool:
        return sum(unit.state == "submitted" for unit in await stack.units(job_id)) == 3

    await stack.until(ordered)
    answer = await cancel(stack.core, job_id, "ana")
    assert (answer.state, answer.charged, answer.refunded) == ("cancelled", 3, 0)
    stack.clear_faults()
    assert victim.wait_end() == -signal.SIGKILL
    await stack.lost()
    stack.worker()
    assert await stack.ended(str(answer.collector)) == ["completed"]
    row = await stack.job(job_id)
    assert (row.credits_charged, row.credits_refunded) == (3, 0)
    assert len(stack.bill()) == 3
    await stack.check()
