"""The Socket.IO server of one process: built with the app, started once its resources are open."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import engineio
from redis.exceptions import RedisError

from bmn.broker.connection import connect
from bmn.broker.shared_rate import Allowance
from bmn.events.stream import EventStream
from bmn.logs import get_logger
from bmn.schemas.events import ADMIN, DASHBOARD, WIZARD
from bmn.server.sockets import admin_namespace, dashboard_namespace, wizard_namespace
from bmn.server.sockets.delivery import Delivery
from bmn.server.sockets.guard import Guard
from bmn.server.sockets.handlers import SocketContext, answer
from bmn.server.sockets.limits import Idle, Limits
from bmn.server.sockets.reader import StreamFollower
from bmn.server.sockets.recovery import Recovery
from bmn.server.sockets.ring import Position, Ring
from bmn.server.sockets.server import SocketServer
from bmn.server.sockets.session import Sessions
from bmn.server.sockets.store import SessionStore
from bmn.server.sockets.transport import Transports, bounded
from bmn.server.sockets.vouching import Vouching
from bmn.server.usecases.watched import note_beside

if TYPE_CHECKING:
    from bmn.server.state.resources import Resources

log = get_logger(__name__)

SOCKET_PATH = "/socket.io/"
_HANDLERS = {
    WIZARD: wizard_namespace.HANDLERS,
    DASHBOARD: dashboard_namespace.HANDLERS,
    ADMIN: admin_namespace.HANDLERS,
}
MESSAGE_BYTES = 1_000_000
_BLOCKING_READ_SECONDS = 3.0
_LOAD_SECONDS = 3.0
_SLACK_SECONDS = 15

# What clients send wrong is logged where it is handled; the transport's own log would print a traceback for each.
_transport_log = logging.getLogger("bmn.server.sockets.engineio")
_transport_log.setLevel(logging.CRITICAL)


class Sockets:
    """An ASGI application for everything below SOCKET_PATH, and for every WebSocket.

    polling: whether clients may poll, which takes one process for all requests of a transport.
    """

    def __init__(self, resources: "Resources", limits: Limits | None = None, *, polling: bool = True) -> None:
        settings = resources.settings
        limits = limits or Limits()
        # A process that is killed has saved its sessions this long ago at most.
        self._limits = replace(limits, save_seconds=min(limits.save_seconds, settings.bmn_recovery_seconds / 4))
        self._resources = resources
        self._tasks: list[asyncio.Task[None]] = []
        self.sessions = Sessions()
        self._transports = Transports(
            limits,
            async_mode="asgi",
            ping_interval=25,
            ping_timeout=20,
            max_http_buffer_size=MESSAGE_BYTES,
            cors_allowed_origins=[*settings.origins, settings.public_address],
            transports=["websocket", "polling"],
            logger=_transport_log,
        )
        self._idle = Idle(limits.idle, limits.idle_each)
        app = engineio.ASGIApp(self._transports, engineio_path=SOCKET_PATH)
        self._app = bounded(app, self._transports, limits, self._idle.is_full, polling=polling)

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        await self._app(scope, receive, send)

    async def start(self) -> None:
        """Begins to follow the stream. Works without Redis too: then live events begin when it is back."""
        resources, limits = self._resources, self._limits
        core = resources.core
        window = resources.settings.bmn_recovery_seconds + limits.save_seconds + _SLACK_SECONDS
        self._redis = connect(resources.settings.redis_address, reply_seconds=_BLOCKING_READ_SECONDS, connections=2)
        ring = Ring(window)
        delivery = self._delivery = Delivery(self.sessions, ring, self._transports, limits, resources.signer.sign_all)
        store = SessionStore(core.redis, core.pipelined, resources.settings.bmn_recovery_seconds, lambda: delivery.done)
        self._store = store
        messages = Allowance(core.redis, core.pipelined, "messages", rate=limits.rate, burst=limits.burst)
        context = SocketContext(core, resources.signer, self.sessions, ring, delivery, store, messages, limits)
        self._server = SocketServer(
            self._transports,
            resources.auth,
            self.sessions,
            delivery,
            store,
            Recovery(core.db, store, ring, delivery, limits),
            {namespace: partial(answer, context, handlers) for namespace, handlers in _HANDLERS.items()},
            limits,
            self._idle,
            resources.tally,
        )
        guard = Guard(self.sessions, self._server, resources.auth, core.db, store, limits)
        stream = EventStream(self._redis, maxlen=resources.settings.bmn_stream_maxlen)
        on_end = partial(note_beside, core.redis)
        vouching = Vouching(core.db, resources.signer)
        reader = StreamFollower(stream, ring, delivery, window, vouching.signs, self._server.end_all, on_end)
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(_LOAD_SECONDS):
                await reader.load()
        sender = admin_namespace.StatsSender(core, self.sessions, limits.stats_seconds)
        loops = (reader.run, guard.watch_tokens, guard.watch_rooms, guard.keep_saved, sender.run)
        self._tasks = [asyncio.create_task(_forever(loop), name=f"sockets-{loop.__name__}") for loop in loops]

    @property
    def served(self) -> Position:
        """Up to where in the stream every socket of this process was served."""
        return self._delivery.done

    async def stop(self) -> None:
        """Saves every session and lets the clients go; they resume with whichever process answers next."""
        if not self._tasks:
            return
        await self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._store.close()
        await self._transports.shutdown()
        await self._redis.aclose()


async def _forever(loop: Callable[[], Awaitable[None]]) -> None:
    """A loop that a defect cannot end silently."""
    while True:
        try:
            await loop()
        except Exception:
            log.exception("a loop of the socket server failed and begins again", loop=loop.__qualname__)
            await asyncio.sleep(1)


def create_socket_app(resources: "Resources", limits: Limits | None = None, *, polling: bool = True) -> Sockets:
    """The ASGI app of the sockets."""
    return Sockets(resources, limits, polling=polling)
