"""How a job goes: how far each picture is, how long it may still take, and which attempts failed of what."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bmn.db.records import JobRow, StoredEvent
from bmn.format import duration
from bmn.format import time_left as in_words
from bmn.schemas.documents import Expected
from bmn.schemas.payloads import JobState
from bmn.server.pages import page_words
from bmn.server.pages.told import Saying

_PERCENT = re.compile(r": ([0-9]+) ?%$")
_SAVING = 90  # percent of a picture that is here and about to be stored


@dataclass(frozen=True, slots=True)
class Attempt:
    """began, ended: seconds since 1970; no end while it goes on. state: `running`, `failed`, `stopped` or `done`."""

    number: int
    began: float
    ended: float | None
    state: str
    text: str

    @property
    def took(self) -> str:
        """How long it took; empty of one that goes on."""
        return duration(max(1.0, self.ended - self.began), whole=True) if self.ended is not None else ""


@dataclass(frozen=True, slots=True)
class Left:
    """The time a running job may still take. passed, usual: seconds."""

    passed: float
    usual: float

    @property
    def text(self) -> str:
        """What stands there without a script; `clock.js` counts on from it in the same words."""
        return in_words(self.passed, self.usual)


def time_left(job: JobRow, expected: Expected | None, now: float) -> Left | None:
    """None for a job that does not run, and where too few were made to know."""
    if job.state is not JobState.ACTIVE or expected is None or job.attempt_started_at is None:
        return None
    return Left(max(0.0, now - job.attempt_started_at), expected.p50_ms / 1000)


def shares(events: Sequence[StoredEvent]) -> dict[int, int]:
    """How far each picture is, in percent of its own way, by its index."""
    found: dict[int, int] = {}
    for event in events:
        told = Saying.of(event.payload)
        if event.event != "job:progress" or told.saved:
            continue
        percent = _PERCENT.search(told.message)
        share = int(percent[1]) if percent else _SAVING if told.message.endswith(": saving") else None
        if share is not None:
            found[told.picture] = max(found.get(told.picture, 0), min(share, _SAVING))
    return found


def attempts(events: Sequence[StoredEvent]) -> list[Attempt]:
    """Every attempt of a job, oldest first; none where it has not begun."""
    found: list[Attempt] = []
    running: StoredEvent | None = None
    for event in events:
        if event.event == "job:progress":
            running = running or (event if Saying.of(event.payload).begins else None)
        elif end := _END.get(event.event):
            began = running.at if running else event.at
            text = page_words.reason_only(Saying.of(event.payload).cause) if event.event == "job:failed" else ""
            found.append(Attempt(len(found) + 1, began, event.at, end, text))
            running = None
    if running is not None:
        found.append(Attempt(len(found) + 1, running.at, None, "running", ""))
    return found


_END = {"job:failed": "failed", "job:complete": "done", "job:cancelled": "stopped"}
