"""What waits for one client: a line that knows its size and keeps only the latest progress."""

import asyncio
from collections import deque

from engineio.packet import MESSAGE, NOOP, Packet


class EventPacket(Packet):  # type: ignore[misc]
    """A packet that a newer one of the same key may replace while it waits."""

    def __init__(self, text: str, key: tuple[str, str] | None = None) -> None:
        super().__init__(MESSAGE, data=text)
        self.key = key


class OutgoingLine(asyncio.Queue[Packet | None]):
    """What waits for one client. Beyond `coalesce_from` packets with a key, one takes the place of an older one of its key.

    One packet that says nothing is enough, however often its client asks for it. At most `at_once` leave together: the
    client for Python refuses an answer to a poll that has more, and gives its transport up.
    """

    coalesce_from = 64
    at_once = 16

    def _init(self, maxsize: int) -> None:
        self._waiting: deque[Packet | None] = deque()
        self._latest: dict[tuple[str, str], EventPacket] = {}
        self._replaceable = 0
        self._noop: Packet | None = None
        self._taken = 0
        self._queue = self._waiting
        self.bytes = 0

    def _put(self, item: Packet | None) -> None:
        if item is not None and item.packet_type == NOOP:
            if self._noop is not None:
                self._waiting.remove(self._noop)
                self.task_done()
            self._noop = item
        self._waiting.append(item)
        self.bytes += _size(item)
        if isinstance(item, EventPacket) and item.key is not None:
            older = self._latest.get(item.key)
            self._latest[item.key] = item
            self._replaceable += 1
            if older is not None and self._replaceable > self.coalesce_from:
                self._waiting.remove(older)
                self._replaceable -= 1
                self.bytes -= _size(older)
                self.task_done()

    async def get(self) -> Packet | None:
        """The first of those that leave together."""
        self._taken = 0
        return await super().get()

    def get_nowait(self) -> Packet | None:
        """Another one of them. Raises QueueEmpty where none waits, or none more may leave with them."""
        if self._taken >= self.at_once:
            raise asyncio.QueueEmpty
        self._taken += 1
        return super().get_nowait()

    def _get(self) -> Packet | None:
        item = self._waiting.popleft()
        self.bytes -= _size(item)
        if item is self._noop:
            self._noop = None
        if isinstance(item, EventPacket) and item.key is not None:
            self._replaceable -= 1
            if self._latest.get(item.key) is item:
                del self._latest[item.key]
        return item

    def clear(self) -> None:
        """Drops what was not sent."""
        while not self.empty():
            self._taken = 0
            self.get_nowait()
            self.task_done()


def _size(item: Packet | None) -> int:
    return len(item.data) if item is not None and isinstance(item.data, str | bytes) else 0
