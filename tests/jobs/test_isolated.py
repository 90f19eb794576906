"""A job that runs in a process of its own is the same job: what its claim has said of it goes with it."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from bmn.db.operators import queue_store
from bmn.errors import Cause
from bmn.jobs.isolated import run_alone
from bmn.jobs.running_job import Run
from bmn.settings import Settings
from tests.kit import handlers
from tests.kit.engine import Engine

QUEUE = handlers.QUEUE


@pytest.fixture(autouse=True)
def _child_reads(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a fresh process finds in its environment: the settings of this test, and its handlers."""
    addresses = {
        "BMN_HOME": str(settings.bmn_home),
        "REDIS_URL": settings.redis_address,
        "DATABASE_URL": settings.database_address,
        "BMN_BACKOFF_SCALE": str(settings.bmn_backoff_scale),
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]),
    }
    for name, value in addresses.items():
        monkeypatch.setenv(name, value)


async def _run_probe_alone(engine: Engine, job_id: str) -> None:
    """The queue has paused itself and lets one job through, which has cost two workers already."""
    engine.core.work = replace(engine.core.work, module=handlers.__name__)
    down = {"by": "system", "reason": "down", "cause": Cause.PROVIDER_OVERLOADED}
    await engine.write(lambda conn: queue_store.set_paused(conn, QUEUE, probe_in=-1.0, **down))
    (job,) = await engine.claim(QUEUE)
    assert (job.id, job.probe) == (job_id, True)
    await run_alone(engine.core, handlers.obeying(), Run(job))


async def test_a_probe_that_succeeds_alone_resumes_its_queue(engine: Engine) -> None:
    job_id = await engine.do()
    await _run_probe_alone(engine, job_id)
    assert await engine.state(job_id) == "completed"
    assert await engine.read(lambda conn: queue_store.get_pause(conn, QUEUE)) is None


async def test_a_probe_that_meets_the_outage_alone_spends_no_attempt(engine: Engine) -> None:
    job_id = await engine.do("fail", cause=Cause.PROVIDER_OVERLOADED)
    await _run_probe_alone(engine, job_id)
    job = await engine.job(job_id)
    assert (job.state, job.attempt, job.losses) == ("queued", 0, 0)
    assert await engine.read(lambda conn: queue_store.get_pause(conn, QUEUE)) is not None


async def test_a_job_that_is_no_probe_resumes_nothing(engine: Engine) -> None:
    """Claimed before somebody paused the queue: that it works says nothing about what is being mended."""
    engine.core.work = replace(engine.core.work, module=handlers.__name__)
    job_id = await engine.do()
    (job,) = await engine.claim(QUEUE)
    await engine.write(lambda conn: queue_store.set_paused(conn, QUEUE, by="system", reason="down", probe_in=60.0))
    await run_alone(engine.core, handlers.obeying(), Run(job))
    assert await engine.state(job_id) == "completed"
    assert await engine.read(lambda conn: queue_store.get_pause(conn, QUEUE)) is not None
