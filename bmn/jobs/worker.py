"""RQ door two: one process, one event loop, N jobs of one queue at once.

RQ gives the registration that dashboards list, the heartbeat and the stop command; its list of ids wakes the loop up. Which
job comes next, who holds it and what becomes of it is decided in the rows, so that the worker goes on while Redis is away.
"""

import asyncio
import json
import random
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psutil
import redis
from redis.exceptions import RedisError
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker

from bmn import failpoints, logs
from bmn.broker import keys
from bmn.broker.connection import connect, connect_sync
from bmn.db import claims, transitions
from bmn.errors import TryLater
from bmn.jobs.core import Core, open_core, this_host
from bmn.jobs.escalation import escalate
from bmn.jobs.executor import Executor, Run, Stop, load_handler
from bmn.jobs.queues import Started, list_key
from bmn.jobs.registry import Queue, get_queue
from bmn.jobs.sweeper import Sweeper
from bmn.settings import Settings

log = logs.get_logger(__name__)

_IDLE_SECONDS = 1  # an idle worker looks into the rows this often, whatever Redis says
_BEAT_SECONDS = 5.0
_MEMORY_SECONDS = 10.0
_LAST_SECONDS = 3.0  # kept back from the grace for putting unfinished jobs back in line
_ALONE_AFTER = 2  # a job that has lost this many workers runs in a process of its own


class RqRegistration(BaseWorker):
    """What RQ and its dashboard see of a worker. Its calls block, so they run in a thread."""

    def __init__(self, queue: str, name: str, connection: "redis.Redis", on_command: Callable[[dict[str, Any]], None]):
        super().__init__([queue], name=name, connection=connection, worker_ttl=30, serializer=JSONSerializer)
        self._on_command = on_command

    def handle_payload(self, message: Any) -> None:
        """A command from RQ's channel. Only the ones that mean something here are passed on; nothing is imported."""
        try:
            payload = json.loads(message["data"])
        except (ValueError, KeyError, TypeError):
            return
        if isinstance(payload, dict):
            self._on_command(payload)

    def begin(self) -> None:
        self.register_birth()
        self.subscribe()
        self.set_state("idle")

    def beat(self, busy: bool) -> None:
        if not self.connection.exists(self.key):
            self.register_birth()  # Redis was emptied, or was away for longer than the registration lives
        self.heartbeat()
        self.set_state("busy" if busy else "idle")

    def end(self) -> None:
        self.register_death()
        self.unsubscribe()


class Worker:
    """slots: jobs at once. burst: exits when nothing is left to do. grace: seconds running jobs get at shutdown."""

    def __init__(
        self, core: Core, queue: Queue, *, slots: int, burst: bool = False, grace: float | None = None
    ) -> None:
        self._core = core
        self._queue = queue
        self._slots = slots
        self._burst = burst
        self._grace = core.settings.bmn_grace_seconds if grace is None else grace
        self._executor = Executor(core, queue, load_handler(queue))
        self._runs: dict[str, tuple[Run, asyncio.Task[None]]] = {}
        self._changed = asyncio.Event()  # a slot became free, or the worker is to stop
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []
        self._blocking = connect(core.settings.redis_address, reply_seconds=_IDLE_SECONDS + 2)
        self._rq = self._register()

    def _register(self) -> RqRegistration | None:
        loop = asyncio.get_running_loop()

        def on_command(payload: dict[str, Any]) -> None:
            loop.call_soon_threadsafe(self._obey, payload)

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
        self._stopping.set()
        self._changed.set()

    async def run(self, ready: Callable[[], None] | None = None) -> None:
        """Works until it is stopped. ready: called when it takes jobs."""
        await self._greet()
        self._loops = [
            asyncio.create_task(loop(), name=loop.__name__)
            for loop in (self._renew_leases, self._listen, self._beat, self._watch_memory, Sweeper(self._core).run)
        ]
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
        while not self._stopping.is_set():
            free = self._slots - len(self._runs)
            if free <= 0:
                self._changed.clear()
                await self._changed.wait()
                continue
            taken = await self._claim(free)
            if taken == free:
                continue
            if self._burst and not self._runs and taken == 0:
                return
            await self._wait_for_work()

    async def _claim(self, limit: int) -> int:
        lease, name = self._core.settings.bmn_lease_seconds, self._queue.name
        try:
            rows = await self._core.db.write(lambda conn: claims.claim(conn, name, limit, self._core.name, lease))
        except TryLater:
            await asyncio.sleep(random.uniform(0.1, 0.5))
            return 0
        self._core.outbox.show(Started(name, row["id"], self._core.name) for row in rows)
        for row in rows:
            run = Run(row)
            task = asyncio.create_task(self._execute(run), name=row["id"])
            self._runs[row["id"]] = (run, task)
        return len(rows)

    async def _execute(self, run: Run) -> None:
        job_id = run.row["id"]
        try:
            if run.row["losses"] >= _ALONE_AFTER:
                await self._execute_alone(run)
            else:
                await self._executor.execute(run)
        except Exception:
            log.exception("a job could not be settled", job_id=job_id)
        finally:
            self._runs.pop(job_id, None)
            self._changed.set()

    async def _execute_alone(self, run: Run) -> None:
        """In a fresh process, because two workers have died on this job. Its death is the third loss."""
        row = run.row
        log.warning("running alone in a fresh process", job_id=row["id"], losses=row["losses"])
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bmn.jobs.alone", row["id"], str(row["fence"]), self._core.name
        )
        waiting = asyncio.ensure_future(child.wait())
        either: list[asyncio.Future[Any]] = [waiting, run.stopped]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            child.terminate()
        if await waiting != 0:
            settings = self._core.settings
            change = await self._core.db.write(
                lambda conn: escalate(conn, settings, transitions.lose(conn, row["id"], row["fence"]))
            )
            if change:
                self._core.outbox.tell(change, self._queue.name)

    async def _wait_for_work(self) -> None:
        """Until an id stands in RQ's list, a slot's job has ended, or it is time to look into the rows anyway."""
        self._changed.clear()
        peek = asyncio.create_task(self._peek())
        changed = asyncio.create_task(self._changed.wait())
        done, pending = await asyncio.wait([peek, changed], return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        job_id = peek.result() if peek in done else None
        if job_id:
            failpoints.hit("dequeued")
            await self._drop_stale(job_id)

    async def _peek(self) -> str | None:
        """The next id in RQ's list, which stays there until it is claimed: moving it to where it was only looks at it."""
        key = list_key(self._queue.name)
        try:
            job_id = await self._blocking.blmove(key, key, _IDLE_SECONDS, "LEFT", "LEFT")
            return str(job_id) if job_id else None
        except (RedisError, OSError):
            await asyncio.sleep(_IDLE_SECONDS * random.uniform(0.5, 1.0))
            return None

    async def _drop_stale(self, job_id: str) -> None:
        """Takes an id out of the list that the rows do not know as waiting; waits where the queue is paused."""
        name = self._queue.name
        try:
            waiting, paused = await self._core.db.read(
                lambda conn: (claims.still_waiting(conn, name, job_id), claims.is_paused(conn, name))
            )
            if not waiting:
                await self._core.view.remove(name, [job_id])
        except (RedisError, OSError, TryLater) as error:
            log.debug("looked at the line in vain", reason=str(error))
            paused = True
        if paused:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _IDLE_SECONDS)

    # --- keeping what it has ---------------------------------------------------------------------------------------

    async def _renew_leases(self) -> None:
        settings = self._core.settings
        while True:
            await asyncio.sleep(settings.bmn_renew_seconds)
            mine = {job_id: run for job_id, (run, _) in self._runs.items()}
            if not mine:
                continue
            try:
                held = await self._core.db.write(
                    lambda conn: claims.renew(conn, self._core.name, settings.bmn_lease_seconds)
                )
            except TryLater:
                log.warning("leases could not be renewed", jobs=len(mine))
                continue
            by_id = {renewed.job_id: renewed for renewed in held}
            for job_id, run in mine.items():
                renewed = by_id.get(job_id)
                if renewed is None or renewed.fence != run.row["fence"]:
                    if job_id in self._runs:
                        run.stop(Stop.FENCED)
                elif renewed.cancel:
                    run.stop(Stop.CANCELLED)

    async def _listen(self) -> None:
        """Commands on our own channel: a cancel that has to land in milliseconds."""
        while True:
            try:
                async with self._blocking.pubsub() as channel:
                    await channel.subscribe(keys.CONTROL)
                    while True:
                        message = await channel.get_message(ignore_subscribe_messages=True, timeout=_IDLE_SECONDS)
                        if message:
                            self._obey(json.loads(message["data"]))
            except (RedisError, OSError, ValueError) as error:
                log.debug("control channel broke", reason=str(error))
                await asyncio.sleep(random.uniform(0.2, 0.6))

    def _obey(self, command: dict[str, Any]) -> None:
        if command.get("command") == "shutdown":
            self.stop()
            return
        job_id = command.get("cancel") or (command.get("job_id") if command.get("command") == "stop-job" else None)
        entry = self._runs.get(str(job_id))
        if entry:
            entry[0].stop(Stop.CANCELLED)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_BEAT_SECONDS * random.uniform(0.8, 1.0))
            if self._rq is None:
                self._rq = self._register()
            if self._rq is None:
                continue
            with suppress(RedisError, OSError):
                await asyncio.to_thread(self._rq.beat, bool(self._runs))

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
        deadline = asyncio.get_running_loop().time() + max(self._grace - _LAST_SECONDS, self._grace / 2)
        hurry = asyncio.create_task(self._hurry.wait())
        while self._runs and not hurry.done():
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                break
            log.info("waiting for running jobs", jobs=len(self._runs), seconds_left=round(left))
            tasks = [task for _, task in self._runs.values()]
            await asyncio.wait([hurry, *tasks], timeout=min(left, 5), return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        for run, _ in list(self._runs.values()):
            run.stop(Stop.HANDED_ON)
        if self._runs:
            await asyncio.wait([task for _, task in self._runs.values()], timeout=_LAST_SECONDS)

    async def _end(self) -> None:
        for task in self._loops:
            task.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self._executor.close()
        if self._rq is not None:
            with suppress(RedisError, OSError):
                await asyncio.to_thread(self._rq.end)
        await self._blocking.aclose()


async def serve(
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
    queue = get_queue(queue_name)
    core = await open_core(settings, queue_name)
    try:
        worker = Worker(core, queue, slots=slots or queue.slots, burst=burst, grace=grace)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, worker.stop)
        if replaces:
            ended = await core.db.write(lambda conn: claims.end_leases_on(conn, this_host(), replaces))
            log.info("took over from a dead worker", dead=replaces, jobs=ended)
        await worker.run(ready)
    finally:
        await core.close()
    log.info("worker closed", queue=queue_name)


def run(
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
    asyncio.run(serve(settings, queue, slots=slots, replaces=replaces, burst=burst, grace=grace, ready=ready))
