"""One event loop, N jobs of one queue at once.

RQ gives the registration that dashboards list, the heartbeat and the stop command; its list of ids wakes the loop up. Which
job comes next, who holds it and what becomes of it is decided in the rows, so that the worker goes on while Redis is away.
"""

import asyncio
import random
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import psutil
from redis.exceptions import RedisError

from bmn import failpoints
from bmn.broker import redis_keys
from bmn.broker.connection import connect, connect_sync
from bmn.db import claims, job_store
from bmn.errors import NotFound, TryLater
from bmn.jobs.alert_loop import AlertLoop
from bmn.jobs.command import WorkerCommand, read_command
from bmn.jobs.core import FAMILY, Core
from bmn.jobs.executor import Executor
from bmn.jobs.isolated import run_alone
from bmn.jobs.leases import Leases
from bmn.jobs.queue import MOST_WORKERS, Queue
from bmn.jobs.rq.registration import RqRegistration, beat
from bmn.jobs.rq.view import Shown, list_key
from bmn.jobs.running_job import Run, Stop
from bmn.jobs.stock_worker import bring_back
from bmn.jobs.sweeper import Sweeper
from bmn.logs import get_logger

log = get_logger(__name__)

_IDLE_SECONDS = 15  # an idle worker looks into the rows this often, whatever Redis says
_LOOK_SECONDS = 1  # and this often at whether Redis is away, or its queue still paused
_BEAT_SECONDS = 5.0
_MEMORY_SECONDS = 10.0
_LAST_SECONDS = 3.0  # kept back from the grace for putting unfinished jobs back in line
_JOB_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_ALONE_AFTER = 2  # a job that has lost this many workers runs in a process of its own


class Worker:
    """slots: jobs at once. burst: exits when nothing is left to do. grace: seconds running jobs get at shutdown.

    upkeep: it also does what one worker of a process does for all in it. on_scale: hears how many workers of a queue this
    supervisor is to keep.
    """

    def __init__(
        self,
        core: Core,
        queue: Queue,
        *,
        slots: int,
        burst: bool = False,
        grace: float | None = None,
        upkeep: bool = True,
        on_scale: Callable[[str, int], None] | None = None,
    ) -> None:
        self._core = core
        self._queue = queue
        self._slots = slots
        self._burst = burst
        self._grace = core.settings.bmn_grace_seconds if grace is None else grace
        self._upkeep = upkeep
        self._on_scale = on_scale
        self.beats_for: Sequence[Worker] = (self,)  # whose signs of life it gives, in one round trip
        self.drained = False  # told from afar to end for good
        self._executor = Executor(core, queue)
        # By run, not by job: a job that was lost for a moment can come back while its first run is still about to stop.
        self._runs: dict[Run, asyncio.Task[None]] = {}
        self._leases = Leases(core, self._runs)
        self._changed = asyncio.Event()  # a slot became free, or the worker is to stop
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []
        self._blocking = connect(core.settings.redis_address, reply_seconds=_IDLE_SECONDS + 2)
        self._rq = self._register()

    def _register(self) -> RqRegistration | None:
        loop = asyncio.get_running_loop()

        def on_command(command: WorkerCommand) -> None:
            loop.call_soon_threadsafe(self._obey, command)

        try:
            connection = connect_sync(self._core.settings.redis_address)
            return RqRegistration(self._queue.name, self._core.name, connection, on_command)
        except (RedisError, OSError) as error:
            log.warning("not registered with RQ", reason=str(error))
            return None

    def stop(self) -> None:
        """First call: no further jobs, running ones may finish within the grace. Second call: now."""
        if self._stopping.is_set():
            self._hurry.set()
        self.finish()

    def finish(self) -> None:
        """No further jobs; running ones may finish within the grace."""
        self._stopping.set()
        self._changed.set()

    async def run(self, ready: Callable[[], None] | None = None) -> None:
        """Works until it is stopped. ready: called when it takes jobs."""
        await self._greet()
        upkeep = (self._watch_memory, Sweeper(self._core).run, AlertLoop(self._core).run) if self._upkeep else ()
        loops = (self._leases.keep, self._listen, *((self._beat,) if self.beats_for else ()), *upkeep)
        self._loops = [asyncio.create_task(loop(), name=loop.__name__) for loop in loops]
        log.info("worker ready", queue=self._queue.name, slots=self._slots, name=self._core.name)
        if ready:
            ready()
        try:
            await self._admit()
            await self._drain()
        finally:
            await self._end()

    # --- taking jobs -----------------------------------------------------------------------------------------------

    async def _admit(self) -> None:
        stopping = asyncio.create_task(self._stopping.wait())
        listed: str | None = None
        while not self._stopping.is_set():
            free = self._slots - len(self._runs)
            if free <= 0:
                self._changed.clear()
                await self._changed.wait()
                await asyncio.sleep(0)  # those that end with it make room for more in one claim
                continue
            taken = await self._claim(free)
            if listed is not None and not taken:
                await self._drop_stale(listed)
            listed = None
            if taken == free:
                continue
            if self._burst and not self._runs and taken == 0:
                break
            listed = await self._wait_for_work(stopping)
        stopping.cancel()

    async def _claim(self, limit: int) -> int:
        settings, name = self._core.settings, self._queue.name
        lease, again = settings.bmn_lease_seconds, claims.PROBE_AGAIN_SECONDS * settings.bmn_backoff_scale
        began = time.monotonic()
        try:
            claimed = await self._core.db.write(
                lambda conn: claims.claim(conn, name, limit, self._core.name, lease, probe_again=again)
            )
        except TryLater:
            await asyncio.sleep(random.uniform(0.1, 0.5))
            return 0
        self._core.outbox.show(Shown(name, job.id, job.fence, self._core.name) for job in claimed)
        for job in claimed:
            if job.fence > 1:
                self._stop_job(job.id, Stop.FENCED)
            run = Run(job, held_until=began + lease)
            self._runs[run] = asyncio.create_task(self._execute(run), name=job.id)
            self._leases.begun()
        return len(claimed)

    async def _execute(self, run: Run) -> None:
        try:
            if run.job.losses >= _ALONE_AFTER:
                await run_alone(self._core, self._queue, run)
            else:
                await self._executor.execute(run)
        except Exception:
            log.exception("a job could not be settled", job_id=run.job.id)
        finally:
            del self._runs[run]
            self._changed.set()

    async def _wait_for_work(self, stopping: "asyncio.Task[Any]") -> str | None:
        """Until an id stands in RQ's list, or it is time to stop, or to look into the rows anyway."""
        peek = asyncio.create_task(self._peek())
        down = asyncio.create_task(self._core.health.wait_until_down())
        running = [*self._runs.values()] if self._burst else []  # the last of them may have been all that was left
        await asyncio.wait([peek, stopping, down, *running], return_when=asyncio.FIRST_COMPLETED)
        down.cancel()
        if not peek.done():
            # Where nothing else has woken it, Redis does not answer, and the rows have to be looked into all the same.
            if not (stopping.done() or any(run.done() for run in running)):
                await asyncio.wait([peek, stopping], timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not peek.done():
                peek.cancel()
                await asyncio.wait([peek])
                return None
        job_id = peek.result()
        if job_id is not None:
            failpoints.hit("dequeued")
        return job_id

    async def _peek(self) -> str | None:
        """The next id in RQ's list, which stays there until it is claimed: moving it to where it was only looks at it."""
        key = list_key(self._queue.name)
        try:
            if self._core.health.down_for():
                raise RedisError("away")  # known already: no need to wait for it to fail once more
            job_id = await self._blocking.blmove(key, key, _IDLE_SECONDS, "LEFT", "LEFT")
            return None if job_id is None else str(job_id)
        except (RedisError, OSError):
            await asyncio.sleep(_LOOK_SECONDS * random.uniform(0.25, 0.75))
            return None

    async def _drop_stale(self, job_id: str) -> None:
        """Takes an id out of the list that the rows do not know as waiting; waits where the queue is paused."""
        name = self._queue.name
        paused = False
        try:
            if not _JOB_ID.fullmatch(job_id):
                log.warning("unexpected entry in RQ's list removed", entry=ascii(job_id[:100]))
                await self._core.view.remove(name, [job_id])
                return
            waiting, paused = await self._core.db.read(
                lambda conn: (claims.still_waiting(conn, name, job_id), claims.is_paused(conn, name))
            )
            if not waiting:
                await self._core.view.remove(name, [job_id])
                await self._bring_back(job_id)
        except (RedisError, OSError, TryLater) as error:
            log.debug("could not inspect RQ's list", reason=str(error))
            paused = True
        if paused:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _LOOK_SECONDS)

    async def _bring_back(self, job_id: str) -> None:
        """What stood in line without waiting may be a dead job, put there with RQ's own tools."""
        with suppress(NotFound):
            await bring_back(self._core, await self._core.db.read(lambda conn: job_store.get_job(conn, job_id)))

    # --- keeping what it has ---------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Commands on our own channel: a cancel that has to land in milliseconds."""
        while True:
            try:
                async with self._blocking.pubsub() as channel:
                    await channel.subscribe(redis_keys.CONTROL)
                    while True:
                        message = await channel.get_message(ignore_subscribe_messages=True, timeout=_IDLE_SECONDS)
                        if message and (command := read_command(message.get("data"))):
                            self._obey(command)
            except (RedisError, OSError) as error:
                log.debug("control channel broke", reason=str(error))
                await asyncio.sleep(random.uniform(0.2, 0.6))

    def _obey(self, command: WorkerCommand) -> None:
        """An order makes sense here, or is left alone: whoever can publish may send anything."""
        if command.deployment not in (None, self._core.deployment):
            return
        if command.command == "shutdown":
            self.stop()
        elif command.drain is not None:
            self._obey_drain(command.drain, command.seconds)
        elif command.scale is not None:
            self._obey_scale(command.scale, command.count, command.families)
        elif job_id := command.cancel or (command.job_id if command.command == "stop-job" else None):
            self._stop_job(job_id, Stop.CANCELLED)

    def _obey_drain(self, names: list[str], seconds: float) -> None:
        if self._core.name not in names or self._stopping.is_set():
            return
        log.info("draining: no further jobs, then an end", seconds=seconds)
        self._grace, self.drained = seconds, True
        if self._rq is not None:
            self._rq.draining = True
        self.finish()

    def _obey_scale(self, queue: str, count: int, families: list[str]) -> None:
        if self._on_scale and FAMILY in families and queue in self._core.queues and 1 <= count <= MOST_WORKERS:
            self._on_scale(queue, count)

    def _stop_job(self, job_id: str, reason: Stop) -> None:
        for run in self._runs:
            if run.job.id == job_id:
                run.stop(reason)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_BEAT_SECONDS * random.uniform(0.8, 1.0))
            with suppress(RedisError, OSError):
                await asyncio.to_thread(beat, self._busy())

    def _busy(self) -> dict[RqRegistration, bool]:
        """The workers that this one beats for, as RQ knows them, and whether they have anything to do."""
        busy = {}
        for worker in self.beats_for:
            if worker._rq is None and not worker._stopping.is_set():
                worker._rq = worker._register()
            if worker._rq is not None:
                busy[worker._rq] = bool(worker._runs)
        return busy

    async def _watch_memory(self) -> None:
        process, limit = psutil.Process(), self._core.settings.bmn_worker_memory_mb * 1024 * 1024
        while True:
            await asyncio.sleep(_MEMORY_SECONDS)
            if process.memory_info().rss > limit:
                log.warning("over its memory limit: finishing what it has, to be replaced", limit_mb=limit >> 20)
                self.stop()
                return

    # --- coming and going ------------------------------------------------------------------------------------------

    async def _greet(self) -> None:
        try:
            await self._core.view.register()
            if self._rq is not None:
                await asyncio.to_thread(self._rq.begin)
        except (RedisError, OSError, ValueError) as error:
            log.warning("Redis is away; working from the rows alone", reason=str(error))

    async def _drain(self) -> None:
        """Running jobs may finish within the grace; what is left then goes back in line, its attempt unspent."""
        if self.drained and self._rq is not None:
            with suppress(RedisError, OSError):
                await asyncio.to_thread(beat, {self._rq: bool(self._runs)})
        deadline = asyncio.get_running_loop().time() + max(self._grace - _LAST_SECONDS, self._grace / 2)
        hurry = asyncio.create_task(self._hurry.wait())
        while self._runs and not hurry.done():
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                break
            log.info("waiting for running jobs", jobs=len(self._runs), seconds_left=round(left))
            await asyncio.wait([hurry, *self._runs.values()], timeout=min(left, 5), return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        for run in self._runs:
            run.stop(Stop.HANDED_ON)
        if self._runs:
            await asyncio.wait(self._runs.values(), timeout=_LAST_SECONDS)
        for run, task in self._runs.items():
            log.error("could not be handed on; left to the end of its lease", job_id=run.job.id)
            task.cancel()

    async def _end(self) -> None:
        for task in self._loops:
            task.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self._executor.close()
        if (registered := self._rq) is not None:
            self._rq = None  # nobody beats for it any more
            with suppress(RedisError, OSError):
                await asyncio.to_thread(registered.end)
        await self._blocking.aclose()
