"""One socket in one namespace: who it is, which rooms it sits in, and how much of the stream it has had.

An offset is what a client keeps of the last event it got: a position in the stream, and behind a dot how many events it
was sent outside the stream (the history of a job it joined). Both grow only.
"""

import asyncio
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from bmn.db.accounts.audit_store import Actor
from bmn.identity.tokens import Principal
from bmn.schemas.base import now_ms
from bmn.server.sockets.limits import Bucket
from bmn.server.sockets.ring import Position, write_position

_OFFSET = re.compile(r"([0-9]{1,16})-([0-9]{1,16})(?:\.([0-9]{1,16}))?")
_PID = re.compile(r"[A-Za-z0-9_-]{32}")


@dataclass(frozen=True, slots=True, order=True)
class Offset:
    position: Position
    replayed: int = 0


def read_offset(text: Any) -> Offset | None:
    """None for anything that no server of ours has written."""
    match = _OFFSET.fullmatch(text) if isinstance(text, str) else None
    return Offset((int(match[1]), int(match[2])), int(match[3] or 0)) if match else None


def new_pid() -> str:
    """192 random bits."""
    return secrets.token_urlsafe(24)


def is_pid(text: Any) -> TypeGuard[str]:
    """Whether a client's word can be a private id of ours."""
    return isinstance(text, str) and _PID.fullmatch(text) is not None


@dataclass(slots=True)
class HistoryRange:
    """A part of a job's history, sent outside the stream. before: the session's `replayed` before its first event."""

    job_id: str
    before: int
    first: int
    last: int

    @property
    def count(self) -> int:
        """How many events lie in it."""
        return self.last - self.first + 1

    def received(self, replayed: int) -> int:
        """How many of its events a client has that was sent so many in all."""
        return min(max(replayed - self.before, 0), self.count)


@dataclass(slots=True, eq=False)
class Session:
    """address: where its client calls from. pid: the private id for recovery; None where the client does without.
    owner, version: guard the stored copy.

    born, sent, after: positions in the stream: where it began, of the last offset that was put on the wire, and up to
    which nothing is to be delivered. cut: something could not be sent, so that everything behind `sent` is open.
    high: the last seq of each job that was sent. low: the first one, where that is not 1.
    replayed: how many events were sent outside the stream. history: which ones.
    joining: jobs whose history is being read, so that their live events have to wait.
    again: jobs it left; when it comes back it is sent their history once more.
    """

    sid: str
    eio_sid: str
    namespace: str
    principal: Principal
    token: str
    born: Position
    bucket: Bucket
    address: str | None = None
    pid: str | None = None
    owner: str = field(default_factory=lambda: secrets.token_urlsafe(9))
    rooms: set[str] = field(default_factory=set)
    sent: Position = (0, 0)
    after: Position = (0, 0)
    replayed: int = 0
    high: dict[str, int] = field(default_factory=dict)
    low: dict[str, int] = field(default_factory=dict)
    history: list[HistoryRange] = field(default_factory=list)
    joining: set[str] = field(default_factory=set)
    again: set[str] = field(default_factory=set)
    cut: bool = False
    version: int = 0
    since_ms: int = field(default_factory=now_ms)
    pending: int = 0
    refused: int = 0
    expiry_notified: bool = False
    order: asyncio.Lock = field(default_factory=asyncio.Lock)
    counted_as: str = field(init=False)

    def __post_init__(self) -> None:
        self.counted_as = self.principal.counted_as
        # A client may show an offset of an earlier session; its count must not look like one of this session.
        self.replayed = self.replayed or self.since_ms
        self.sent = max(self.sent, self.born)

    @property
    def user_id(self) -> str:
        """Whose socket it is."""
        return self.principal.user_id

    @property
    def actor(self) -> Actor:
        """Who it is, for what is written down about what they do."""
        return self.principal.actor(self.address)

    def offset(self, position: Position) -> str:
        """The offset that goes with the next event: everything up to this position was sent before it."""
        self.sent = max(self.sent, position)
        return f"{write_position(self.sent)}.{self.replayed}" if self.history else write_position(self.sent)


class Sessions:
    """The sockets of this process, by id, by transport, by user and by room."""

    def __init__(self) -> None:
        self._by_sid: dict[tuple[str, str], Session] = {}
        self._by_transport: dict[str, dict[str, Session]] = {}
        self._by_user: dict[str, int] = {}
        self._rooms: dict[tuple[str, str], set[Session]] = {}

    def __len__(self) -> int:
        return len(self._by_sid)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._by_sid.values()))

    def add(self, session: Session) -> None:
        """Takes up the session of a socket that has connected."""
        self._by_sid[session.namespace, session.sid] = session
        self._by_transport.setdefault(session.eio_sid, {})[session.namespace] = session
        counted_as = session.counted_as
        self._by_user[counted_as] = self._by_user.get(counted_as, 0) + 1
        for room in session.rooms:
            self._rooms.setdefault((session.namespace, room), set()).add(session)

    def remove(self, session: Session) -> bool:
        """False where it had gone already."""
        if self._by_sid.pop((session.namespace, session.sid), None) is None:
            return False
        for room in session.rooms:
            self._vacate(session, room)
        transport = self._by_transport[session.eio_sid]
        del transport[session.namespace]
        if not transport:
            del self._by_transport[session.eio_sid]
        self._by_user[session.counted_as] -= 1
        if not self._by_user[session.counted_as]:
            del self._by_user[session.counted_as]
        return True

    def enter(self, session: Session, room: str) -> None:
        """A socket enters a room. One that has gone while it was asked whose that is only remembers it: it may come back."""
        session.rooms.add(room)
        if self._by_sid.get((session.namespace, session.sid)) is session:
            self._rooms.setdefault((session.namespace, room), set()).add(session)

    def leave(self, session: Session, room: str) -> None:
        """A socket leaves a room."""
        if room in session.rooms:
            session.rooms.discard(room)
            self._vacate(session, room)

    def _vacate(self, session: Session, room: str) -> None:
        key = (session.namespace, room)
        members = self._rooms.get(key)
        if members is not None:
            members.discard(session)
            if not members:
                del self._rooms[key]

    def get(self, namespace: str, sid: str) -> Session | None:
        """The session of a socket."""
        return self._by_sid.get((namespace, sid))

    def on_transport(self, eio_sid: str) -> list[Session]:
        """The sessions that share a connection."""
        return list(self._by_transport.get(eio_sid, {}).values())

    def of_user(self, user_id: str) -> int:
        """How many sockets a user has."""
        return self._by_user.get(user_id, 0)

    def subscribers(self, namespace: str, rooms: tuple[str, ...]) -> set[Session]:
        """Everyone in any of the rooms, once."""
        found = [members for room in rooms if (members := self._rooms.get((namespace, room)))]
        return set().union(*found)

    def room_count(self) -> int:
        """How many rooms have somebody in them."""
        return len(self._rooms)
