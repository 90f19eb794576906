"""A process of workers, one for each of its queues: its signals, the dead one that it replaces, its exit code."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Sequence

from bmn import logs, observability
from bmn.db import claims
from bmn.jobs.core import FAMILY, Core, this_host
from bmn.jobs.sweeper import Sweeper
from bmn.jobs.worker import Worker
from bmn.lifeline import DRAINED
from bmn.settings import Settings

log = logs.get_logger(__name__)

OpenCore = Callable[[Settings, str], Awaitable[Core]]
"""Opens a core for a role in this process; whoever has the queues hands it in."""


async def serve(
    open_core: OpenCore,
    settings: Settings,
    queues: Sequence[str],
    *,
    slots: int | None = None,
    replaces: int | None = None,
    burst: bool = False,
    grace: float | None = None,
    ready: Callable[[], None] | None = None,
    on_scale: Callable[[str, int], None] | None = None,
) -> bool:
    """Runs a worker of each queue until SIGTERM or SIGINT; True where it was drained, to be started no more.

    slots: of each, instead of its queue's. replaces: process id of a dead one on this host, whose leases end now.
    on_scale: hears how many workers of a queue its supervisor is to keep.
    """
    loop = asyncio.get_running_loop()
    early = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, early.set)
    core = await open_core(settings, queues[0])
    try:
        workers = _workers(core, queues, slots=slots, burst=burst, grace=grace, on_scale=on_scale)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, _for_all(workers, Worker.stop))
        if early.is_set():
            _for_all(workers, Worker.stop)()
        if replaces:
            ended = await core.db.write(lambda conn: claims.end_leases_on(conn, this_host(), replaces, FAMILY))
            log.info("takes over from a dead worker", dead=replaces, jobs=ended)
            await Sweeper(core).take_from_the_dead()  # now, and not at somebody's next sweep
        await _run_all(workers, ready or _nothing, burst=burst)
    finally:
        await core.close()
    log.info("worker closed", queue=",".join(queues))
    return any(worker.drained for worker in workers)


def _workers(
    core: Core,
    queues: Sequence[str],
    *,
    slots: int | None,
    burst: bool,
    grace: float | None,
    on_scale: Callable[[str, int], None] | None,
) -> list[Worker]:
    workers = [
        Worker(
            core.named(queue.name) if number else core,
            queue,
            slots=slots or queue.slots,
            burst=burst,
            grace=grace,
            upkeep=number == 0,
            on_scale=on_scale,
        )
        for number, queue in enumerate(map(core.queue, queues))
    ]
    if not burst:  # then they end together, and one can give signs of life for all
        for worker in workers:
            worker.beats_for = workers if worker is workers[0] else ()
    return workers


def _nothing() -> None: ...


def _for_all(workers: Sequence[Worker], what: Callable[[Worker], None]) -> Callable[[], None]:
    def tell() -> None:
        for worker in workers:
            what(worker)

    return tell


async def _run_all(workers: Sequence[Worker], ready: Callable[[], None], *, burst: bool) -> None:
    """Runs the workers to their end. One that ends takes the others along, or nobody would start it again.

    burst: each ends when its own queue is empty.
    """
    begun = 0

    def one_more() -> None:
        nonlocal begun
        begun += 1
        if begun == len(workers):
            ready()

    running = [asyncio.create_task(worker.run(one_more)) for worker in workers]
    try:
        await asyncio.wait(running, return_when=asyncio.FIRST_EXCEPTION if burst else asyncio.FIRST_COMPLETED)
    finally:
        _for_all(workers, Worker.finish)()
        await asyncio.gather(*running)


def run(
    open_core: OpenCore,
    settings: Settings,
    queues: Sequence[str],
    slots: int | None = None,
    replaces: int | None = None,
    burst: bool = False,
    ready: Callable[[], None] | None = None,
    grace: float | None = None,
    on_scale: Callable[[str, int], None] | None = None,
) -> None:
    """A process of workers: blocks until all have ended. Leaves with DRAINED where that was an order."""
    name = ",".join(queues)
    logs.configure(settings.bmn_log_level, settings.bmn_log_format, process=f"worker {name}")
    observability.configure(settings, f"worker-{name}")
    with asyncio.Runner() as runner:
        drained = runner.run(
            serve(
                open_core,
                settings,
                queues,
                slots=slots,
                replaces=replaces,
                burst=burst,
                grace=grace,
                ready=ready,
                on_scale=on_scale,
            )
        )
        if stuck := runner.run(_stop_what_is_left()):
            # Closing the loop would wait for them for ever. Their jobs have gone back in line; their writes are refused.
            log.error("handlers did not stop; ending without them", handlers=stuck)
            os._exit(DRAINED if drained else 0)
    if drained:
        raise SystemExit(DRAINED)


async def _stop_what_is_left() -> int:
    """Cancels handlers that have outlived their job; returns how many do not listen."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    return len((await asyncio.wait(left, timeout=1))[1]) if left else 0
