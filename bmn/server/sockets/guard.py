"""Looks after sockets in use: tokens that end, rooms that are no longer the user's, sessions that have to be saved."""

import asyncio
import time

from redis.exceptions import RedisError

from bmn.db.engine import Database
from bmn.errors import NotSignedIn, TryLater
from bmn.identity.tokens import Authenticator
from bmn.logs import get_logger
from bmn.schemas.events import TokenExpired
from bmn.server.access.permissions import may_join
from bmn.server.sockets.limits import Limits
from bmn.server.sockets.room_ownership import own_rooms, still_allowed
from bmn.server.sockets.server import SocketServer
from bmn.server.sockets.session import Session, Sessions
from bmn.server.sockets.store import SessionStore

log = get_logger(__name__)

_EXPIRED = TokenExpired(message="Your token has expired. Connect again with a fresh one; nothing is lost.")


class Guard:
    def __init__(
        self,
        sessions: Sessions,
        server: SocketServer,
        auth: Authenticator,
        db: Database,
        store: SessionStore,
        limits: Limits,
    ) -> None:
        self._sessions = sessions
        self._server = server
        self._auth = auth
        self._db = db
        self._store = store
        self._limits = limits

    async def watch_tokens(self) -> None:
        """Ends connections whose token has expired or was revoked, or whose role is gone, after a notice."""
        while True:
            await asyncio.sleep(self._limits.check_seconds)
            for session in self._sessions:
                await self._check(session)

    async def _check(self, session: Session) -> None:
        try:
            principal = await self._auth.verify(session.token)
        except NotSignedIn:
            await self._end(session, "token no longer valid")
            return
        except TryLater:
            return
        session.principal = principal
        if not may_join(principal, session.namespace):
            await self._end(session, "no longer of a role that may be here")
        elif principal.expires_at <= time.time():
            self._notify_expired(session)

    async def _end(self, session: Session, reason: str) -> None:
        """Notifies at the first look and cuts at the next, since a cut line loses what still waits in it."""
        if not session.expiry_notified:
            self._notify_expired(session)
            return
        log.info("socket ended", reason=reason, user_id=session.user_id, namespace=session.namespace)
        await self._server.cut(session)

    def _notify_expired(self, session: Session) -> None:
        if not session.expiry_notified:
            session.expiry_notified = True
            self._server.send(session, _EXPIRED)

    async def watch_rooms(self) -> None:
        """Takes sockets out of the rooms of a brand that changed hands."""
        while True:
            await asyncio.sleep(self._limits.rooms_seconds)
            for session in self._sessions:
                joined = session.rooms - own_rooms(session.principal, session.namespace)
                if joined:
                    await self._check_rooms(session, joined)

    async def _check_rooms(self, session: Session, joined: set[str]) -> None:
        try:
            allowed = await self._db.read(
                lambda conn: still_allowed(conn, session.principal, session.namespace, joined)
            )
        except TryLater:
            return
        for room in joined - allowed:
            self._sessions.leave(session, room)
            log.info("left a room that is no longer the user's", user_id=session.user_id, room=room)

    async def keep_saved(self) -> None:
        """Stores every session now and then, so that a killed process loses none, and lets go of those that moved on."""
        while True:
            await asyncio.sleep(self._limits.save_seconds)
            try:
                moved = await self._store.save_all(self._sessions, spare=self._limits.save_seconds)
            except (RedisError, OSError) as error:
                log.debug("sessions not saved", error=str(error))
                continue
            for session in moved:
                await self._server.let_go(session)
