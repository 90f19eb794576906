"""A claimed job while this process runs it, and the ways in which it can be made to stop."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum

from bmn.db.records import JobRow
from bmn.errors import Cause, JobFailure
from bmn.jobs.attempt_clock import AttemptClock


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


class Fenced(BaseException):
    """Another executor has the job by now. Not an Exception: the only thing left to do is to stop."""


class NotOrdered(JobFailure):
    """The job was cancelled before this was asked of a provider; what was asked before is collected."""

    def __init__(self) -> None:
        super().__init__(Cause.CANCELLED, "Cancelled before it was ordered.")


class Run:
    """A claimed job on its way through the executor. Its own task is never cancelled, so its books are always kept.

    held_until: by the monotonic clock; until then nobody else can have the job.
    """

    def __init__(self, job: JobRow, *, held_until: float = math.inf) -> None:
        self.job = job
        self.held_until = held_until
        self.stopped: asyncio.Future[Stop] = asyncio.get_running_loop().create_future()
        self.clock = AttemptClock()
        self._moving: asyncio.Future[None] | None = None

    @asynccontextmanager
    async def moving(self) -> AsyncIterator[None]:
        """Around the cancel of this job, after which another one may go on with what it has ordered."""
        self._moving = asyncio.get_running_loop().create_future()
        try:
            yield
        finally:
            self._moving.set_result(None)
            self._moving = None

    @property
    def is_moving(self) -> bool:
        """Whether it is about to go on for another job."""
        return self._moving is not None

    def move(self, job: JobRow, *, held_until: float) -> None:
        """Goes on for another job: what is written from now on is that one's."""
        self.job, self.held_until = job, held_until
        self.stopped = asyncio.get_running_loop().create_future()

    async def moved_from(self, job: JobRow) -> bool:
        """Whether this run is for another job than that by now; waits where that is being decided."""
        if self._moving is not None:
            await asyncio.shield(self._moving)
        return self.job.id != job.id

    def stop(self, reason: Stop) -> None:
        """Asks the handler to stop; the first reason counts."""
        if not self.stopped.done():
            self.stopped.set_result(reason)

    @property
    def is_held(self) -> bool:
        """False where the lease may have ended: another worker may have the job by now."""
        return time.monotonic() < self.held_until

    def lease_renewed(self, until: float) -> None:
        """until: when it ends now, by the monotonic clock; an earlier word than the last one changes nothing."""
        self.held_until = max(self.held_until, until)
