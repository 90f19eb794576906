"""A worker process that claims a job and tells messages at a steady rate: `python -m bench.teller JOB EVENTS RATE`."""

import asyncio
import sys
import time

from bmn.db import claims, transitions
from bmn.jobs.core import open_core
from bmn.settings import load_settings


async def _tell(job_id: str, events: int, rate: float) -> None:
    core = await open_core(load_settings(), "teller")
    queue = job_id.rsplit("-", 5)[0]
    rows = await core.db.write(lambda conn: claims.claim(conn, queue, 1_000_000, core.name, 600))
    fence = next(row["fence"] for row in rows if row["id"] == job_id)
    begin = time.perf_counter()
    for number in range(events):
        await asyncio.sleep(max(0.0, begin + number / rate - time.perf_counter()))
        content = {"content": str(time.time())}
        change = await core.db.write(lambda conn, c=content: transitions.tell(conn, job_id, fence, "agent:message", c))
        assert change is not None
        core.outbox.tell(change)
    await core.close()


if __name__ == "__main__":
    asyncio.run(_tell(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
