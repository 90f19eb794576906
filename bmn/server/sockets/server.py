"""Socket.IO above the transport: packets in and out, namespaces, sessions. What a message means is `handlers`' business.

The codec is python-socketio's, the transport python-engineio's. The part between them is ours, because the library's own
server has no place for what recovery needs: missed packets before the CONNECT, offsets behind events, a given session id.
"""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from socketio.packet import ACK, BINARY_EVENT, CONNECT, CONNECT_ERROR, DISCONNECT, EVENT, Packet

from bmn.broker.tally import ALIVE_SECONDS, Tally
from bmn.errors import BmnError, RateLimited
from bmn.identity.tokens import Authenticator
from bmn.logs import get_logger
from bmn.schemas.events import Refusal, ServerEvent
from bmn.server.edge.addresses import counted
from bmn.server.edge.asgi import address_of
from bmn.server.edge.measured import is_heavy
from bmn.server.sockets.auth import authenticate, client_name
from bmn.server.sockets.delivery import Delivery
from bmn.server.sockets.limits import Buckets, Idle, Limits, Refusals
from bmn.server.sockets.line import EventPacket
from bmn.server.sockets.recovery import Recovery, Resumption
from bmn.server.sockets.room_ownership import own_rooms
from bmn.server.sockets.session import Session, Sessions, new_pid
from bmn.server.sockets.store import SessionStore
from bmn.server.sockets.transport import Transports

log = get_logger(__name__)

Answering = Callable[[Session, Any, list[Any]], Awaitable[Mapping[str, object]]]

_MALFORMED = (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError)
SOCKETS = "sockets"
"""What a user's sockets are counted as."""

_ATTACHMENTS = 4
_ROOM_AGAIN_SECONDS = 0.5
_LEAVING_AT_ONCE = 100
_EVENTS_OF_THE_PROTOCOL = frozenset({"connect", "disconnect", "connect_error", "disconnecting", "newListener"})
_PYTHON_AGENT = re.compile(r"aiohttp|requests|urllib|httpx|websocket-client|Python/", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Transport:
    """address: where its client calls from. recovers: whether that is a client which resumes sessions."""

    address: str
    recovers: bool

    @property
    def counted_as(self) -> str:
        """Whom its address counts as."""
        return counted(self.address)


class SocketServer:
    def __init__(
        self,
        transports: Transports,
        auth: Authenticator,
        sessions: Sessions,
        delivery: Delivery,
        store: SessionStore,
        recovery: Recovery,
        namespaces: dict[str, Answering],
        limits: Limits,
        idle: Idle,
        tally: Tally,
    ) -> None:
        self._transports = transports
        self._auth = auth
        self._sessions = sessions
        self._delivery = delivery
        self._store = store
        self._recovery = recovery
        self._namespaces = namespaces
        self._limits = limits
        self._open: dict[str, _Transport] = {}
        self._refusals = Refusals(limits.refusal_seconds)
        self._buckets = Buckets(limits.rate, limits.burst)
        self._idle = idle
        self._tally = tally
        self._line = asyncio.Semaphore(limits.resuming)
        self._attempts: dict[str, int] = {}
        self._unasked: dict[str, int] = {}
        self._binary: dict[str, Packet] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        transports.on("connect", self._opened)
        transports.on("message", self._received)
        transports.on("disconnect", self._closed)
        transports.on_unserved = self._unserved

    # --- transports ----------------------------------------------------------------------------------------------------

    async def _opened(self, eio_sid: str, environ: dict[str, Any]) -> None:
        self._transports.opened(eio_sid, environ["asgi.scope"])
        address = address_of(environ["asgi.scope"])
        self._open[eio_sid] = _Transport(address, recovers=not _is_python_client(environ))
        self._watch_idle(eio_sid)

    def _watch_idle(self, eio_sid: str) -> None:
        """A transport that joins nothing is not kept."""
        if eio_sid not in self._open:
            return
        self._idle.add(eio_sid, self._open[eio_sid].counted_as)

        def look() -> None:
            if eio_sid in self._open and not self._sessions.on_transport(eio_sid):
                self._start(self._transports.drop(eio_sid))

        asyncio.get_running_loop().call_later(self._limits.connect_seconds, look)

    async def _received(self, eio_sid: str, data: Any) -> None:
        if eio_sid not in self._open:  # it has ended, and something of it was still to be read
            return
        try:
            self._count(eio_sid)
            packet = self._decode(eio_sid, data)
            if packet is not None:
                await self._dispatch(eio_sid, packet)
        except _MALFORMED as error:
            log.info("malformed packet, transport closed", reason=type(error).__name__)
            self._start(self._transports.drop(eio_sid))

    def _count(self, eio_sid: str) -> None:
        """Raises ValueError for a transport that says a lot before it joins anything."""
        if self._sessions.on_transport(eio_sid):
            self._unasked.pop(eio_sid, None)
            return
        self._unasked[eio_sid] = self._unasked.get(eio_sid, 0) + 1
        if self._unasked[eio_sid] > self._limits.unasked:
            raise ValueError("too many messages before a namespace was joined")

    async def _closed(self, eio_sid: str, _reason: str) -> None:
        """The connection is gone; its sessions can be taken up again, by whichever process the client finds."""
        self._transports.ended(eio_sid)
        self._open.pop(eio_sid, None)
        if not self._transports.is_served(eio_sid):
            self._idle.discard(eio_sid)
        self._unasked.pop(eio_sid, None)
        self._attempts.pop(eio_sid, None)
        self._binary.pop(eio_sid, None)
        for session in self._sessions.on_transport(eio_sid):
            if self._forget(session):
                await self._store.save(session)

    def _unserved(self, eio_sid: str) -> None:
        """A WebSocket has ended: whoever is told to go and stays has kept its place until now."""
        if eio_sid not in self._open:
            self._idle.discard(eio_sid)

    def _forget(self, session: Session) -> bool:
        """Takes a session out of this process; False where it had gone already."""
        if not self._sessions.remove(session):
            return False
        self._tally.give(SOCKETS, session.counted_as)
        return True

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- packets -------------------------------------------------------------------------------------------------------

    def _decode(self, eio_sid: str, data: Any) -> Packet | None:
        """None while attachments are still to come. Raises one of _MALFORMED."""
        if (packet := self._binary.get(eio_sid)) is not None:
            if not isinstance(data, bytes):
                raise ValueError("an attachment was expected")
            if packet.add_attachment(data):
                return self._binary.pop(eio_sid)
            return None
        if not isinstance(data, str) or is_heavy(data):
            raise ValueError("no packet, or one of very many values")
        packet = Packet(encoded_packet=data)
        if packet.attachment_count > _ATTACHMENTS:
            raise ValueError("too many attachments")
        if packet.packet_type == BINARY_EVENT and packet.attachment_count:
            if not self._sessions.on_transport(eio_sid):
                raise ValueError("a binary event before a namespace was joined")
            self._binary[eio_sid] = packet
            return None
        return packet

    async def _dispatch(self, eio_sid: str, packet: Packet) -> None:
        namespace = packet.namespace or "/"
        if packet.packet_type == CONNECT:
            await self._connect(eio_sid, namespace, packet.data)
        elif packet.packet_type == DISCONNECT:
            await self._leave(eio_sid, namespace)
        elif packet.packet_type in (EVENT, BINARY_EVENT):
            self._event(eio_sid, namespace, packet)
        elif packet.packet_type == CONNECT_ERROR or packet.packet_type > 6:
            raise ValueError("not a packet that clients send")

    def _write(self, eio_sid: str, text: str) -> None:
        if (line := self._transports.line(eio_sid)) is not None:
            self._delivery.put(eio_sid, line, EventPacket(text))

    # --- connecting ----------------------------------------------------------------------------------------------------

    async def _connect(self, eio_sid: str, namespace: str, shown: Any) -> None:
        if eio_sid not in self._open:
            return
        self._attempts[eio_sid] = self._attempts.get(eio_sid, 0) + 1
        if self._attempts[eio_sid] > self._limits.attempts:
            raise ValueError("too many attempts to connect")
        client = client_name(self._open[eio_sid].counted_as, namespace, shown)
        try:
            session = await self._admit(eio_sid, namespace, shown)
        except BmnError as error:
            await self._refuse(eio_sid, namespace, error.message, client)
        except Exception:
            log.exception("a socket could not be authenticated", namespace=namespace)
            await self._refuse(eio_sid, namespace, "Authentication error", client)
        else:
            self._refusals.forget(client)
            if session is not None:
                self._attempts.pop(eio_sid, None)
                await self._store.save(session, spare=self._limits.save_seconds)
                log.info("socket connected", namespace=namespace, sid=session.sid, user_id=session.user_id)

    async def _refuse(self, eio_sid: str, namespace: str, message: str, client: str) -> None:
        await asyncio.sleep(self._refusals.note(client))
        body = json.dumps({"message": message})
        self._write(eio_sid, f"{CONNECT_ERROR}{namespace},{body}" if namespace != "/" else f"{CONNECT_ERROR}{body}")

    async def _admit(self, eio_sid: str, namespace: str, shown: Any) -> Session | None:
        """A session that is connected and has everything it missed; None where the client has gone meanwhile."""
        if namespace not in self._namespaces:
            raise BmnError("Invalid namespace")
        principal, token = await authenticate(self._auth, namespace, shown, self._open[eio_sid].counted_as)
        bucket = self._buckets.of(principal.counted_as)
        await asyncio.sleep(bucket.reserve())  # refused, the specification's client would not come back by itself
        session = Session(
            sid=self._transports.generate_id(),
            eio_sid=eio_sid,
            namespace=namespace,
            principal=principal,
            token=token,
            born=self._delivery.done,
            bucket=bucket,
            address=self._open[eio_sid].address if eio_sid in self._open else None,
            pid=new_pid() if self._wants_recovery(eio_sid, shown) else None,
            rooms=own_rooms(principal, namespace),
        )
        async with self._line:  # after a loss all come at once, and each waits its turn rather than start over
            if self._has_gone(eio_sid):  # it has started over all the same: what it left behind holds nobody up
                return None
            resumption = await self._recovery.prepare(session, shown)
        # Who resumes has a place already, maybe with a process that has not noticed yet.
        if not await self._has_room(principal.counted_as, self._limits.sockets * (1 if resumption is None else 2)):
            raise RateLimited(f"Too many sockets: at most {self._limits.sockets} for a user")
        admitted = False
        try:
            admitted = self._enter(session, resumption)
        finally:
            if not admitted:
                self._tally.give(SOCKETS, principal.counted_as)
        return session if admitted else None

    async def _has_room(self, user_id: str, most: int) -> bool:
        """Counts one more socket of a user. What a process had that was killed counts until that is known, so it waits."""
        until = time.monotonic() + ALIVE_SECONDS + 1
        while not await self._tally.take(SOCKETS, user_id, most):
            if self._tally.open_here(SOCKETS, user_id) >= most or time.monotonic() > until:
                return False
            await asyncio.sleep(_ROOM_AGAIN_SECONDS)
        return True

    def _enter(self, session: Session, resumption: Resumption | None) -> bool:
        """Nothing waits here: what was missed, the CONNECT and the first live event stand in this order.

        False where the client has gone meanwhile.
        """
        eio_sid, namespace = session.eio_sid, session.namespace
        if self._has_gone(eio_sid):
            return False
        if resumption is not None and self._recovery.resume(session, resumption):
            self._replace(session)
        else:
            session.born = session.sent = self._delivery.done
        if any(other.namespace == namespace for other in self._sessions.on_transport(eio_sid)):
            raise BmnError("Already connected")
        self._sessions.add(session)
        self._transports.joined(eio_sid)
        self._idle.discard(eio_sid)
        known = {"sid": session.sid, **({"pid": session.pid} if session.pid else {})}
        self._write(eio_sid, f"{CONNECT}{namespace},{json.dumps(known)}")
        return True

    def _has_gone(self, eio_sid: str) -> bool:
        return self._transports.line(eio_sid) is None or eio_sid not in self._open

    def _wants_recovery(self, eio_sid: str, shown: Mapping[str, object]) -> bool:
        if isinstance(asked := shown.get("recovery"), bool):
            return asked
        transport = self._open.get(eio_sid)
        return transport is not None and transport.recovers

    def _replace(self, session: Session) -> None:
        """The client came back before its old connection was known to be dead."""
        old = self._sessions.get(session.namespace, session.sid)
        if old is not None and self._forget(old):
            self._start(self.end_if_empty(old.eio_sid))

    async def let_go(self, session: Session) -> None:
        """Another process has taken it up."""
        if self._forget(session):
            await self.end_if_empty(session.eio_sid)

    async def end_if_empty(self, eio_sid: str) -> None:
        """Ends a transport whose last session has moved on."""
        if not self._sessions.on_transport(eio_sid):
            await self._transports.drop(eio_sid)

    # --- connected -----------------------------------------------------------------------------------------------------

    async def _leave(self, eio_sid: str, namespace: str) -> None:
        """The client says goodbye: nothing is kept for it."""
        for session in self._sessions.on_transport(eio_sid):
            if session.namespace == namespace and self._forget(session):
                await self._store.end(session)
                if not self._sessions.on_transport(eio_sid):
                    self._watch_idle(eio_sid)

    def _event(self, eio_sid: str, namespace: str, packet: Packet) -> None:
        session = next((s for s in self._sessions.on_transport(eio_sid) if s.namespace == namespace), None)
        if session is None:
            return
        data = packet.data
        whole = isinstance(data, list) and data and isinstance(data[0], str)
        if not whole or data[0] in _EVENTS_OF_THE_PROTOCOL:
            self._acknowledge(session, packet.id, Refusal(error="Malformed packet").dump())
            return
        self._start(self._answer(session, packet.id, data[0], data[1:]))

    async def _answer(self, session: Session, packet_id: int | None, event: str, args: list[Any]) -> None:
        self._acknowledge(session, packet_id, await self._namespaces[session.namespace](session, event, args))
        if session.refused > self._limits.patience:
            log.warning("client sends too much, disconnected", user_id=session.user_id)
            await self._transports.drop(session.eio_sid)

    def _acknowledge(self, session: Session, packet_id: int | None, answer: Mapping[str, object]) -> None:
        if packet_id is not None:
            self._write(session.eio_sid, f"{ACK}{session.namespace},{packet_id}{json.dumps([answer])}")

    def send(self, session: Session, event: ServerEvent) -> None:
        """Something for one socket only, outside of rooms and recovery."""
        self._write(session.eio_sid, f"{EVENT}{session.namespace},{json.dumps([event.EVENT, event.dump()])}")

    async def cut(self, session: Session) -> None:
        """Ends a session's connection; its client may come back and resume."""
        await self._transports.drop(session.eio_sid)

    async def end_all(self) -> None:
        """Ends every connection and session: the clients come back, and ask for what they have to know."""
        sessions = [session for session in self._sessions if self._forget(session)]
        await asyncio.gather(*(self._store.end(session) for session in sessions))
        await self.cut_all()

    async def cut_all(self) -> None:
        """Some at a time: each is saved, and that takes a while where Redis is away."""
        leaving = list(self._open)
        for start in range(0, len(leaving), _LEAVING_AT_ONCE):
            part = leaving[start : start + _LEAVING_AT_ONCE]
            await asyncio.gather(*(self._transports.drop(eio_sid) for eio_sid in part))

    async def close(self) -> None:
        """Ends every connection and keeps every session, so that clients go on with another process."""
        await self.cut_all()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _is_python_client(environ: dict[str, Any]) -> bool:
    """Python's clients would hand the offset to handlers that take one argument; they ask for recovery in `auth`.

    The plain WebSocket library that one of them uses has no user agent and, unlike Node's, offers no extension.
    """
    agent = environ.get("HTTP_USER_AGENT", "")
    if not agent:
        return "HTTP_UPGRADE" in environ and "HTTP_SEC_WEBSOCKET_EXTENSIONS" not in environ
    return _PYTHON_AGENT.search(agent) is not None
