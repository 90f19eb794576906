"""A worker's process: its signals, the dead one that it replaces, its exit code."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

from bmn import logs, observability
from bmn.db import claims
from bmn.jobs.core import FAMILY, Core, this_host
from bmn.jobs.sweeper import Sweeper
from bmn.jobs.worker import Worker
from bmn.settings import Settings

log = logs.get_logger(__name__)

OpenCore = Callable[[Settings, str], Awaitable[Core]]
"""Opens a core for a role in this process; whoever has the queues hands it in."""


async def serve(
    open_core: OpenCore,
    settings: Settings,
    queue_name: str,
    *,
    slots: int | None = None,
    replaces: int | None = None,
    burst: bool = False,
    grace: float | None = None,
    ready: Callable[[], None] | None = None,
) -> None:
    """Runs a worker until SIGTERM or SIGINT. replaces: process id of a dead one on this host, whose leases end now."""
    loop = asyncio.get_running_loop()
    early = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, early.set)
    core = await open_core(settings, queue_name)
    try:
        queue = core.queue(queue_name)
        worker = Worker(core, queue, slots=slots or queue.slots, burst=burst, grace=grace)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, worker.stop)
        if early.is_set():
            worker.stop()
        if replaces:
            ended = await core.db.write(lambda conn: claims.end_leases_on(conn, this_host(), replaces, FAMILY))
            log.info("takes over from a dead worker", dead=replaces, jobs=ended)
            await Sweeper(core).take_from_the_dead()  # now, and not at somebody's next sweep
        await worker.run(ready)
    finally:
        await core.close()
    log.info("worker closed", queue=queue_name)


def run(
    open_core: OpenCore,
    settings: Settings,
    queue: str,
    slots: int | None = None,
    replaces: int | None = None,
    burst: bool = False,
    ready: Callable[[], None] | None = None,
    grace: float | None = None,
) -> None:
    """A worker process: blocks until the worker has ended."""
    logs.configure(settings.bmn_log_level, settings.bmn_log_format, process=f"worker {queue}")
    observability.configure(settings, f"worker-{queue}")
    with asyncio.Runner() as runner:
        runner.run(
            serve(open_core, settings, queue, slots=slots, replaces=replaces, burst=burst, grace=grace, ready=ready)
        )
        if stuck := runner.run(_stop_what_is_left()):
            # Closing the loop would wait for them for ever. Their jobs have gone back in line; their writes are refused.
            log.error("handlers did not stop; ending without them", handlers=stuck)
            os._exit(0)


async def _stop_what_is_left() -> int:
    """Cancels handlers that have outlived their job; returns how many do not listen."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    return len((await asyncio.wait(left, timeout=1))[1]) if left else 0
