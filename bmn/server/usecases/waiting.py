"""One request, one answer: holds a request until its job has ended, or for as long as it asked to wait."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from bmn.db import job_store
from bmn.errors import RateLimited
from bmn.schemas.payloads import TERMINAL_STATES
from bmn.server.state.resources import Resources

MOST_SECONDS = 60
"""The idle time that load balancers allow by default."""

STREAMS = "streams"
"""What requests that follow a job are counted as."""

_FOLLOWED_PER_USER = 30
_POLL_SECONDS = 1.0  # without the stream
_SAFETY_SECONDS = 5.0  # with it: a wake-up that got lost delays an answer by this much


def preferred_wait(header: str | None) -> int | None:
    """The seconds of `Prefer: wait=60` (RFC 7240), at most 60; None where the header asks for no wait."""
    for preference in (header or "")[:1000].split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        seconds = value.strip().strip('"')
        if name.strip().lower() == "wait" and seconds.isascii() and seconds.isdecimal():
            return min(int(seconds[:9]), MOST_SECONDS)
    return None


@contextlib.asynccontextmanager
async def followed(res: Resources, user_id: str) -> AsyncIterator[None]:
    """Counts a request that follows a job for as long as it does. Raises RateLimited over 30 of one user, whichever
    processes they are with.
    """
    if not await res.tally.take(STREAMS, user_id, _FOLLOWED_PER_USER):
        raise RateLimited(f"{_FOLLOWED_PER_USER} jobs are followed at once already.", hint="Close some of them.")
    try:
        yield
    finally:
        res.tally.give(STREAMS, user_id)


class _Counted(StreamingResponse):
    """An event stream that is counted until it ends, in whatever way."""

    def __init__(
        self, counted: contextlib.AsyncExitStack, lines: AsyncIterator[bytes], headers: Mapping[str, str]
    ) -> None:
        self._counted = counted
        super().__init__(lines, 200, headers, "text/event-stream")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._counted:
            await super().__call__(scope, receive, send)


async def counted_stream(
    res: Resources, user_id: str, lines: AsyncIterator[bytes], headers: Mapping[str, str]
) -> StreamingResponse:
    """A stream of server-sent events that counts among those of its user. Raises RateLimited over 30 of one user."""
    # Before anything else happens: many that come at the same moment must not all find room.
    counted = contextlib.AsyncExitStack()
    await counted.enter_async_context(followed(res, user_id))
    return _Counted(counted, lines, headers)


async def wait_for_news(res: Resources, wake: asyncio.Event, seconds: float = _SAFETY_SECONDS) -> None:
    """Until the job that `wake` listens to has published something; `seconds` at most, and less without the stream."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(min(seconds, _SAFETY_SECONDS if res.tail.healthy else _POLL_SECONDS)):
            await wake.wait()


async def wait_for_end(res: Resources, job_id: str, seconds: float) -> bool:
    """Whether the job has ended within this time; False as well when the process stops meanwhile."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    with res.tail.listen(job_id) as wake:
        while True:
            wake.clear()
            found = await res.core.db.read(lambda conn: job_store.state_of(conn, job_id))
            if found is None or found[0] in TERMINAL_STATES:
                return found is not None
            if res.closing.is_set() or (left := until - loop.time()) <= 0:
                return False
            await wait_for_news(res, wake, left)
