"""The transport below Socket.IO: how many of it there are, and how each ends."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import engineio
from engineio.async_socket import AsyncSocket
from engineio.packet import NOOP, Packet
from engineio.payload import Payload

from bmn.logs import get_logger
from bmn.server.edge.addresses import counted_of
from bmn.server.edge.asgi import LARGE, UNKNOWN_BYTES, is_body, is_http, is_websocket, method_of, parameter_of
from bmn.server.edge.bodies import at_most, given_again, whole
from bmn.server.sockets.limits import Limits
from bmn.server.sockets.line import OutgoingLine
from bmn.server.sockets.upgrades import watched

log = get_logger(__name__)

# A polling client sends what it has buffered in one request; the library's own 16 would lose the rest of it.
Payload.max_decode_packets = 256

_LATE = "bmn.transport"  # in a WebSocket's scope: called with the transport's id once it has one
_MALFORMED = (ValueError, TypeError, IndexError, KeyError, AttributeError, RecursionError)
_FULL = b'{"error":"Too many sockets that have joined nothing; try again in a moment.","code":"busy"}'
_ENDED = b'{"error":"The transport has ended.","code":"bad_request"}'
# In the form of Engine.IO's own refusals, whose clients show the message.
_NO_POLLING = (
    b'{"code":0,"message":"Several processes serve this address, and a poll may reach another one than its transport. '
    b'Connect by WebSocket: transports: [\\"websocket\\"]."}'
)
_RECEIVE = Callable[[], Awaitable[MutableMapping[str, Any]]]
_SEND = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(slots=True)
class _Polls:
    """Those of one transport that are not answered yet."""

    number: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


def _nothing(_eio_sid: str) -> None:
    """For who is told of nothing."""


class Transports(engineio.AsyncServer):  # type: ignore[misc]
    """Engine.IO with bounded lines, and a way to end a transport so that its client comes back by itself."""

    _async: dict[str, Any]  # the library's, of its way to speak ASGI

    def __init__(self, limits: Limits, **options: Any) -> None:
        super().__init__(**options)
        self._async = {**self._async, "websocket": watched(self._async["websocket"], limits.upgrade_seconds)}
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        self._pings: dict[str, asyncio.Task[Any]] = {}
        self._joined: set[str] = set()
        self._polls: dict[str, _Polls] = {}
        self._enlarging: dict[str, Callable[[], None]] = {}
        self.on_unserved: Callable[[str], None] = _nothing
        """Called with a transport's id once its WebSocket has ended, which may be a while after the transport has."""

    def start_background_task(self, target: Any, *args: Any, **kwargs: Any) -> asyncio.Task[Any]:
        """The library's own; what waits to send a ping is remembered, since it would outlive its transport."""
        task: asyncio.Task[Any] = super().start_background_task(target, *args, **kwargs)
        if isinstance(owner := getattr(target, "__self__", None), AsyncSocket):
            self._pings[owner.sid] = task
        return task

    def ended(self, eio_sid: str) -> None:
        """A transport is closed: nothing of it is kept until somebody asks for it."""
        if (ping := self._pings.pop(eio_sid, None)) is not None and ping is not asyncio.current_task():
            ping.cancel()
        self.sockets.pop(eio_sid, None)
        self._joined.discard(eio_sid)

    def joined(self, eio_sid: str) -> None:
        """Its client is known: from now on it may send large messages."""
        self._joined.add(eio_sid)
        if (enlarge := self._enlarging.get(eio_sid)) is not None:
            enlarge()

    def has_joined(self, eio_sid: str) -> bool:
        return eio_sid in self._joined

    def create_queue(self, *args: Any, **kwargs: Any) -> OutgoingLine:
        return OutgoingLine(*args, **kwargs)

    def line(self, eio_sid: str) -> OutgoingLine | None:
        """The line of a connection; None where it is gone or about to go."""
        socket = self.sockets.get(eio_sid)
        return None if socket is None or socket.closed or socket.closing else socket.queue

    async def disconnect(self, sid: str | None = None) -> None:
        """What the library does with a client that it cannot understand; its own way waits for one who has gone."""
        for eio_sid in [sid] if sid is not None else list(self.sockets):
            await self.drop(eio_sid)

    async def drop(self, eio_sid: str) -> None:
        """Ends a transport without a word, which the client takes for a lost connection: it reconnects and resumes."""
        socket: AsyncSocket | None = self.sockets.get(eio_sid)
        if socket is None:
            return
        await socket.close(wait=False, abort=True, reason=self.reason.TRANSPORT_CLOSE)
        socket.queue.clear()
        socket.queue.put_nowait(None)  # the writer takes it for the end, and closes the connection
        self.sockets.pop(eio_sid, None)
        task = self._tasks.get(eio_sid)
        if task is not None and task is not asyncio.current_task():
            task.cancel()  # the reader would wait for a silent client until its ping is overdue

    @contextlib.contextmanager
    def serving(self, eio_sid: str, enlarge: Callable[[], None]) -> Iterator[None]:
        """While a WebSocket of this transport is served by the current task. enlarge: lets it bring large messages."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks[eio_sid] = task
        self._enlarging[eio_sid] = enlarge
        if self.has_joined(eio_sid):
            enlarge()
        try:
            yield
        finally:
            if self._tasks.get(eio_sid) is task:
                del self._tasks[eio_sid]
                del self._enlarging[eio_sid]
                self.on_unserved(eio_sid)

    @contextlib.asynccontextmanager
    async def polled(self, eio_sid: str) -> AsyncIterator[None]:
        """While a poll of this transport waits. Of several the newest does, and the others are answered: one connection is
        enough, and one of two may have been given up on its way.
        """
        polls = self._polls.setdefault(eio_sid, _Polls())
        polls.number += 1
        try:
            if polls.number > 1:
                self._say_nothing(eio_sid)
            async with polls.turn:
                if polls.number > 1:
                    self._say_nothing(eio_sid)
                yield
        finally:
            polls.number -= 1
            if not polls.number:
                del self._polls[eio_sid]

    def _say_nothing(self, eio_sid: str) -> None:
        if (line := self.line(eio_sid)) is not None:
            line.put_nowait(Packet(NOOP))

    def is_served(self, eio_sid: str) -> bool:
        """Whether a WebSocket of this transport is still there."""
        return eio_sid in self._tasks

    def opened(self, eio_sid: str, scope: MutableMapping[str, Any]) -> None:
        """A transport that began as a WebSocket has learned its id."""
        if (late := scope.get(_LATE)) is not None:
            late(eio_sid)


def bounded(
    app: Any, transports: Transports, limits: Limits, is_full: Callable[[str], bool], *, polling: bool = True
) -> Any:
    """An ASGI application whose WebSockets survive any bytes, and give up on a client that takes nothing for so long.

    is_full: whether an address may begin no further transport now. polling: whether a transport may be one of requests.
    """

    async def wrapped(scope: MutableMapping[str, Any], receive: _RECEIVE, send: _SEND) -> None:
        if not polling and is_http(scope) and method_of(scope) != "OPTIONS":
            await _answer(send, 400, _NO_POLLING)
            return
        beside = _upgraded(scope)
        # Beside a transport stands one WebSocket: any number of them would be as many that have joined nothing.
        too_many = is_websocket(scope) and transports.is_served(beside) if beside else is_full(counted_of(scope))
        if too_many:
            await _turn_away(scope, send)
            return
        if not is_websocket(scope):
            # The library would take a body that is refused while it reads it for one that it could not understand.
            if not transports.has_joined(_upgraded(scope)):
                receive = at_most(receive, UNKNOWN_BYTES)
            try:
                message = await (whole(receive) if method_of(scope) == "POST" else receive())
                if is_body(message):  # else the client has hung up, which the library does not expect
                    polls = beside and method_of(scope) == "GET"
                    async with transports.polled(beside) if polls else contextlib.nullcontext():
                        await app(scope, given_again(message, receive), send)
            except UnboundLocalError:  # it has no answer for a transport that ends while its packets are read
                await _answer(send, 400, _ENDED)
            return

        async def send_in_time(message: MutableMapping[str, Any]) -> None:
            async with asyncio.timeout(limits.send_seconds):
                await send(message)

        await _serve_websocket(app, transports, scope, receive, send_in_time)

    return wrapped


async def _serve_websocket(
    app: Any, transports: Transports, scope: MutableMapping[str, Any], receive: _RECEIVE, send: _SEND
) -> None:
    with contextlib.ExitStack() as stack:
        ids: list[str] = []
        enlarge = scope["extensions"].get(LARGE, lambda: None)

        def known(eio_sid: str) -> None:
            ids.append(eio_sid)
            stack.enter_context(transports.serving(eio_sid, enlarge))

        scope[_LATE] = known
        if upgraded := _upgraded(scope):
            known(upgraded)
        try:
            await app(scope, receive, send)
        except _MALFORMED as error:
            log.info("malformed frame, transport closed", reason=type(error).__name__)
            for eio_sid in ids:
                await transports.drop(eio_sid)


async def _turn_away(scope: MutableMapping[str, Any], send: _SEND) -> None:
    if is_websocket(scope):
        await send({"type": "websocket.close", "code": 1013})
        return
    await _answer(send, 503, _FULL, (b"retry-after", b"5"))


async def _answer(send: _SEND, status: int, body: bytes, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _upgraded(scope: MutableMapping[str, Any]) -> str:
    """The transport that a request belongs to; empty for one that begins it."""
    return parameter_of(scope, "sid")
