"""The body of a request: how large it may be, how slowly it may come, and how much all of them may hold at once."""

import asyncio
import contextlib
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from bmn.server.edge.asgi import has_more, is_body, part_of

TOO_LARGE = "The request body is too large."
TOO_SLOW = "The request's body did not arrive in time."
TOO_MANY = "Too much is being sent at the same time; try again in a moment."

_BODY_SECONDS = 5.0  # for what is small; more by its size
_LEAST_RATE = 8_000.0  # bytes a second, as the worst line of a telephone has them
_DRAIN_SECONDS = 0.5
_SMALL = 65_536  # one of this size is always taken
_MOST_HELD = 64_000_000


@dataclass(slots=True)
class Held:
    """What all bodies that are being read hold together."""

    bytes: int = 0


class Body:
    """A request's body. most: bytes. Reading raises HTTPException: 413 beyond them, 408 where it drips, 503 where there is
    no room for a large one now."""

    def __init__(self, receive: Receive, most: int, held: Held) -> None:
        self._receive = receive
        self._most = most
        self._held = held
        self._size = 0
        self._complete = False
        self._began = asyncio.get_running_loop().time()

    async def read(self) -> Message:
        """The next message, as ASGI has it."""
        if self._complete:
            return await self._receive()  # the client's going, whenever that is
        try:
            async with asyncio.timeout_at(self._began + _BODY_SECONDS + self._size / _LEAST_RATE):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, TOO_SLOW) from None
        if is_body(message):
            self._complete = not has_more(message)
            await self._count(len(part_of(message)))
        return message

    async def _count(self, more: int) -> None:
        self._size += more
        self._held.bytes += more
        if self._size > self._most:
            await self.drain()
            raise HTTPException(413, TOO_LARGE)
        if self._size > _SMALL and self._held.bytes > _MOST_HELD:
            raise HTTPException(503, TOO_MANY, {"Retry-After": "5"})

    async def drain(self) -> None:
        """Takes what still comes, for a moment, and throws it away: who still sends cannot read an answer."""
        left = 4 * self._most
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                while left > 0:
                    message = await self._receive()
                    if not is_body(message) or not has_more(message):
                        return
                    left -= len(part_of(message))

    def release(self) -> None:
        """The request is answered."""
        self._held.bytes -= self._size
        self._size = 0


def at_most(receive: Receive, most: int) -> Receive:
    """A body for which less is enough than for others. Reading raises HTTPException 413 beyond so many bytes."""
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(part_of(message)) if is_body(message) else 0
        if size > most:
            raise HTTPException(413, TOO_LARGE)
        return message

    return counted


async def whole(receive: Receive) -> Message:
    """A body in one message; the client's going, where it did not stay to its end. Raises what reading raises."""
    message = await receive()
    if is_body(message) and not has_more(message):
        return {"type": "http.request", "body": part_of(message), "more_body": False}
    parts: list[bytes] = []
    while is_body(message):
        parts.append(part_of(message))
        if not has_more(message):
            return {"type": "http.request", "body": b"".join(parts), "more_body": False}
        message = await receive()
    return message


def given_again(message: Message, receive: Receive) -> Receive:
    """What gives a message that was read already, and then what follows it."""
    first: list[Message] = [message]

    async def again() -> Message:
        return first.pop() if first else await receive()

    return again
