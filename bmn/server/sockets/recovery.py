"""Takes up a session where it broke off, in this process or another: same id, same rooms, and what it missed, in order."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from redis.exceptions import RedisError

from bmn.db import event_store
from bmn.db.engine import Connection, Database
from bmn.errors import TryLater
from bmn.events.audience import Outgoing, job_event
from bmn.logs import get_logger
from bmn.server.sockets.delivery import Delivery
from bmn.server.sockets.limits import Limits
from bmn.server.sockets.ring import Position, Ring
from bmn.server.sockets.room_ownership import still_allowed
from bmn.server.sockets.saved import SavedState
from bmn.server.sockets.session import Offset, Session, is_pid, read_offset
from bmn.server.sockets.store import SessionStore

log = get_logger(__name__)

_AHEAD_MS = 60_000  # an offset from further in the future was made up


@dataclass(slots=True)
class Resumption:
    """What a broken session is continued from.

    had: the position of the last event that the client got. start: up to here it has missed nothing. replayed: how
    many events it got outside the stream. missed: parts of jobs' histories that were on their way when the connection broke.
    """

    pid: str
    state: SavedState
    had: Position
    start: Position
    replayed: int
    rooms: set[str] = field(default_factory=set)
    missed: list[list[Outgoing]] = field(default_factory=list)


class Recovery:
    def __init__(self, db: Database, store: SessionStore, ring: Ring, delivery: Delivery, limits: Limits) -> None:
        self._db = db
        self._store = store
        self._ring = ring
        self._delivery = delivery
        self._limits = limits

    async def prepare(self, session: Session, shown: Mapping[str, object]) -> Resumption | None:
        """Takes the session that the client names; None where it has to start over."""
        pid, offset = shown.get("pid"), shown.get("offset")
        if session.pid is None or not is_pid(pid) or (offset is not None and read_offset(offset) is None):
            return None
        try:
            state = await self._store.take(pid, session)
        except (RedisError, OSError) as error:
            log.warning("a session cannot be resumed while Redis is away", error=str(error))
            return None
        if state is None:
            return None
        resumption = _resumption(pid, state, read_offset(offset))
        newest_ms = max(self._ring.last[0], int(time.time() * 1000))
        if resumption.start < self._ring.floor or resumption.start[0] > newest_ms + _AHEAD_MS:
            return None
        try:
            await self._db.read(lambda conn: _look_up(conn, session, resumption))
        except TryLater:
            return None
        return resumption

    def resume(self, session: Session, resumption: Resumption) -> bool:
        """Puts everything missed into the client's line and brings the session up to date, without waiting in between.

        False where too much has happened meanwhile; the session is then as new.
        """
        start, rooms = resumption.start, resumption.rooms
        missed = [
            entry
            for entry in self._ring.after(start)
            if entry.event.namespace == session.namespace and not rooms.isdisjoint(entry.event.rooms)
        ]
        if start < self._ring.floor or len(missed) > self._limits.backlog // 2:
            return False
        state = resumption.state
        session.sid, session.pid, session.rooms = state.sid, resumption.pid, rooms
        session.born = state.born
        session.sent, session.after = resumption.had, start
        session.replayed = max(resumption.replayed, state.replayed)
        session.high = self._marks(state, start, rooms)
        for entry in missed:
            job_id, seq = entry.event.job_id, entry.event.seq
            if job_id is not None and seq is not None and seq <= session.high.get(job_id, 0):
                session.high[job_id] = seq - 1
        for past in state.histories:
            session.high[past.job_id] = max(session.high.get(past.job_id, 0), past.last)
            if past.received(resumption.replayed) == past.count:
                session.history.append(past)
        for part in resumption.missed:
            self._delivery.replay(session, part, start)
        for entry in missed:
            self._delivery.offer(session, entry, missed=True)
        return True

    def _marks(self, state: SavedState, start: Position, rooms: set[str]) -> dict[str, int]:
        """The last seq of each job that the client may have, newest last."""
        marks: dict[str, int] = dict(reversed(state.marks.items()))
        for job_id, entries in self._ring.jobs_in(rooms):
            if job_id not in marks:
                seqs = [entry.event.seq or 0 for entry in entries if entry.position <= start]
                if seqs:
                    marks[job_id] = seqs[-1]
        return marks


def _resumption(pid: str, state: SavedState, offset: Offset | None) -> Resumption:
    """A client that has the last thing it was sent has missed nothing up to where its server had looked."""
    if offset is None or offset.position < state.born:
        offset = Offset(state.born)  # it has nothing of this session; an older offset is from one before
    start = state.seen if offset.position == state.sent else offset.position
    return Resumption(pid, state, offset.position, start, offset.replayed)


def _look_up(conn: Connection, session: Session, resumption: Resumption) -> None:
    resumption.rooms |= still_allowed(conn, session.principal, session.namespace, resumption.state.rooms)
    for part in resumption.state.histories:
        received = part.received(resumption.replayed)
        missing = part.count - received
        if missing and f"job:{part.job_id}" in resumption.rooms:
            rows = event_store.after(conn, part.job_id, part.first - 1 + received, missing)
            resumption.missed.append([job_event(row.event, row.payload) for row in rows])
