"""Hands each event to the sockets it is for: once, in the order of its job, and never more than a client can take."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from bmn.events.audience import Outgoing
from bmn.logs import get_logger
from bmn.server.sockets.limits import Limits
from bmn.server.sockets.line import EventPacket, OutgoingLine
from bmn.server.sockets.ring import START, Entry, Position, Ring, packet_texts, read_position
from bmn.server.sockets.session import HistoryRange, Session, Sessions
from bmn.server.sockets.transport import Transports

log = get_logger(__name__)

_KEPT_MARKS = 500
_KEPT_RANGES = 200


class Delivery:
    """Nothing here waits, so whatever one call sends stands together in the client's line.

    done: the position up to which every socket of this process was served.
    """

    def __init__(
        self,
        sessions: Sessions,
        ring: Ring,
        transports: Transports,
        limits: Limits,
        sign: Callable[[Any], Any],
    ) -> None:
        self._sessions = sessions
        self._ring = ring
        self._transports = transports
        self._limits = limits
        self._sign = sign
        self._dropping: dict[str, asyncio.Task[None]] = {}
        self.done: Position = START

    def entry(self, entry_id: str, event: Outgoing, *, signs: bool) -> Entry:
        """An event of the stream, with its packets made once for all sockets. signs: whether its addresses open."""
        return Entry(read_position(entry_id), event, packet_texts(event, self._sign if signs else _as_it_is))

    def deliver(self, entry: Entry) -> int:
        """Takes the next entry of the stream; returns for how many sockets it was."""
        self._ring.add(entry)
        subscribers = self._sessions.subscribers(entry.event.namespace, entry.event.rooms)
        for session in subscribers:
            self.offer(session, entry)
        self.done = max(self.done, entry.position)
        return len(subscribers)

    def offer(self, session: Session, entry: Entry, *, missed: bool = False) -> None:
        """Sends an entry to a socket that has not had it yet. missed: in a break, so that none may replace another."""
        if entry.position <= session.after:
            return
        job_id, seq = entry.event.job_id, entry.event.seq
        if job_id is not None and seq is not None:
            if job_id in session.joining:
                return  # `catch_up` brings it, behind the job's history
            high = session.high.get(job_id)
            if high is not None and seq <= high:
                return
            if high is None and seq > 1:
                self._replay_beginning(session, job_id, seq)
            _mark(session, job_id, seq)
        self._send(session, entry.event, entry.texts, entry.position, whole=missed)

    def catch_up(self, session: Session, job_id: str, since: Position) -> None:
        """Sends what a job published after a position, to the rooms that the socket sits in."""
        for entry in self._ring.of_job(job_id):
            if entry.position > since and not session.rooms.isdisjoint(entry.event.rooms):
                self.offer(session, entry)

    def replay(self, session: Session, events: Sequence[Outgoing], at: Position | None = None) -> None:
        """Sends a part of a job's history, in the order of seq; what the stream still brings of it is then left out.

        at: the position up to which the socket was served; that of this process where none is given.
        Where there are more than a line has room for, of old progress only the latest is sent.
        """
        if not events:
            return
        line = self._transports.line(session.eio_sid)
        whole = line is not None and line.qsize() + len(events) <= self._limits.backlog // 2
        job_id, first, last = events[0].job_id, events[0].seq, events[-1].seq
        assert job_id is not None and first is not None and last is not None
        if session.pid is not None:
            session.history.append(HistoryRange(job_id, session.replayed, first, last))
            del session.history[:-_KEPT_RANGES]
        for event in events:
            session.replayed += 1
            texts = packet_texts(event, self._sign)
            self._send(session, event, texts, self.done if at is None else at, whole=whole)
        _widen(session, job_id, first, last)

    def resync(self) -> None:
        """The ring was filled while clients were connected already: they get what happened since they came."""
        for entry in self._ring.after(START):
            for session in self._sessions.subscribers(entry.event.namespace, entry.event.rooms):
                if entry.event.job_id in session.high or entry.position[0] >= session.since_ms:
                    self.offer(session, entry)
        self.done = self._ring.last

    def restart(self, position: Position) -> None:
        """Another stream is followed from here on; positions of the one before mean nothing any more."""
        self.done = position
        for session in self._sessions:
            session.born = session.sent = position
            session.after = START

    def _replay_beginning(self, session: Session, job_id: str, seq: int) -> None:
        """A socket that meets a job in the middle, through its brand's room, is sent the beginning first."""
        beginning = self._ring.beginning(job_id, seq)
        self.replay(session, [entry.event for entry in beginning])
        if not beginning:
            session.low[job_id] = seq

    def _send(
        self, session: Session, event: Outgoing, texts: tuple[str, ...], position: Position, *, whole: bool
    ) -> None:
        """whole: nothing newer may take its place in the line.

        Of several packets the last one carries the offset: a client that was cut between them gets all of them again.
        """
        line = self._transports.line(session.eio_sid)
        if line is None or session.eio_sid in self._dropping:
            session.cut = True  # it is going; what it misses it gets when it resumes
            return
        last = "]" if session.pid is None or event.volatile else f',"{session.offset(position)}"]'
        replaceable = event.event == "job:progress" and "asset" not in event.data and not whole
        key = (event.namespace, event.job_id) if replaceable and event.job_id else None
        for text in texts[:-1]:
            self.put(session.eio_sid, line, EventPacket(text + "]"))
        self.put(session.eio_sid, line, EventPacket(texts[-1] + last, key))

    def put(self, eio_sid: str, line: OutgoingLine, packet: EventPacket) -> None:
        """Adds to what waits for a client, and cuts the client where that is too much."""
        line.put_nowait(packet)
        if line.qsize() > self._limits.backlog or line.bytes > self._limits.backlog_bytes:
            self._drop(eio_sid, line)

    def _drop(self, eio_sid: str, line: OutgoingLine) -> None:
        if eio_sid in self._dropping:
            return
        log.warning("client too slow, disconnected; it may resume", waiting=line.qsize(), bytes=line.bytes)
        task = asyncio.create_task(self._transports.drop(eio_sid), name="drop-slow-client")
        self._dropping[eio_sid] = task
        task.add_done_callback(lambda _: self._dropping.pop(eio_sid, None))


def _as_it_is(data: Any) -> Any:
    return data


def _widen(session: Session, job_id: str, first: int, last: int) -> None:
    """Remembers that events from first to last were sent, beside those that stand together before or behind them."""
    low = session.low.pop(job_id, 1) if job_id in session.high else first
    if min(low, first) > 1:
        session.low[job_id] = min(low, first)
    if last > session.high.get(job_id, 0):
        _mark(session, job_id, last)


def _mark(session: Session, job_id: str, seq: int) -> None:
    session.high.pop(job_id, None)  # the job that published last stands last
    session.high[job_id] = seq
    if len(session.high) > _KEPT_MARKS:
        oldest = next(iter(session.high))
        del session.high[oldest]
        session.low.pop(oldest, None)
        session.again.discard(oldest)
