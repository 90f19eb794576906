"""RQ's own tools against real jobs: `rq info` counts what is, `rq worker` does honest work, `rq requeue` is a replay."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
import redis
from rq.registry import (
    CanceledJobRegistry,
    FailedJobRegistry,
    FinishedJobRegistry,
    ScheduledJobRegistry,
    StartedJobRegistry,
)

from bmn.db import job_store
from bmn.db.operators import queue_store
from bmn.jobs.cancellation import cancel
from bmn.settings import Settings
from tests.kit import handlers
from tests.kit.engine import Engine
from tests.kit.people import ANA
from tests.kit.processes import PATIENCE, eventually
from tests.kit.sandbox import RunningSandbox

QUEUE, LOGOS = handlers.QUEUE, "logo-generation"
_REGISTRIES = {
    "started": StartedJobRegistry,
    "finished": FinishedJobRegistry,
    "failed": FailedJobRegistry,
    "scheduled": ScheduledJobRegistry,
    "canceled": CanceledJobRegistry,
}


async def rq(settings: Settings, *words: str) -> str:
    """Runs RQ's own program with our environment; returns what it says."""
    address = settings.redis_url.get_secret_value()
    env = {
        "PATH": str(Path(sys.executable).parent),
        "BMN_HOME": str(settings.bmn_home),
        "REDIS_URL": address,
        "DATABASE_URL": settings.database_address,
        "BMN_BACKOFF_SCALE": "100",
        "COLUMNS": "200",
        **({"BMN_SANDBOX_URL": settings.bmn_sandbox_url} if settings.bmn_sandbox_url else {}),
    }
    program = str(Path(sys.executable).parent / "rq")
    child = await asyncio.create_subprocess_exec(
        program, *words, "--url", address, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await asyncio.wait_for(child.communicate(), PATIENCE)
    assert child.returncode == 0, said.decode()
    return said.decode()


async def shown(redis_url: str, queue: str) -> dict[str, list[str]]:
    """The ids of each of RQ's registries that has any."""

    def read() -> dict[str, list[str]]:
        with redis.Redis.from_url(redis_url) as connection:
            kinds = {name: kind(queue, connection=connection) for name, kind in _REGISTRIES.items()}
            found = {name: kind.get_job_ids(cleanup=False) for name, kind in kinds.items()}
        return {name: sorted(ids) for name, ids in found.items() if ids}

    return await asyncio.to_thread(read)


async def _shows(redis_url: str, queue: str, expected: dict[str, list[str]]) -> None:
    async def right() -> bool:
        return await shown(redis_url, queue) == expected

    await eventually(right)


async def test_rq_info_counts_every_job_that_waits(engine: Engine, redis_url: str) -> None:
    for _ in range(331):
        await engine.do()
    await engine.core.outbox.close()
    said = await rq(engine.settings, "info")
    (line,) = [line for line in said.splitlines() if line.startswith(QUEUE)]
    assert " 331, 0 executing" in line


async def test_a_worker_of_rq_does_the_work_under_our_guarantees(
    engine: Engine, with_sandbox: Settings, sandbox: RunningSandbox, redis_url: str
) -> None:
    await engine.user()
    ids = [(await engine.submit(count=2)).job_id for _ in range(2)]
    cancelled = (await engine.submit()).job_id
    await cancel(engine.core, cancelled, ANA)
    await engine.core.outbox.close()
    said = await rq(with_sandbox, "worker", LOGOS, "--burst")
    assert [await engine.state(job_id) for job_id in ids] == ["completed"] * 2, said
    assert len(sandbox.ledger("bfl")) == 4
    await _shows(redis_url, LOGOS, {"finished": sorted(ids), "canceled": [cancelled]})
    assert engine.problems(sandbox) == []


async def test_a_worker_of_rq_shows_a_retry_as_scheduled_and_a_failure_as_failed(
    engine: Engine, with_sandbox: Settings, sandbox: RunningSandbox, redis_url: str
) -> None:
    await engine.user()
    sandbox.fault("bfl", op="submit", status=503, times=1)
    later = (await engine.submit()).job_id
    await engine.core.outbox.close()
    said = await rq(with_sandbox, "worker", LOGOS, "--burst")
    assert await engine.state(later) == "retrying", said
    await _shows(redis_url, LOGOS, {"scheduled": [later]})
    sandbox.fault("bfl", moderate=1)
    refused = (await engine.submit()).job_id
    await engine.core.outbox.close()
    await rq(with_sandbox, "worker", LOGOS, "--burst")
    assert await engine.state(refused) == "failed"
    await _shows(redis_url, LOGOS, {"scheduled": [later], "failed": [refused]})


async def test_a_worker_of_rq_that_finds_nothing_to_do_leaves_the_job_in_line(engine: Engine, redis_url: str) -> None:
    await engine.user()
    job_id = (await engine.submit()).job_id
    await engine.write(lambda conn: queue_store.set_paused(conn, LOGOS, by="ana", reason="for a test"))
    await engine.core.outbox.close()
    await rq(engine.settings, "worker", LOGOS, "--burst", "--max-jobs", "1")
    assert await engine.state(job_id) == "queued"
    assert await shown(redis_url, LOGOS) == {}
    assert await engine.core.view.listed(LOGOS) == [job_id]


@pytest.mark.parametrize("by", ["ours", "RQ's"])
async def test_rq_requeue_of_a_dead_job_is_a_replay(
    engine: Engine, with_sandbox: Settings, sandbox: RunningSandbox, redis_url: str, by: str
) -> None:
    await engine.user()
    sandbox.fault("bfl", status=400)
    async with engine.worker(LOGOS, settings=with_sandbox):
        dead = (await engine.submit()).job_id
        assert await engine.ended(dead) == ["failed"]
        await _shows(redis_url, LOGOS, {"failed": [dead]})
    sandbox.clear()
    said = await rq(with_sandbox, "requeue", "--queue", LOGOS, dead)
    assert "Unable" not in said
    assert await engine.core.view.listed(LOGOS) == [dead]

    async def replayed() -> Any:
        return await engine.read(lambda conn: job_store.children(conn, dead))

    if by == "ours":
        async with engine.worker(LOGOS, settings=with_sandbox):
            await eventually(replayed)
            (child,) = await replayed()
            assert await engine.ended(child) == ["completed"]
    else:
        await rq(with_sandbox, "worker", LOGOS, "--burst")
        await eventually(replayed)
        (child,) = await replayed()
        await rq(with_sandbox, "worker", LOGOS, "--burst")
        assert await engine.ended(child) == ["completed"]
    assert await engine.state(dead) == "failed"
    assert engine.problems(sandbox) == []
