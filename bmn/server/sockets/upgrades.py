"""From polling to a WebSocket: polls go on until the WebSocket has brought something, and what brings nothing ends.

The library answers polls with nothing from the moment on that a WebSocket opens, and waits for its first word without an
end. On a network that lets one open and forgets what is sent over it, a client would ask without a pause and hear nothing
until its connection counts as lost.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from bmn.logs import get_logger

log = get_logger(__name__)

Frame = str | bytes


class WebSocketWire(Protocol):
    """A WebSocket as the library's handler takes it. `wait` raises OSError once it has ended."""

    async def wait(self) -> Frame: ...

    async def send(self, message: Frame) -> None: ...

    async def close(self) -> None: ...


class Upgrade:
    """A WebSocket beside a transport that polls: its first frame is here already, and its second one comes in time."""

    def __init__(self, wire: WebSocketWire, probe: Frame, seconds: float) -> None:
        self._wire = wire
        self._probe: Frame | None = probe
        self._seconds: float | None = seconds
        self.send = wire.send
        self.close = wire.close

    async def wait(self) -> Frame:
        """The next frame. Raises OSError where the WebSocket has ended, or the second one is late."""
        if self._probe is not None:
            probe, self._probe = self._probe, None
            return probe
        seconds, self._seconds = self._seconds, None
        return await _within(seconds, self._wire)


def watched(library: Callable[..., Any], seconds: float) -> Callable[..., Any]:
    """The library's WebSockets; those beside polls in the way of this module, with so many seconds for each word."""

    def websocket(handler: Callable[[WebSocketWire], Awaitable[None]], server: Any) -> Any:
        async def handle(wire: WebSocketWire) -> None:
            if not handler.__self__.connected:  # type: ignore[attr-defined]
                await handler(wire)  # nothing polls beside it
                return
            try:
                probe = await _within(seconds, wire)
            except OSError:
                log.info("a WebSocket beside polls brought nothing, it is closed", seconds=seconds)
                await wire.close()
                return
            await handler(Upgrade(wire, probe, seconds))

        return library(handle, server)

    return websocket


async def _within(seconds: float | None, wire: WebSocketWire) -> Frame:
    try:
        async with asyncio.timeout(seconds):
            return await wire.wait()
    except TimeoutError:
        raise OSError("nothing came in time") from None
