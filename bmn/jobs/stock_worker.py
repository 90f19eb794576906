"""RQ door three: what a worker of RQ's own runs, so that `rq worker QUEUE` does honest work beside ours.

It is called in a process that RQ has forked for one id. The row of that id is claimed and executed under a lease and a
fence, as by any worker of ours. What RQ shows of it afterwards is what the row says: RQ's own bookkeeping knows two ends
only, so its process ends before that.
"""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable

from rq import get_current_job
from rq.job import Job as RqJob

from bmn import logs
from bmn.db import claims, job_store
from bmn.db.records import JobRow
from bmn.errors import BmnError, Cause, JobFailure, NotFound
from bmn.jobs.core import Core
from bmn.jobs.executor import Executor
from bmn.jobs.leases import Leases
from bmn.jobs.replay import retry
from bmn.jobs.rq.view import JOB_SECONDS, Shown, list_key
from bmn.jobs.running_job import Run
from bmn.schemas.payloads import JobState
from bmn.settings import Settings, load_settings
from bmn.settings.foreign import drop_foreign

log = logs.get_logger(__name__)

_BY = "rq requeue"
_LOOK_SECONDS = 1.0  # before an id that cannot be run now stands in the list again


def execute(open_core: Callable[[Settings, str], Awaitable[Core]]) -> None:
    """Runs the job that RQ has taken from its list. Raises JobFailure where it failed in a process that RQ goes on with."""
    taken = get_current_job()
    if taken is None:
        raise JobFailure(Cause.BUG, "Only a worker of RQ calls this.")
    drop_foreign()
    settings = load_settings()
    logs.configure(settings.bmn_log_level, settings.bmn_log_format, process="rq")
    try:
        job = asyncio.run(_run(open_core, settings, taken.id))
    except BmnError as problem:
        log.warning("not run; it stands in line again", job_id=taken.id, problem=problem.message)
        time.sleep(_LOOK_SECONDS)
        _put_back(taken)
        job = None
    _forget_run(taken)
    worker = f"rq:worker:{taken.worker_name}"
    if taken.connection.hget(worker, "pid") != str(os.getpid()).encode():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
    if job is not None and job.state is JobState.FAILED and job.cause:
        raise JobFailure(job.cause, job.error or job.message or "")


async def _run(open_core: Callable[[Settings, str], Awaitable[Core]], settings: Settings, job_id: str) -> JobRow | None:
    core = await open_core(settings, "rq")
    try:
        job = await core.db.read(lambda conn: job_store.get_job(conn, job_id))
        lease, began = settings.bmn_lease_seconds, time.monotonic()
        claimed = await core.db.write(lambda conn: claims.claim_one(conn, job.queue, job_id, core.name, lease))
        if claimed:
            await _work(core, Run(claimed, held_until=began + lease))
        else:
            await asyncio.sleep(_LOOK_SECONDS if job.completed_at is None else 0)
            await bring_back(core, job)
        await core.outbox.close()
        job = await core.db.read(lambda conn: job_store.get_job(conn, job_id))
        await core.view.show([_place(job)])
        return job
    except NotFound:
        log.warning("RQ has a job that no row knows", job_id=job_id)
        return None
    finally:
        await core.close()


async def _work(core: Core, run: Run) -> None:
    executor = Executor(core, core.queue(run.job.queue))
    keeping = asyncio.create_task(Leases(core, [run]).keep(), name="keep lease")
    await executor.execute(run)
    keeping.cancel()
    await asyncio.wait([keeping])
    await executor.close()


async def bring_back(core: Core, job: JobRow) -> bool:
    """Replays a dead job that somebody has put in line again with RQ's tools. False: nobody has, or it cannot be."""
    if job.state is not JobState.FAILED or not await core.view.was_requeued(job.id, job.fence):
        return False
    try:
        again = await retry(core, job.id, _BY)
    except BmnError as problem:
        log.warning("requeued in RQ, and not brought back", job_id=job.id, problem=problem.message)
        return False
    finally:
        core.outbox.show([_place(job)])
    log.info("requeued in RQ; brought back", job_id=job.id, replay=again.job_id)
    return True


def _place(job: JobRow) -> Shown:
    """Where a job is, as its row says it."""
    waits = job.state in (JobState.QUEUED, JobState.RETRYING)
    if waits and job.run_at <= time.time():
        return Shown(job.queue, job.id, job.fence)
    worker = job.lease_owner or "" if job.state is JobState.ACTIVE else ""
    return Shown(job.queue, job.id, job.fence, worker=worker, state=job.state, at=job.run_at)


def _put_back(taken: RqJob) -> None:
    taken.connection.hset(taken.key, "status", "queued")
    taken.connection.rpush(list_key(taken.origin), taken.id)


def _forget_run(taken: RqJob) -> None:
    """RQ's own record of this run; its process will not do that any more."""
    with taken.connection.pipeline() as pipe:
        for execution in taken.get_executions():
            execution.delete(job=taken, pipeline=pipe)
        pipe.execute()
    if taken.connection.ttl(taken.key) == -1:
        taken.connection.expire(taken.key, JOB_SECONDS)
