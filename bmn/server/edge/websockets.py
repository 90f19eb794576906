"""What a WebSocket may say before its client is known, and what is kept for one that takes nothing."""

import json

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import STATUS_LINE
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from bmn.server.edge.asgi import LARGE, UNKNOWN_BYTES
from bmn.server.edge.gate import Gate

_SLICE = 16_384  # what the parser gets at once: so much more than allowed may be read at most
_UNKNOWN_IN_ALL = 8 * UNKNOWN_BYTES  # until a WebSocket's client is known: twelve tries with the longest of tokens
_UNKNOWN_WAITING = 64  # messages that nobody has looked at
_FRAGMENTS = 10_000  # of one message
_UNREAD = 1_000_000  # bytes that a client has not taken; it gets no pongs beside them

_NO_HANDSHAKE = "This is no handshake of a WebSocket: it has a body, or a line of more than 8 KB."


class CountedWebSocket(WebSocketsSansIOProtocol):
    """A connection that began as one of `PromptProtocol` is counted until it ends.

    Until the app calls what stands in its scope as LARGE, it takes and keeps little of what comes, and does not wait for a
    client that is told to go. Pieces of nothing are counted too: a message may be made of any number of them.
    """

    gate: Gate
    _large = False
    _taken = 0

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), _SLICE):
            if self.transport.is_closing():
                return
            part = data[start : start + _SLICE]
            self._taken += len(part)
            super().data_received(part)
            if self.conn.handshake_exc is not None and not self.handshake_initiated:
                self._refuse()  # uvicorn would wait for it, without an end
                return
            if len(self.frames) > _FRAGMENTS or (not self._large and self._says_too_much()):
                self.transport.abort()

    def _refuse(self) -> None:
        body = json.dumps({"error": _NO_HANDSHAKE, "code": "bad_request"}).encode()
        head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[400] + head.encode() + body)
        self.transport.close()

    def _says_too_much(self) -> bool:
        return (
            self._taken > _UNKNOWN_IN_ALL
            or self.queue.qsize() > _UNKNOWN_WAITING
            or len(self.conn.reader.buffer) + sum(map(len, self.frames)) > UNKNOWN_BYTES
        )

    def handle_ping(self) -> None:
        """Answers, unless the client takes none of the answers: they would be kept for it without end."""
        pong = b"".join(self.conn.data_to_send())
        if self.transport.get_write_buffer_size() < _UNREAD:
            self.transport.write(pong)

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
