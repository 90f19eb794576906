"""What one connection may send before we look at it: uvicorn itself waits for ever, and keeps whatever comes."""

import asyncio
import json
import resource
from typing import Any

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from bmn.logs import get_logger
from bmn.server.edge.asgi import LARGE, UNKNOWN_BYTES
from bmn.server.edge.gate import Gate

log = get_logger(__name__)

_HEAD_SECONDS = 15.0
_HEAD_BYTES = 65_536
_HEAD_LINES = 100
_SLICE = 16_384  # what the parser gets at once: so much more than allowed may be read at most
_PIPELINED = 16
_LINGER_SECONDS = 1.0
_REST_SECONDS = 5.0
_MANY_FILES = 65_536

_TOO_LARGE = "The head of the request is too large: at most 64 KB and 100 lines."
_TOO_MANY = "Too many connections; try again in a moment."
_MALFORMED = "This is not an HTTP request."
_NOT_CHUNKED = "A body comes with its length or in chunks; no other transfer coding is understood."


class PromptProtocol(HttpToolsProtocol):
    """Ends a connection whose next request's head has begun, or whose first one has not, and is not there in time.

    Bytes that are no body are counted, and nothing of a head that has too many is kept: the lines of a head, what stands
    around the chunks of a body and behind it, and the ends of lines between two requests.
    """

    gate: Gate
    _waiting: asyncio.TimerHandle | None = None
    _in_head = True
    _refused = False
    _too_large = False
    _bytes = 0  # since the last thing that was whole
    _lines = 0
    _size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()
        if not self.gate.enter(transport):
            self._refuse(503, _TOO_MANY, "busy", "Retry-After: 5\r\n")

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), _SLICE):
            if self._refused or self.transport.is_closing() or self.transport.get_protocol() is not self:
                return
            part = data[start : start + _SLICE]
            self._bytes += len(part)
            if self._bytes > _HEAD_BYTES + _SLICE:
                self._too_large = True
            else:
                if self._in_head and self._waiting is None:
                    self._expect()
                super().data_received(part)
            if self._too_large and not self._refused:
                self._refuse(431, _TOO_LARGE, "too_large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._lines = self._size = 0
        self._expect()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        if not self._too_large:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._lines += 1
        self._count(len(name) + len(value) + 4)
        if (
            self._in_head and not self._too_large
        ):  # a line behind a body is counted and not kept: it would be one of the head's
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._expect_nothing()
        self._in_head = False
        self._bytes = 0
        if self._too_large:
            return
        if any(name == b"transfer-encoding" and value.strip().lower() != b"chunked" for name, value in self.headers):
            self._refuse(501, _NOT_CHUNKED, "bad_request")  # nobody knows where such a body ends
            return
        if len(self.pipeline) >= _PIPELINED:
            self._refused = True
            self.transport.close()
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._bytes = 0
        if not (self._too_large or self._refused):
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_head = True
        self._bytes = 0
        self._expect_nothing()
        if not (self._too_large or self._refused):
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.response_complete and not self._in_head and not self.transport.is_closing():
            self._expect(_REST_SECONDS)  # of a body that nobody reads

    def send_400_response(self, _msg: str) -> None:
        self._refuse(400, _MALFORMED, "bad_request")

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        self.gate.leave(self.transport)
        super().connection_lost(exc)

    def _refuse(self, status: int, words: str, code: str, more: str = "") -> None:
        """Answers and ends. What still comes is thrown away for a moment, or the answer would be lost on its way."""
        self._refused = True
        self._expect_nothing()
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.cycle is None or self.cycle.response_complete:  # an answer that has begun cannot be answered again
            body = json.dumps({"error": words, "code": code}).encode()
            head = (
                f"content-type: application/json\r\ncontent-length: {len(body)}\r\nx-content-type-options: nosniff\r\n"
                f"cache-control: no-store\r\n{more}connection: close\r\n\r\n"
            )
            self.transport.write(STATUS_LINE[status] + head.encode() + body)
        else:  # nobody hears the rest of it, and nothing may be written behind the end
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._waiting = self.loop.call_later(_LINGER_SECONDS, self.transport.abort)

    def _count(self, size: int) -> None:
        self._size += size
        self._too_large = self._too_large or self._size > _HEAD_BYTES or self._lines > _HEAD_LINES

    def _expect(self, seconds: float | None = None) -> None:
        self._expect_nothing()
        self._waiting = self.loop.call_later(_HEAD_SECONDS if seconds is None else seconds, self._end)

    def _expect_nothing(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _end(self) -> None:
        transport: Any = self.transport
        transport.close()


class CountedWebSocket(WebSocketsSansIOProtocol):
    """A connection that began as one of `PromptProtocol` is counted until it ends.

    Until the app calls what stands in its scope as LARGE, it keeps little of what comes, and does not wait for a client
    that is told to go.
    """

    gate: Gate
    _large = False

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), _SLICE):
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + _SLICE])
            if not self._large and len(self.conn.reader.buffer) + sum(map(len, self.frames)) > UNKNOWN_BYTES:
                self.transport.abort()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):  # it is a handshake
            self.scope["extensions"][LARGE] = self._allow_large  # type: ignore[assignment]

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.close" and not self._large:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gate.leave(self.transport)
        super().connection_lost(exc)

    def _allow_large(self) -> None:
        self._large = True


def guarded_by(gate: Gate) -> tuple[type[PromptProtocol], type[CountedWebSocket]]:
    """The protocols whose connections a gate counts."""
    http = type("GuardedProtocol", (PromptProtocol,), {"gate": gate})
    return http, type("GuardedWebSocket", (CountedWebSocket,), {"gate": gate})


def allow_many() -> None:
    """As many open files as the system lets this process have, up to what is plenty; the usual soft limit is 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, _MANY_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def descriptors() -> int:
    """How many files and connections this process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MANY_FILES if soft == resource.RLIM_INFINITY else soft
