"""Runs one claimed job: its handler under its timeout, then exactly one settling transaction. Knows no RQ."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from enum import StrEnum
from importlib import import_module
from typing import Any

from pydantic import ValidationError

from bmn import failpoints
from bmn.broker.semaphore import Semaphore
from bmn.db import queues as queue_rows
from bmn.db import transitions
from bmn.db.engine import Connection
from bmn.db.transitions import Change
from bmn.errors import CAUSES, BmnError, Cause, JobCancelled, JobFailure, TryLater
from bmn.events import rooms
from bmn.jobs.clients import Clients
from bmn.jobs.context import Context, Result
from bmn.jobs.core import Core
from bmn.jobs.escalation import escalate
from bmn.jobs.registry import Queue
from bmn.jobs.retry import Action, plan
from bmn.jobs.units import Fenced
from bmn.logs import bind, get_logger
from bmn.schemas.jobs import JobState

log = get_logger(__name__)

Handler = Callable[[Context], Awaitable[Result]]

PROBE_SECONDS = 60.0
"""How long a queue that paused itself waits before one job tries the provider again."""


class Stop(StrEnum):
    """Why a running job is asked to stop."""

    CANCELLED = "cancelled"
    HANDED_ON = "handed on"
    FENCED = "fenced"


class Stopped(BaseException):
    """The handler was stopped from outside."""

    def __init__(self, reason: Stop) -> None:
        super().__init__(reason)
        self.reason = reason


class Run:
    """A claimed job on its way through the executor. Its own task is never cancelled, so its books are always kept."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.row = row
        self.stopped: asyncio.Future[Stop] = asyncio.get_running_loop().create_future()

    def stop(self, reason: Stop) -> None:
        """Asks the handler to stop; the first reason counts."""
        if not self.stopped.done():
            self.stopped.set_result(reason)


def load_handler(queue: Queue) -> Handler:
    """The function that the registry names; nothing that Redis says is ever imported."""
    handler: Handler = import_module(queue.handler).run
    return handler


class Executor:
    """Executes the jobs of one queue in this process."""

    def __init__(self, core: Core, queue: Queue, handler: Handler) -> None:
        self._core = core
        self._queue = queue
        self._handler = handler
        self._clients = Clients(core.settings, core.db)
        self._limits: dict[str, Semaphore] = {}

    async def execute(self, run: Run) -> None:
        """Runs one claimed row to its settled end. Never raises for what a handler does."""
        row = run.row
        with bind(job_id=row["id"], queue=row["queue"], attempt=row["attempt"], request_id=row["request_id"]):
            failpoints.hit("claimed")
            try:
                change = await self._run(run)
            except Fenced:
                log.info("another executor has this job now")
                return
            failpoints.hit("settled")
            if change is None:
                log.info("another executor has settled this job")
                return
            self._core.outbox.tell(change, self._queue.name)
            log.info("job settled", state=change.state)

    async def _run(self, run: Run) -> Change | None:
        row = run.row
        try:
            payload = self._queue.payload.model_validate(row["payload"])
        except ValidationError as error:
            return await self._settle(self._outdated(row, error))
        ctx = Context(self._core, self._clients, self._queue, row, payload, self._limits)
        try:
            result = await self._call(ctx, run)
            await ctx.flush()
        except JobCancelled:
            await ctx.close()
            return await self._stopped(row, Stop.CANCELLED)
        except Stopped as stop:
            await ctx.close()
            return await self._stopped(row, stop.reason)
        except Exception as error:  # noqa: BLE001, whatever a handler raises ends its attempt, not the worker
            await ctx.close()
            return await self._failed(ctx, _as_failure(error))
        await ctx.close()
        failpoints.hit("settling")
        return await self._settle(lambda conn: _complete(conn, row, result))

    async def _call(self, ctx: Context, run: Run) -> Result:
        limit = self._queue.timeout * self._core.settings.bmn_timeout_scale
        task = asyncio.ensure_future(self._handler(ctx))
        either: list[asyncio.Future[Any]] = [task, run.stopped]
        await asyncio.wait(either, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        await _stop(task)
        if run.stopped.done():
            raise Stopped(run.stopped.result())
        raise JobFailure(Cause.TIMEOUT, f"The attempt took longer than its {limit:.0f} seconds.")

    def _outdated(self, row: dict[str, Any], error: ValidationError) -> Callable[[Connection], Change | None]:
        fields = ", ".join(".".join(map(str, issue["loc"])) or "payload" for issue in error.errors())
        text = f"The payload no longer fits the schema of {self._queue.name}: {fields}."
        settings = self._core.settings
        return lambda conn: escalate(
            conn, settings, transitions.fail(conn, row["id"], row["fence"], Cause.SCHEMA_CHANGED, text)
        )

    async def _settle(self, fn: Callable[[Connection], Change | None]) -> Change | None:
        """The one transaction that ends an attempt, repeated until the database takes it or the fence refuses it."""
        pause = 0.05
        while True:
            try:
                return await self._core.db.write(fn)
            except TryLater:
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)

    async def _stopped(self, row: dict[str, Any], reason: Stop) -> Change | None:
        if reason is Stop.FENCED:
            raise Fenced
        if reason is Stop.CANCELLED:
            return await self._settle(lambda conn: _cancelled(conn, row))
        told = "Moving to another worker"
        return await self._settle(
            lambda conn: transitions.wait(conn, row["id"], row["fence"], delay=0, cause=None, message=told)
        )

    async def _failed(self, ctx: Context, failure: JobFailure) -> Change | None:
        row, settings = ctx.row, self._core.settings
        limited = await self._limited_for(row)
        decision = plan(
            failure,
            attempt=row["attempt"],
            max_attempts=row["max_attempts"],
            first_backoff=self._queue.backoff,
            limited_for=limited,
            longest_wait=settings.bmn_rate_wait_seconds,
            scale=settings.bmn_backoff_scale,
        )
        log.warning("attempt failed", cause=failure.cause, error=failure.message, then=decision.action)
        await ctx.log("warning", failure.message, cause=failure.cause, then=decision.action)
        if decision.action is Action.PAUSE:
            await self._pause(failure)
        return await self._settle(lambda conn: escalate(conn, settings, _after_failure(conn, row, failure, decision)))

    async def _limited_for(self, row: dict[str, Any]) -> float:
        since = row["limited_since"]
        if since is None:
            return 0.0
        now = await self._core.db.read(queue_rows.clock)
        return now - float(since)

    async def _pause(self, failure: JobFailure) -> None:
        """Every job of the queue would fail alike: it waits, and says so once."""
        name, info = self._queue.name, CAUSES[failure.cause]
        seconds = PROBE_SECONDS * self._core.settings.bmn_backoff_scale
        first = await self._core.db.write(
            lambda conn: queue_rows.set_paused(
                conn, name, by="system", reason=failure.message, cause=failure.cause, probe_in=seconds
            )
        )
        if first:
            metadata = {"queue": name, "cause": failure.cause, "advice": info.advice}
            message = f"Queue {name} is paused: {failure.message}"
            self._core.outbox.send([rooms.system_alert("queue-paused", message, "error", metadata)])

    async def close(self) -> None:
        await self._clients.close()


async def _stop(task: "asyncio.Future[Any]") -> None:
    """Stops a handler; one that swallows the cancel is left to itself after a second, and its writes are refused."""
    task.cancel()
    await asyncio.wait([task], timeout=1.0)


def _as_failure(error: Exception) -> JobFailure:
    if isinstance(error, JobFailure):
        return error
    if isinstance(error, TryLater):
        return JobFailure(Cause.DATABASE, error.message)
    if isinstance(error, BmnError):
        return JobFailure(Cause.BAD_INPUT, error.message)
    log.error("handler raised", error=repr(error), trace="".join(traceback.format_exception(error)))
    return JobFailure(Cause.BUG, f"A defect on our side ({type(error).__name__}).")


def _complete(conn: Connection, row: dict[str, Any], result: Result) -> Change | None:
    data = result.data
    if data is None:
        data = transitions.result_of(conn, row["id"], transitions.delivered_assets(conn, row["id"]))
    state = JobState.PARTIAL if result.partial else JobState.COMPLETED
    fields = {
        "status": "complete",
        "progress": 100,
        "message": result.message,
        "result": data,
        "partial": result.partial or None,
        "step": row["payload"].get("step"),
    }
    return transitions.end(conn, row["id"], row["fence"], state, event="job:complete", fields=fields, result=data)


def _cancelled(conn: Connection, row: dict[str, Any]) -> Change | None:
    kept = transitions.delivered_assets(conn, row["id"])
    message = f"Cancelled. {len(kept)} finished before, kept and charged." if kept else "Cancelled."
    result = transitions.result_of(conn, row["id"], kept) if kept else None
    fields = {"status": "cancelled", "message": message}
    return transitions.end(
        conn,
        row["id"],
        row["fence"],
        JobState.CANCELLED,
        event="job:cancelled",
        fields=fields,
        result=result,
        cause=Cause.CANCELLED,
    )


def _after_failure(conn: Connection, row: dict[str, Any], failure: JobFailure, decision: Any) -> Change | None:
    job_id, fence, cause = row["id"], row["fence"], failure.cause
    if decision.action is Action.RETRY:
        return transitions.retry(
            conn,
            job_id,
            fence,
            delay=decision.delay,
            cause=cause,
            error=failure.message,
            retries_left=decision.retries_left,
        )
    if decision.action in (Action.WAIT, Action.PAUSE):
        text = CAUSES[cause].user_text
        return transitions.wait(conn, job_id, fence, delay=decision.delay, cause=cause, message=text)
    return transitions.fail(conn, job_id, fence, cause, failure.message)
