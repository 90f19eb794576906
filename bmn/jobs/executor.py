"""Runs one claimed job: its handler under its timeout, then exactly one settling transaction. Knows no RQ."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from importlib import import_module
from typing import Any, TypeVar

from pydantic import ValidationError

from bmn import failpoints
from bmn.broker.semaphore import Semaphore
from bmn.broker.shared_rate import Turns
from bmn.db import transitions
from bmn.db.claims import PROBE_AGAIN_SECONDS
from bmn.db.collecting import NewLease
from bmn.db.engine import Connection
from bmn.db.health import clock
from bmn.db.job_store import add_log
from bmn.db.operators import queue_store
from bmn.db.operators.alert_store import open_alert
from bmn.db.records import JobRow
from bmn.db.transitions import Change
from bmn.errors import CAUSES, OUTAGES, CancellationRequested, Cause, JobFailure, TryLater
from bmn.events import audience
from bmn.jobs import alert_finders
from bmn.jobs.clients import Clients
from bmn.jobs.context import Context, Result
from bmn.jobs.core import Core
from bmn.jobs.endings import after_failure, as_failure, ended_well
from bmn.jobs.escalation import escalate
from bmn.jobs.outages import in_service, is_down
from bmn.jobs.probes import answer, is_probe
from bmn.jobs.queue import Queue
from bmn.jobs.retry_policy import Action, Decision, decide
from bmn.jobs.rq.view import Shown
from bmn.jobs.running_job import Fenced, Run, Stop, Stopped
from bmn.logs import OUTCOMES, bind, get_logger
from bmn.observability import span
from bmn.schemas.payloads import TERMINAL_STATES, Payload
from bmn.schemas.wording import flaws

log = get_logger(__name__)
outcomes = get_logger(OUTCOMES)

_OUTAGE_SECONDS = 15.0  # how long a queue whose provider is down waits between two jobs that try it

T = TypeVar("T")


class _Ended(BaseException):
    """The job was cancelled, and nothing of it is left to do."""


Handler = Callable[[Context[Any]], Awaitable[Result]]


def load_handler(queue: Queue) -> Handler:
    """The function that the queue names; nothing that Redis says is ever imported."""
    if queue.vendor:
        import_module(queue.vendor)
    handler: Handler = import_module(queue.handler).run
    return handler


class Executor:
    """Executes the jobs of one queue in this process. keeps_lease: this process renews the leases of what it runs."""

    def __init__(self, core: Core, queue: Queue, *, keeps_lease: bool = True) -> None:
        self._keeps_lease = keeps_lease
        self._core = core
        self._queue = queue
        self._handler: Handler | None = None
        self._clients = Clients(core.settings, core.db, Turns(core.redis))
        self._limits: dict[str, Semaphore] = {}

    async def execute(self, run: Run) -> None:
        """Runs one claimed row to its settled end. Never raises for what a handler does."""
        job = run.job
        ids = {"job_id": job.id, "queue": job.queue, "attempt": job.attempt}
        with bind(**ids, request_id=job.request_id), span("job", parent=job.trace_parent, **ids):
            failpoints.hit("claimed")
            began = time.monotonic()
            try:
                change = await self._run(run)
            except Fenced:
                log.info("another executor has this job now")
                return
            except _Ended:
                return
            failpoints.hit("settled")
            if change is None:
                log.info("another executor has settled this job")
                return
            self._core.outbox.publish(change, self._queue.name)
            if change.state in TERMINAL_STATES:
                # Its id is told here, as it may have gone on for another job than the one it began with.
                outcomes.info(f"job {change.state}", job_id=change.job_id, seconds=round(time.monotonic() - began, 1))

    async def _run(self, run: Run) -> Change | None:
        job = run.job
        if is_probe(job):
            return await self._settle(lambda conn: answer(conn, job, self._core.name))
        try:
            payload = self._queue.payload.model_validate(job.payload)
        except ValidationError as error:
            return await self._settle(self._outdated(job, error))
        ctx = Context(self._core, self._clients, self._queue, run, payload, self._limits)
        try:
            result = await self._call(ctx, run)
            await ctx.flush()
        except CancellationRequested:
            await ctx.close()
            return await self._stopped(run.job, Stop.CANCELLED)
        except Stopped as stop:
            await ctx.close()
            return await self._stopped(run.job, stop.reason)
        except _Ended:
            await ctx.close()
            raise
        except Exception as error:  # noqa: BLE001, whatever a handler raises ends its attempt, not the worker
            await ctx.close()
            return await self._failed(ctx, as_failure(error))
        await ctx.close()
        failpoints.hit("settling")
        try:
            return await self._settle(lambda conn: self._completed(conn, run.job, result))
        except Exception as error:  # noqa: BLE001, a result that cannot be stored is a failed attempt
            return await self._failed(ctx, as_failure(error))

    async def _call(self, ctx: Context[Payload], run: Run) -> Result:
        limit = self._queue.timeout * self._core.settings.bmn_timeout_scale
        if self._handler is None:
            # With the first job, as a vendor's SDK takes up to a second and tens of megabytes; in a thread, for the same.
            self._handler = await asyncio.to_thread(load_handler, self._queue)
        task = asyncio.ensure_future(self._handler(ctx))
        try:
            await _work(task, run, limit)
            while not task.done() and run.stopped.done() and run.stopped.result() is Stop.CANCELLED:
                await self._cancel(run, task)
                await _work(task, run, limit)
        except BaseException:
            await _stop(task)  # or it would work on beside the attempt that follows
            raise
        if task.cancelled():
            raise JobFailure(Cause.BUG, "The handler cancelled itself.")
        if task.done():
            return task.result()
        await _stop(task)
        if run.stopped.done():
            raise Stopped(run.stopped.result())
        raise JobFailure(Cause.TIMEOUT, f"The attempt took longer than its {limit:.0f} seconds.")

    async def _cancel(self, run: Run, task: "asyncio.Future[Any]") -> None:
        """Ends the job at once. Its handler goes on for the job that collects what was ordered; else _Ended."""
        job, seconds, began = run.job, self._core.settings.bmn_lease_seconds, time.monotonic()
        if job.collects_id:
            run.move(job, held_until=run.held_until)  # what it collects is paid for; nothing is left to cancel
            return
        lease = NewLease(self._core.name, seconds) if self._keeps_lease and self._queue.collects else None
        async with run.moving():
            change = await self._settle(lambda conn: transitions.cancel(conn, job, lease))
            collector = change.collector if change else None
            if collector:
                run.move(collector, held_until=began + seconds)
        if change:
            self._core.outbox.publish(change, job.queue)
            outcomes.info("job cancelled")
            failpoints.hit("settled")
        if collector is None:
            await _stop(task)
            raise _Ended
        self._core.outbox.show([Shown(job.queue, collector.id, collector.fence, self._core.name)])
        failpoints.hit("collecting")
        log.info("cancelled; collecting what was ordered", collector=collector.id)

    def _outdated(self, job: JobRow, error: ValidationError) -> Callable[[Connection], Change | None]:
        fields = ", ".join(flaw.where or "payload" for flaw in flaws(error))
        text = f"The payload no longer fits the schema of {self._queue.name}: {fields}."
        core = self._core
        return lambda conn: escalate(conn, core, transitions.fail(conn, job, Cause.SCHEMA_CHANGED, text))

    async def _settle(self, fn: Callable[[Connection], T]) -> T:
        """The one transaction that ends an attempt, repeated until the database takes it or the fence refuses it."""
        pause = 0.05
        while True:
            try:
                return await self._core.db.write(fn)
            except TryLater:
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)

    async def _stopped(self, job: JobRow, reason: Stop) -> Change | None:
        if reason is Stop.FENCED:
            raise Fenced
        if reason is Stop.CANCELLED:
            return await self._settle(lambda conn: transitions.cancel(conn, job))
        return await self._settle(lambda conn: transitions.hand_on(conn, job))

    def _completed(self, conn: Connection, job: JobRow, result: Result) -> Change | None:
        change = ended_well(conn, job, result)
        self._after_probe(conn, job)
        return change

    async def _failed(self, ctx: Context[Payload], failure: JobFailure) -> Change | None:
        job = ctx.job
        decision, change, first = await self._settle(lambda conn: self._decide(conn, job, failure))
        log.warning(
            "attempt failed", cause=failure.cause, error=failure.message, said=failure.said, then=decision.action
        )
        if first:
            metadata = {"queue": self._queue.name, "cause": failure.cause, "advice": CAUSES[failure.cause].advice}
            message = alert_finders.paused(self._queue.name, _why_paused(failure), failure.cause).message
            self._core.outbox.send([audience.system_alert("queue-paused", message, "error", metadata)])
        return change

    def _decide(self, conn: Connection, job: JobRow, failure: JobFailure) -> tuple[Decision, Change | None, bool]:
        """What follows from a failure, and its books. The last word: whether this is what paused the queue."""
        settings = self._core.settings
        since = job.limited_since
        decision = decide(
            failure,
            attempt=job.attempt,
            max_attempts=job.max_attempts,
            first_backoff=self._queue.backoff,
            degraded=self._is_degraded(conn, job, failure),
            limited_for=0.0 if since is None else clock.now(conn) - since,
            longest_wait=settings.bmn_rate_wait_seconds,
            scale=settings.bmn_backoff_scale,
            waits=self._queue.waits,
        )
        if decision.action is Action.PAUSE and self._is_served(conn):
            # What this job ordered waits at a provider that is out; what is new is made by another one.
            decision = replace(decision, action=Action.WAIT, delay=_OUTAGE_SECONDS * settings.bmn_backoff_scale)
        outage, probe = failure.cause in OUTAGES, job.probe
        if outage and probe and decision.action is Action.PAUSE:
            # The next probe is another job, so that one which fails of its own does not keep a mended queue closed.
            decision = replace(decision, delay=2 * _OUTAGE_SECONDS * settings.bmn_backoff_scale)
        change = escalate(conn, self._core, after_failure(conn, job, failure, decision))
        fields = {"cause": failure.cause, "then": decision.action} | ({"said": failure.said} if failure.said else {})
        add_log(conn, job.id, job.attempt, "warning", failure.message, fields)
        if decision.action is not Action.PAUSE and not (outage and probe):
            self._after_probe(conn, job)
            return decision, change, False
        return decision, change, self._pause(conn, failure)

    def _pause(self, conn: Connection, failure: JobFailure) -> bool:
        """Closes the queue until a probe passes; False where it was closed by hand, or somebody knows of it already."""
        again = _OUTAGE_SECONDS if failure.cause in OUTAGES else PROBE_AGAIN_SECONDS
        queue_store.set_paused(
            conn,
            self._queue.name,
            by="system",
            reason=_why_paused(failure),
            cause=failure.cause,
            probe_in=again * self._core.settings.bmn_backoff_scale,
        )
        pause = queue_store.get_pause(conn, self._queue.name)
        is_own = pause is not None and pause.probe_at is not None
        return is_own and open_alert(conn, alert_finders.paused(self._queue.name, _why_paused(failure), failure.cause))

    def _is_degraded(self, conn: Connection, job: JobRow, failure: JobFailure) -> bool:
        """Whether the provider fails for everybody: the probe has found it so, or several jobs in a row."""
        settings = self._core.settings
        if failure.cause not in OUTAGES or not settings.bmn_outage_jobs:
            return False
        if len(self._queue.order(settings)) > 1:
            return not self._is_served(conn)
        return job.probe or is_down(conn, settings, self._queue)

    def _is_served(self, conn: Connection) -> bool:
        """Whether another of the queue's providers does its work."""
        settings = self._core.settings
        return self._queue.has_order(settings) and in_service(conn, settings, self._queue) is not None

    def _after_probe(self, conn: Connection, job: JobRow) -> None:
        """The one job that a paused queue let through has not met what paused it: the others may follow."""
        if job.probe:
            queue_store.end_own_pause(conn, self._queue.name)

    async def close(self) -> None:
        """Closes the vendors' clients."""
        await self._clients.close()


async def _work(task: "asyncio.Future[Any]", run: Run, limit: float) -> None:
    """Until the handler has ended, is to stop, or has worked for `limit` seconds."""
    run.clock.restart()
    while not (task.done() or run.stopped.done()) and (left := limit - run.clock.worked()) > 0:
        await _first_of(task, run.stopped, left)


async def _first_of(task: "asyncio.Future[Any]", stopped: "asyncio.Future[Any]", seconds: float) -> None:
    """Waits until one of the two is done, or the time is up. As `asyncio.wait`, at a third of its cost."""
    loop = asyncio.get_running_loop()
    woken = loop.create_future()

    def wake(_: object = None) -> None:
        if not woken.done():
            woken.set_result(None)

    task.add_done_callback(wake)
    stopped.add_done_callback(wake)
    timer = loop.call_later(seconds, wake)
    try:
        await woken
    finally:
        timer.cancel()
        stopped.remove_done_callback(wake)


async def _stop(task: "asyncio.Future[Any]") -> None:
    """Stops a handler; one that swallows the cancel is left to itself after a second, and its writes are refused."""
    task.cancel()
    await asyncio.wait([task], timeout=1.0)


def _why_paused(failure: JobFailure) -> str:
    """For operators; users are told what the cause says."""
    return f"Provider degraded: {failure.for_operators}" if failure.cause in OUTAGES else failure.for_operators
