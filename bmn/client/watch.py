"""Following a job through any break: server-sent events with resumption, and polling where they do not get through."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from bmn.client.api import Client
from bmn.client.patience import PATIENCE_SECONDS, Patience, backoff
from bmn.client.said import Said
from bmn.errors import BmnError, NoServer, NotSignedIn, RateLimited, TryLater
from bmn.schemas.events import ends_job
from bmn.schemas.payloads import TERMINAL_STATES

Notice = Callable[[str], None]

_SILENCE = 45.0  # seconds without a byte, comments included, before a stream counts as mute
_ALIVE = ": alive"  # the comment of a stream that has nothing to tell
_SLEPT = 10.0  # a second that took this long was spent asleep, and the connection may have died meanwhile
_BREAKS_BEFORE_POLLING = 3
_POLL_SECONDS = 2.0  # a user may ask 60 times a minute


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a job, as Socket.IO would show it. seq grows by one per job."""

    job_id: str
    seq: int
    name: str
    data: dict[str, Any]

    @property
    def said(self) -> Said:
        """Its data, read. Raises pydantic.ValidationError for what no release of ours has sent."""
        return Said.model_validate(self.data)

    @property
    def ends(self) -> bool:
        """Whether nothing comes after it."""
        return ends_job(self.name, self.data)


class _Follower:
    """The state of one watch: the last seq seen, and how often the connection broke without bringing anything."""

    def __init__(
        self, client: Client, job_id: str, after: int, patience: float, silence: float, on_notice: Notice
    ) -> None:
        self.client = client
        self.job_id = job_id
        self.seq = after
        self.patience = Patience(patience)
        self.silence = silence
        self.on_notice = on_notice
        self.ended = False
        self.polling = False
        self.breaks = 0
        self.said_so = False  # that the connection is lost, since something last came through it
        self.gap = False

    async def events(self) -> AsyncGenerator[Event]:
        """The new events of one connection or one question; sets `ended` after the last one of the job."""
        if not self.polling:
            async for event in self._streamed():
                yield event
        if self.polling or not (self.ended or self.gap):
            for event in await self._asked():
                yield event

    async def rest(self, problem: Exception | None) -> None:
        """Waits before the next connection. Raises the problem where waiting does not help."""
        if self.polling and problem is None:
            await asyncio.sleep(_POLL_SECONDS)
            return
        if isinstance(problem, RateLimited):
            self.patience.found()
            await asyncio.sleep(problem.retry_after)
            return
        self.breaks += 1
        if isinstance(problem, NotSignedIn) and self.breaks > 2:
            raise problem
        mute = isinstance(problem, httpx.ReadTimeout)
        if (mute or self.breaks >= _BREAKS_BEFORE_POLLING) and not self.polling and await self.client.is_up():
            self.patience.found()
            self.polling = True
            self.on_notice("live events do not get through; asking every 2 s instead")
            return
        if problem is not None:
            self._missed(problem)
        await asyncio.sleep(backoff(self.breaks - 1, base=0.1, cap=5.0))

    def _missed(self, problem: Exception) -> None:
        if self.patience.lost():
            raise NoServer(
                f"The server at {self.client.api_url} went away while we watched {self.job_id}.",
                hint=f"The job goes on when the server is back: bmn jobs watch {self.job_id}",
            ) from problem
        if not self.said_so:
            self.said_so = True
            self.on_notice("connection lost, reconnecting; the job goes on")

    async def _streamed(self) -> AsyncGenerator[Event]:
        path, headers = f"/jobs/{self.job_id}/events", {"Last-Event-ID": str(self.seq)}
        async with self.client.stream(path, headers=headers, read_timeout=self.silence) as answer, _awake(answer):
            if "event-stream" not in answer.headers.get("Content-Type", ""):
                raise httpx.RemoteProtocolError("not an event stream")
            async for name, seq, data in parse(self._lines(answer)):
                if seq <= self.seq:
                    continue
                if seq > self.seq + 1 and not self.gap:
                    self.gap = True  # something is missing: ask once more from where we are, then take what there is
                    return
                self.breaks, self.gap, self.said_so = 0, False, False
                yield self._seen(Event(self.job_id, seq, name, data))
                if self.ended:
                    return

    async def _lines(self, answer: httpx.Response) -> AsyncGenerator[str]:
        self.patience.found()
        async for line in answer.aiter_lines():
            self.patience.found()
            if line == _ALIVE:
                self.breaks, self.said_so = 0, False
            yield line

    async def _asked(self) -> list[Event]:
        """What the job's record tells beyond what we have."""
        job = await self.client.job(self.job_id)
        self.patience.found()
        if self.polling:
            self.breaks = 0
        events = [
            self._seen(Event(self.job_id, entry.seq, entry.event, entry.data))
            for entry in job.timeline
            if entry.seq > self.seq
        ]
        self.ended = job.state in TERMINAL_STATES
        return events

    def _seen(self, event: Event) -> Event:
        self.seq, self.ended = event.seq, event.ends
        return event


@asynccontextmanager
async def _awake(answer: httpx.Response) -> AsyncGenerator[None]:
    """Closes a stream over which the machine slept: a dead connection says nothing, and a timeout would find it late."""

    async def tick() -> None:
        before = time.time()
        while time.time() - before < _SLEPT:
            before = time.time()
            await asyncio.sleep(1)
        await answer.aclose()

    ticking = asyncio.create_task(tick())
    try:
        yield
    finally:
        ticking.cancel()


async def parse(lines: AsyncIterator[str]) -> AsyncGenerator[tuple[str, int, dict[str, object]]]:
    """Server-sent events as (name, id, data). Comments and blocks without data are skipped. Raises ValueError."""
    fields: dict[str, list[str]] = {}
    async for line in lines:
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(":")
            fields.setdefault(name, []).append(value.removeprefix(" "))
            continue
        if "data" in fields:
            try:
                data = json.loads("\n".join(fields["data"]))
            except RecursionError:
                raise ValueError("nested deeper than anything that we send") from None
            yield fields.get("event", ["message"])[-1], int(fields.get("id", ["0"])[-1]), data
        fields = {}


async def follow(
    client: Client,
    job_id: str,
    *,
    after: int = 0,
    patience: float = PATIENCE_SECONDS,
    silence: float = _SILENCE,
    on_notice: Notice = lambda _text: None,
) -> AsyncGenerator[Event]:
    """Every event of a job with a seq above `after`, in order, once each, until the job ends.

    patience: seconds that the server may be away before NoServer is raised; it may be quiet for as long as it likes.
    silence: seconds after which a stream without a byte counts as mute, and we ask instead. Raises NotFound for a job
    that is not ours.
    """
    watch = _Follower(client, job_id, after, patience, silence, on_notice)
    while not watch.ended:
        problem: Exception | None = None
        try:
            async for event in watch.events():
                yield event
        except (httpx.TransportError, ValueError) as error:
            problem = error
        except BmnError as error:
            if error.http_status < 500 and not isinstance(error, NotSignedIn | TryLater):
                raise
            problem = error
        if not watch.ended:
            await watch.rest(problem)
