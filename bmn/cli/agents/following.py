"""Waiting for jobs and kits as long as a tool's call may take, saying on the way how far they are."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from bmn.cli.following.kit_watch import GOES_ON, LOOK_SECONDS
from bmn.client import Client, follow
from bmn.client.patience import PATIENCE_SECONDS, insist
from bmn.schemas.documents import JobRecord, Kit
from bmn.schemas.payloads import TERMINAL_STATES

Report = Callable[[float, str], Awaitable[None]]
"""Told how many percent of all are done, and what is being done."""


async def wait_for(client: Client, job_ids: Sequence[str], seconds: float, report: Report) -> list[JobRecord]:
    """The records of jobs when all have ended, or after so many seconds. Raises BmnError."""
    records = [await client.job(job_id) for job_id in job_ids]
    open_ids = [job.job_id for job in records if job.state not in TERMINAL_STATES]
    if not open_ids or seconds <= 0:
        return records
    done = {job.job_id: 100.0 if job.job_id not in open_ids else float(job.progress) for job in records}

    async def watch(job_id: str) -> None:
        async for event in follow(client, job_id):
            said = event.said
            if said.progress is not None:
                done[job_id] = max(done[job_id], said.progress)
                await report(sum(done.values()) / len(done), said.message or event.name)

    tasks = [asyncio.create_task(watch(job_id)) for job_id in open_ids]
    try:
        ended, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in ended:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [await client.job(job_id, patience=PATIENCE_SECONDS) for job_id in job_ids]


async def wait_for_kit(client: Client, kit_id: str, seconds: float, report: Report) -> Kit:
    """A kit when it is done or waits for somebody, or after so many seconds. Raises BmnError."""
    kit = await client.kit(kit_id)
    until = asyncio.get_running_loop().time() + seconds
    while kit.state == GOES_ON and (left := until - asyncio.get_running_loop().time()) > 0:
        done = sum(step.state == "done" for step in kit.steps)
        await report(100 * done / len(kit.steps), kit.message)
        await asyncio.sleep(min(LOOK_SECONDS, left))
        kit = await insist(lambda: client.kit(kit_id), PATIENCE_SECONDS)
    return kit
