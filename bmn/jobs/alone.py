"""A process for one job that has cost two workers their lives: `python -m bmn.jobs.alone JOB FENCE OWNER`."""

import asyncio
import signal
import sys

from bmn import logs
from bmn.db import claims
from bmn.jobs.core import open_core
from bmn.jobs.executor import Executor, Run, Stop, load_handler
from bmn.jobs.registry import get_queue
from bmn.settings import load_settings


async def _main(job_id: str, fence: int) -> None:
    settings = load_settings()
    logs.configure(settings.bmn_log_level, settings.bmn_log_format, process="alone")
    core = await open_core(settings, "alone")
    try:
        row = await core.db.read(lambda conn: claims.held(conn, job_id, fence))
        if row is None:
            return
        queue = get_queue(row["queue"])
        executor = Executor(core, queue, load_handler(queue))
        run = Run(row)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, run.stop, Stop.CANCELLED)
        await executor.execute(run)
        await executor.close()
    finally:
        await core.close()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
