"""What went through the stream lately, kept in memory, so that missed events are replayed without asking Redis."""

import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from bmn.events.audience import Outgoing
from bmn.schemas.events import JobCancelled, cancelled_as_failed

Position = tuple[int, int]
START: Position = (0, 0)


def read_position(entry_id: str) -> Position:
    """A stream's `milliseconds-number` as something that compares."""
    ms, _, number = entry_id.partition("-")
    return int(ms), int(number)


def write_position(position: Position) -> str:
    """A place in the stream, as the wire has it."""
    return f"{position[0]}-{position[1]}"


@dataclass(frozen=True, slots=True)
class Entry:
    """texts: the Socket.IO packets, as `packet_texts` makes them."""

    position: Position
    event: Outgoing
    texts: tuple[str, ...] = field(compare=False)


def packet_texts(event: Outgoing, sign: Callable[[Any], Any]) -> tuple[str, ...]:
    """The Socket.IO packets of an event without their closing brackets, so that an offset can still follow.

    A cancel is followed by a `job:failed` of the same seq, since the specification's clients know no other end.
    sign: makes the addresses of files usable for whoever gets them.
    """
    body = json.dumps([event.event, event.data], separators=(",", ":"))
    if '"http' in body:
        body = json.dumps([event.event, sign(event.data)], separators=(",", ":"))
    text = f"2{event.namespace},{body[:-1]}"
    if event.event != JobCancelled.EVENT:
        return (text,)
    failed = cancelled_as_failed(JobCancelled.model_validate(event.data))
    body = json.dumps([failed.EVENT, failed.dump()], separators=(",", ":"))
    return text, f"2{event.namespace},{body[:-1]}"


class Ring:
    """seconds: how far back it reaches. Complete after `floor`: an older position cannot be resumed from."""

    def __init__(self, seconds: float) -> None:
        self._window_ms = int(seconds * 1000)
        self._entries: deque[Entry] = deque()
        self._of_job: dict[str, deque[Entry]] = {}
        self.floor: Position = START
        self.last: Position = START

    def __len__(self) -> int:
        return len(self._entries)

    def restart(self, floor: Position, last: Position | None = None) -> None:
        """Forgets everything: what came before the floor is no longer known for sure. last: where reading goes on."""
        self._entries.clear()
        self._of_job.clear()
        self.floor = floor
        self.last = floor if last is None else last

    def add(self, entry: Entry) -> None:
        """Keeps an event, for sockets that come back."""
        self.last = entry.position
        if not entry.event.volatile:
            self._entries.append(entry)
            if entry.event.job_id is not None:
                self._of_job.setdefault(entry.event.job_id, deque()).append(entry)
        oldest = entry.position[0] - self._window_ms
        while self._entries and self._entries[0].position[0] < oldest:
            self._drop_first()

    def _drop_first(self) -> None:
        first = self._entries.popleft()
        self.floor = first.position
        if (job_id := first.event.job_id) is not None:
            of_job = self._of_job[job_id]
            of_job.popleft()
            if not of_job:
                del self._of_job[job_id]

    def after(self, position: Position) -> Iterator[Entry]:
        """Entries after a position, oldest first."""
        newer = 0
        for entry in reversed(self._entries):
            if entry.position <= position:
                break
            newer += 1
        return islice(self._entries, len(self._entries) - newer, None)

    def of_job(self, job_id: str) -> list[Entry]:
        """What is kept of one job."""
        return list(self._of_job.get(job_id, ()))

    def jobs_in(self, rooms: set[str]) -> Iterator[tuple[str, deque[Entry]]]:
        """Jobs that publish to these rooms, with their entries."""
        for job_id, entries in self._of_job.items():
            if not rooms.isdisjoint(entries[0].event.rooms):
                yield job_id, entries

    def beginning(self, job_id: str, seq: int) -> list[Entry]:
        """A job's events from its first to the one before seq; empty where the first are no longer here."""
        found = [entry for entry in self._of_job.get(job_id, ()) if (entry.event.seq or 0) < seq]
        return found if found and found[0].event.seq == 1 else []
