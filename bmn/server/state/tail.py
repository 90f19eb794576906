"""Wakes whoever follows a job when the job has published something. A hint only: the rows say what it was."""

import asyncio
import contextlib
from collections.abc import Iterator

import redis

from bmn.events.stream import EventStream
from bmn.logs import get_logger

log = get_logger(__name__)

EVERYTHING = "*"
"""In place of a job's id: whatever is published, of jobs and of the system."""

_BLOCK_MS = 1000
_REST_SECONDS = 0.5


class JobTail:
    """Reads the stream while somebody listens, and only then. One per server process."""

    def __init__(self, stream: EventStream) -> None:
        self._stream = stream
        self._listeners: dict[str, set[asyncio.Event]] = {}
        self._task: asyncio.Task[None] | None = None
        self.healthy = False

    @contextlib.contextmanager
    def listen(self, *job_ids: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever one of the jobs has published something new; the listener clears it."""
        wake = asyncio.Event()
        for job_id in job_ids:
            self._listeners.setdefault(job_id, set()).add(wake)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="job-tail")
        try:
            yield wake
        finally:
            for job_id in job_ids:
                self._listeners[job_id].discard(wake)
                if not self._listeners[job_id]:
                    del self._listeners[job_id]

    async def close(self) -> None:
        """Stops listening."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def wake_all(self) -> None:
        """Makes every listener look: something may have been missed, or it is time to go."""
        for listeners in self._listeners.values():
            for wake in listeners:
                wake.set()

    async def _run(self) -> None:
        position: str | None = None
        while self._listeners:
            try:
                if position is None:
                    position = await self._stream.last_id()
                    self.wake_all()  # what was published before we knew where we are
                self.healthy = True
                for entry_id, event in await self._stream.read(position, count=500, block_ms=_BLOCK_MS):
                    position = entry_id
                    for listeners in (event.job_id or "", EVERYTHING):
                        for wake in self._listeners.get(listeners, ()):
                            wake.set()
            except (redis.RedisError, OSError) as error:
                if self.healthy:
                    log.warning("live events are read from the rows while Redis is away", error=str(error))
                self.healthy, position = False, None
                await asyncio.sleep(_REST_SECONDS)
        self.healthy = False
