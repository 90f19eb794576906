"""What a handler sees of its job: the payload, progress, paid units, clients, objects and logs."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from bmn.broker.semaphore import Semaphore
from bmn.db import job_store, transitions
from bmn.db.engine import Connection, Database
from bmn.db.records import JobRow, NewCall
from bmn.errors import TryLater
from bmn.jobs.clients import Caller, Clients, P, current_books, current_caller, record
from bmn.jobs.core import Core
from bmn.jobs.outbox import Outbox
from bmn.jobs.queue import Queue
from bmn.jobs.running_job import Fenced, NotOrdered, Run
from bmn.logs import get_logger
from bmn.providers.pace import in_line
from bmn.schemas.events import JobEvent, Progress
from bmn.schemas.payloads import Payload
from bmn.schemas.results import JobResult
from bmn.settings import Settings
from bmn.storage import Storage

log = get_logger(__name__)
T = TypeVar("T")
Payload_co = TypeVar("Payload_co", bound=Payload, covariant=True)

PROGRESS_SECONDS = 0.25
"""A job publishes its progress four times a second at most; the last one always goes out."""
_LAST_WORD_SECONDS = 1.0  # for progress that is being committed when the attempt ends


@dataclass(frozen=True, slots=True)
class Result:
    """What a handler returns. data: None for a generator, whose result is its saved assets.

    partial: something was refused for good, the rest was delivered.
    """

    message: str
    data: JobResult | None = None
    partial: bool = False


@dataclass(slots=True)
class Context(Generic[Payload_co]):
    """One attempt of one job, whose payload has been validated."""

    core: Core
    clients: Clients
    queue: Queue
    run: Run
    payload: Payload_co
    limits: dict[str, Semaphore]
    _shown: int = 0
    _last_published: float = 0.0
    _pending: Progress | None = None
    _timer: asyncio.TimerHandle | None = None
    _flusher: "asyncio.Task[None] | None" = None
    _fractions: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._shown = self.job.progress

    @property
    def job(self) -> JobRow:
        """The job as it was claimed, with the fence that every write of this attempt names."""
        return self.run.job

    @property
    def settings(self) -> Settings:
        """The settings of this process."""
        return self.core.settings

    @property
    def db(self) -> Database:
        """The database."""
        return self.core.db

    @property
    def storage(self) -> Storage:
        """Where objects are kept."""
        return self.core.storage

    @property
    def outbox(self) -> Outbox:
        """Publishes what a transaction has stored."""
        return self.core.outbox

    def client(self, kind: type[P]) -> P:
        """This process's client of a vendor, by its class."""
        return self.clients.get(kind)

    @asynccontextmanager
    async def slot(self, name: str, limit: int) -> AsyncIterator[None]:
        """One of the calls that all workers together may have under way; the wait for it is no time of the attempt."""
        semaphore = self.limits.get(name) or self.limits.setdefault(name, Semaphore(self.core.redis, name, limit))
        clock = self.run.clock
        with clock.in_line() as line:
            async with semaphore.slot():
                line.is_served = True
                clock.look()
                yield

    @asynccontextmanager
    async def calling(self, unit: str, books: list[NewCall] | None = None) -> AsyncIterator[None]:
        """Says on which unit's behalf providers are called inside the `with`.

        books: where calls that went well are kept for the unit's next commit; what is left there at the end is written then.
        """
        caller = Caller(self.job.id, unit, self.job.attempt, self.job.user_id, self.queue.name)
        tokens = current_caller.set(caller), current_books.set(books), in_line.set(self.run.clock.in_line)
        try:
            yield
        finally:
            current_caller.reset(tokens[0])
            current_books.reset(tokens[1])
            in_line.reset(tokens[2])
            if books:
                await record(self.db, books)

    async def commit(self, fn: Callable[[Connection], T]) -> T:
        """A transaction that has to happen: repeated until the database takes it."""
        pause = 0.05
        while True:
            try:
                return await self.db.write(fn)
            except TryLater:
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))
                pause = min(pause * 2, 2.0)

    async def write(self, fn: Callable[[Connection, JobRow], T | None], *, orders: bool = False) -> T:
        """A transaction under the fence of this attempt's job. Raises Fenced where another executor has that by now.

        orders: it begins something new, which a job that was cancelled meanwhile does not. Raises NotOrdered then.
        """
        while True:
            job = self.job
            if orders and job.collects_id:
                raise NotOrdered
            done = await self.commit(lambda conn, job=job: fn(conn, job))  # type: ignore[misc]
            if done:
                return done
            if not await self.run.moved_from(job):
                raise Fenced

    def lease_renewed_at(self, began: float) -> None:
        """A transaction that began at this moment has renewed the lease."""
        self.run.lease_renewed(began + self.settings.bmn_lease_seconds)

    # --- publishing ------------------------------------------------------------------------------------------------

    def highest(self, percent: float) -> int:
        """The bar never falls, and 100 is said by the end alone."""
        self._shown = max(self._shown, min(99, round(percent)))
        return self._shown

    def unit_percent(self, name: str, fraction: float, *, units: int, span: tuple[float, float] = (10, 95)) -> float:
        """The bar when one of `units` units has come this far, 0 to 1."""
        self._fractions[name] = max(self._fractions.get(name, 0.0), fraction)
        start, end = span
        return start + (end - start) * sum(self._fractions.values()) / units

    async def progress(
        self,
        status: str,
        percent: float,
        message: str,
        *,
        step: str | None = None,
        tool_name: str | None = None,
        logo_index: int | None = None,
        preview: str | None = None,
    ) -> None:
        """Publishes how far the job is. step: of the wizard. tool_name: done. logo_index: which of several it is about.

        preview: the address of a rough picture of it.
        """
        waiting = self._pending
        if preview is None and waiting is not None and waiting.logo_index == logo_index:
            preview = waiting.preview  # what is told next says it too, or it would be lost between two words
        self._pending = Progress(status, self.highest(percent), message, step, tool_name, logo_index, preview)
        self._plan_flush()

    def _plan_flush(self) -> None:
        if self._timer is not None or (self._flusher is not None and not self._flusher.done()):
            return
        wait = self._last_published + PROGRESS_SECONDS - time.monotonic()
        if wait <= 0:  # at once, or what a handler says next would take its place
            self._flush_soon()
        else:
            self._timer = asyncio.get_running_loop().call_later(wait, self._flush_soon)

    def _flush_soon(self) -> None:
        self._timer = None
        if shown := self._take_pending():
            self._flusher = asyncio.create_task(self._send_beside(shown), name=f"progress {self.job.id}")
            self._flusher.add_done_callback(lambda _: self._plan_flush() if self._pending else None)

    def _take_pending(self) -> Progress | None:
        pending, self._pending = self._pending, None
        if pending is not None:
            self._last_published = time.monotonic()
        return pending

    async def _send_beside(self, shown: Progress) -> None:
        """What is shown is nothing that a handler would have to wait for."""
        try:
            await self._send(shown)
        except Fenced:
            log.info("progress of a job that another executor has", job_id=self.job.id)

    async def _send(self, shown: Progress) -> None:
        self.outbox.publish(await self.write(lambda conn, job: transitions.progress(conn, job, shown)))

    async def flush(self) -> None:
        """Sends the progress that was held back."""
        if shown := self._take_pending():
            await self._send(shown)

    def supersede(self) -> None:
        """Drops the progress that was held back: something newer is about to be published."""
        self._pending = None

    async def publish(self, event: Callable[..., JobEvent]) -> None:
        """An event of the job's own: `agent:message`, `job:tool-error`. event: its model, with all but the stamp."""
        await self.flush()
        self.outbox.publish(await self.write(lambda conn, job: transitions.record(conn, job, event)))

    async def log(self, level: str, message: str, **fields: Any) -> None:
        """A line in the job's own log, which its owner can read; no secrets, no provider bodies."""
        getattr(log, level)(message, **fields)
        await self.commit(lambda conn: job_store.add_log(conn, self.job.id, self.job.attempt, level, message, fields))

    async def close(self) -> None:
        """Ends what runs beside the handler."""
        self._pending = None
        if self._timer is not None:
            self._timer.cancel()
        if self._flusher is not None and not self._flusher.done():
            # What is being committed has to be told as well, or the end of the job would find a gap before it.
            await asyncio.wait([self._flusher], timeout=_LAST_WORD_SECONDS)
            self._flusher.cancel()
