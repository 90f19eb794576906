"""Follows the stream for as long as the process lives, whatever Redis does."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence

import redis

from bmn.events.audience import Outgoing
from bmn.events.stream import BEGIN, EventStream
from bmn.logs import get_logger
from bmn.schemas.events import ends_job
from bmn.server.sockets.delivery import Delivery
from bmn.server.sockets.ring import START, Ring, read_position, write_position

log = get_logger(__name__)

_PAGE = 500
_BLOCK_MS = 1000
_ENTRIES = 20  # delivered without a break
_HANDED = 500  # packets put into lines without a break
_LONGEST_REST = 1.0


class StreamFollower:
    """stream: on a connection of its own, since it waits there. window: how far back the ring is filled, in seconds.

    vouches: of each event, whether the addresses in it may be signed for those it is for.
    end_all: ends every connection and session: for when something was lost for sure.
    """

    def __init__(
        self,
        stream: EventStream,
        ring: Ring,
        delivery: Delivery,
        window: float,
        vouches: Callable[[Sequence[Outgoing]], Awaitable[list[bool]]],
        end_all: Callable[[], Awaitable[None]],
        on_end: Callable[[str], None],
    ) -> None:
        self._vouches = vouches
        self._end_all = end_all
        self._on_end = on_end  # of a job whose end somebody hears
        self._stream = stream
        self._ring = ring
        self._delivery = delivery
        self._window = window
        self._position = "0-0"
        self._origin: str | None = None  # the first entry's id, which distinguishes one stream from another
        self._loaded = False
        self._healthy = True

    async def load(self) -> None:
        """Fills the ring with what happened lately. Raises redis.RedisError when Redis is away."""
        newest = await self._stream.newest()
        self._origin = await self._first_id()
        start_ms = max(0, int((time.time() - self._window) * 1000))
        if newest is not None:
            start_ms = min(start_ms, read_position(newest[0])[0])
        before = await self._stream.newest(before=f"({start_ms}-0")
        # Complete after the entry before the window; where that was trimmed away, after the first that is left.
        floor = before[0] if before else self._origin or "0-0"
        self._ring.restart(read_position(floor))
        self._position = floor
        while page := await self._stream.page(f"({self._position}", count=_PAGE):
            vouched = await self._vouches([event for _, event in page])
            for (entry_id, event), signs in zip(page, vouched, strict=True):
                self._ring.add(self._delivery.entry(entry_id, event, signs=signs))
                self._position = entry_id
        self._delivery.resync()
        self._loaded = True

    async def run(self) -> None:
        """Reads and delivers until it is cancelled."""
        failures = 0
        while True:
            try:
                if not self._loaded:
                    await self.load()
                elif failures:
                    await self._find_place()
                before = self._position
                page = await self._stream.read(before, count=_PAGE, block_ms=_BLOCK_MS)
                self._recovered(failures)
                failures = 0
                if len(page) == _PAGE and await self._was_trimmed(before):
                    self._restart(page[0][0], "entries were trimmed before they were read")
                    await self._end_all()
                await self._take(page)
            except (redis.RedisError, OSError) as error:
                failures += 1
                self._failed(error)
                await asyncio.sleep(random.uniform(0.05, min(_LONGEST_REST, 0.1 * 2 ** min(failures, 8))))
            except Exception:
                failures += 1
                log.exception("an event could not be delivered", position=self._position)
                await asyncio.sleep(0.1)

    async def _take(self, page: list[tuple[str, Outgoing]]) -> None:
        handed = 0
        vouched = await self._vouches([event for _, event in page])
        for number, ((entry_id, event), signs) in enumerate(zip(page, vouched, strict=True), 1):
            self._position = entry_id
            if event != BEGIN:
                heard = self._delivery.deliver(self._delivery.entry(entry_id, event, signs=signs))
                handed += heard
                if heard and event.job_id and ends_job(event.event, event.data):
                    self._on_end(event.job_id)
            elif self._origin is None:
                self._origin = entry_id
            elif entry_id != self._origin:
                self._origin = entry_id
                self._restart(entry_id, "Redis was emptied; jobs are published again from their rows")
            if handed > _HANDED or number % _ENTRIES == 0:
                handed = 0
                await asyncio.sleep(0)  # the clients' writers have their turn

    def _restart(self, entry_id: str, reason: str) -> None:
        """Something was written that nobody here has read, so nobody can resume from before."""
        log.warning("the event stream has a gap", reason=reason, at=entry_id)
        self._ring.restart(read_position(entry_id))
        self._delivery.restart(self._ring.last)

    async def _was_trimmed(self, position: str) -> bool:
        """Whether the stream's beginning has overtaken us."""
        first = await self._first_id()
        return position != "0-0" and first is not None and read_position(first) > read_position(position)

    async def _find_place(self) -> None:
        """After an outage: where to go on in a stream that may have lost its end, or be another one."""
        origin, newest = await self._first_id(), await self._stream.newest()
        last = newest[0] if newest else "0-0"
        if read_position(last) >= read_position(self._position):
            return
        if origin != self._origin:  # another stream, whose clock is behind ours
            ms, number = read_position(self._position)
            self._position, self._origin = "0-0", "0-0"
            self._ring.restart((ms, number + 1), START)  # resumable again from the new stream's first entry on
            self._delivery.restart(START)
        else:
            self._position = last

    async def _first_id(self) -> str | None:
        first = await self._stream.page("-", count=1)
        return first[0][0] if first else None

    def _failed(self, error: Exception) -> None:
        if self._healthy:
            self._healthy = False
            log.warning("no live events while Redis is away", error=str(error) or type(error).__name__)

    def _recovered(self, failures: int) -> None:
        if failures:
            self._healthy = True
            log.info("live events again", position=write_position(self._ring.last))
