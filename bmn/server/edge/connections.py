"""What one connection may send before we look at it: uvicorn itself waits for ever, and keeps whatever comes."""

import asyncio
import json
import resource
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from bmn.logs import get_logger
from bmn.server.edge.gate import Gate
from bmn.server.edge.websockets import CountedWebSocket

log = get_logger(__name__)

_HEAD_SECONDS = 15.0
_HEAD_BYTES = 65_536
_HEAD_LINES = 100
_SLICE = 16_384  # what the parser gets at once: so much more than allowed may be read at most
_PIPELINED = 16
_LINGER_SECONDS = 1.0
_REST_SECONDS = 5.0
_MANY_FILES = 65_536
_FRAMING = (b"content-length", b"transfer-encoding")

_TOO_LARGE = "The head of the request is too large: at most 64 KB and 100 lines."
_TOO_MANY = "Too many connections; try again in a moment."
_MALFORMED = "This is not an HTTP request."
_NOT_CHUNKED = "A body comes with its length or in chunks; no other transfer coding is understood."


class PromptProtocol(HttpToolsProtocol):
    """Ends a connection whose next request's head has begun, or whose first one has not, and is not there in time.

    Bytes that are no body are counted, and nothing of a head that has too many is kept: the lines of a head, what stands
    around the chunks of a body and behind it, and the ends of lines between two requests.

    A request that would rather go on in another protocol than WebSocket is one of this protocol, as HTTP has it: Java's
    client asks for h2c with each of its first requests, and sends the body all the same.
    """

    gate: Gate
    _waiting: asyncio.TimerHandle | None = None
    _in_head = True
    _refused = False
    _too_large = False
    _bytes = 0  # since the last thing that was whole
    _lines = 0
    _size = 0
    _reads_head_again = False

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
                self._feed(part)
            if self._too_large and not self._refused:
                self._refuse(431, _TOO_LARGE, "too_large")

    def _feed(self, part: bytes) -> None:
        self._unset_keepalive_if_required()
        while True:
            try:
                self.parser.feed_data(part)
                return
            except httptools.HttpParserUpgrade as end:
                if self._should_upgrade():
                    self.handle_websocket_upgrade()
                    return
                part = part[end.args[0] :]
            except httptools.HttpParserError:
                self.send_400_response(_MALFORMED)
                return
            self._stay()

    def _stay(self) -> None:
        """The parser has done with a request that asks for another protocol, its body included. Another one reads on."""
        framing = [
            f"{name.decode()}: {value.decode('latin-1')}\r\n" for name, value in self.headers if name in _FRAMING
        ]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._reads_head_again = True
        self.parser.feed_data(f"POST / HTTP/1.1\r\n{''.join(framing)}\r\n".encode("latin-1"))
        self._reads_head_again = False

    def handle_websocket_upgrade(self) -> None:
        self._forget_times()
        # Nobody reads cookies there, which may be longer than what reads the head of a handshake takes.
        self.scope["headers"] = [
            header for header in self.headers if header[0] != b"cookie" and header != (b"content-length", b"0")
        ]
        super().handle_websocket_upgrade()

    def _forget_times(self) -> None:
        self._unset_keepalive_if_required()
        self._expect_nothing()

    def on_message_begin(self) -> None:
        if self._reads_head_again:
            return
        super().on_message_begin()
        self._lines = self._size = 0
        self._expect()

    def on_url(self, url: bytes) -> None:
        if self._reads_head_again:
            return
        self._count(len(url))
        if not self._too_large:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._reads_head_again:
            return
        self._lines += 1
        self._count(len(name) + len(value) + 4)
        if (
            self._in_head and not self._too_large
        ):  # a line behind a body is counted and not kept: it would be one of the head's
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._reads_head_again:
            return
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
        if self.parser.should_upgrade() and not self._should_upgrade():
            return  # its body is still to come
        self._in_head = True
        self._bytes = 0
        self._expect_nothing()
        if not (self._too_large or self._refused):
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.get_protocol() is not self:
            self._forget_times()  # it goes on as a WebSocket, which was asked for together with this request
        elif self.cycle.response_complete and not self._in_head and not self.transport.is_closing():
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
