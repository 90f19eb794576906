"""A process for one job that has cost two workers their lives, so that its death is nobody else's.

Its worker keeps the lease, and says by a signal why it has to stop. In the child: `python -m bmn.jobs.isolated
MODULE JOB FENCE PROBE`, MODULE being the one whose `open_core` hands the queues over.
"""

import asyncio
import signal
import sys
from importlib import import_module
from typing import Any

from bmn import logs
from bmn.db import claims, transitions
from bmn.db.engine import Connection
from bmn.db.transitions import Change
from bmn.jobs.core import Core
from bmn.jobs.escalation import lose
from bmn.jobs.executor import Executor
from bmn.jobs.queue import Queue
from bmn.jobs.running_job import Run, Stop
from bmn.lifeline import lifeline
from bmn.settings import load_settings

log = logs.get_logger(__name__)

_SIGNALS = {Stop.CANCELLED: signal.SIGUSR1, Stop.HANDED_ON: signal.SIGTERM, Stop.FENCED: signal.SIGUSR2}
_STOP_SECONDS = 3.0


async def run_alone(core: Core, queue: Queue, run: Run) -> None:
    """Runs a claimed job in a fresh process. The death of that is one more loss."""
    job = run.job
    log.warning("running alone in a fresh process", job_id=job.id, losses=job.losses)
    arguments = [core.work.module, job.id, str(job.fence), str(int(job.probe))]
    command = [sys.executable, "-P", "-m", "bmn.jobs.isolated", *arguments]
    child = await asyncio.create_subprocess_exec(*lifeline(command))
    waiting = asyncio.ensure_future(child.wait())
    either: list[asyncio.Future[Any]] = [waiting, run.stopped]
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if not waiting.done():
        child.send_signal(_SIGNALS[run.stopped.result()])
        await asyncio.wait([waiting], timeout=_STOP_SECONDS)
    if not waiting.done():
        child.kill()
    if await waiting != 0:
        change = await core.db.write(lambda conn: _after_death(conn, core, run))
        if change:
            core.outbox.publish(change, queue.name)


def _after_death(conn: Connection, core: Core, run: Run) -> Change | None:
    """The books of a child that could not keep them itself."""
    if run.stopped.done() and run.stopped.result() is Stop.HANDED_ON:
        return transitions.hand_on(conn, run.job)
    return lose(conn, core, run.job)


async def _main(module: str, job_id: str, fence: int, probe: bool) -> None:
    settings = load_settings()
    logs.configure(settings.bmn_log_level, settings.bmn_log_format, process="alone")
    core: Core = await import_module(module).open_core(settings, "alone")
    try:
        job = await core.db.read(lambda conn: claims.held(conn, job_id, fence, probe=probe))
        if job is None:
            return
        queue = core.queue(job.queue)
        executor = Executor(core, queue, keeps_lease=False)
        run = Run(job)
        for reason, number in _SIGNALS.items():
            asyncio.get_running_loop().add_signal_handler(number, run.stop, reason)
        await executor.execute(run)
        await executor.close()
    finally:
        await core.close()


if __name__ == "__main__":
    _, module, job_id, fence, probe = sys.argv
    asyncio.run(_main(module, job_id, int(fence), probe == "1"))
