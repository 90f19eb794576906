"""A worker process that claims jobs and publishes their events in turn: `python -m bench.publisher JOB,JOB EVENTS RATE`."""

import asyncio
import sys
import time
from functools import partial

from bmn.db import claims, transitions
from bmn.schemas.events import AgentMessage
from bmn.settings import load_settings
from bmn.work.wiring import open_core


async def _publish(jobs: list[str], events: int, rate: float, size: int) -> None:
    core = await open_core(load_settings(), "publisher")
    queue = jobs[0].rsplit("-", 5)[0]
    rows = await core.db.write(lambda conn: claims.claim(conn, queue, 1_000_000, core.name, 600))
    held = {job.id: job for job in rows}
    begin = time.perf_counter()
    for number in range(events):
        await asyncio.sleep(max(0.0, begin + number / rate - time.perf_counter()))
        job_id = jobs[number % len(jobs)]
        event = partial(AgentMessage, content=f"{time.time()} {'x' * size}")
        change = await core.db.write(lambda conn, of=job_id, e=event: transitions.record(conn, held[of], e))
        assert change is not None
        core.outbox.publish(change)
    await core.close()


if __name__ == "__main__":
    jobs, events, rate, *size = sys.argv[1:]
    asyncio.run(_publish(jobs.split(","), int(events), float(rate), int(*size)))
