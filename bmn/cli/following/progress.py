"""What is known of the jobs that somebody waits for: how far each is, and of several pictures each by itself.

No share ever falls. Among bars the job's is the mean of its pictures' bars. A line of a log says the server's figure, as
`jobs show` does: whoever begins to watch in the middle has not heard of every picture.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bmn.cli.terminal.cells import clean
from bmn.client.said import Said
from bmn.format import time_left
from bmn.schemas.payloads import JobState

PERCENT = re.compile(r"([0-9]+) ?%$")

# What a job reports as its status -> how far a picture is at least, and the word beside its bar. A word seldom changes
# and never goes back.
_STEPS: dict[str, tuple[float, str]] = {
    "queued": (0.0, "waiting"),
    "waiting": (0.0, "waiting"),  # back in line: its worker was lost, or is asked to slow down
    "composing": (0.05, "preparing"),
    "generating": (0.05, "generating"),
    "uploading": (0.9, "saving"),
    "saving": (0.95, "saving"),
}
_IN_LINE = ("queued", "waiting")
_ORDER = ("waiting", "preparing", "generating", "saving", "done")
_GENERATED = 0.8  # of a picture's share is the provider's work


@dataclass(slots=True)
class UnitProgress:
    """One picture of a job. share: 0 to 1."""

    share: float = 0.0
    word: str = "waiting"
    refused: bool = False

    def reached(self, status: str, figure: float | None = None) -> None:
        """A status of the job that is about this picture. figure: the provider's own, 0 to 1."""
        least, word = _STEPS.get(status, (0.0, self.word))
        share = least if figure is None else max(least, figure * _GENERATED)
        self.share = max(self.share, share)
        self.word = _later(self.word, word)

    def deliver(self) -> None:
        """It is there, in its final place."""
        self.share, self.word = 1.0, "done"


def _later(one: str, other: str) -> str:
    """Of two words the one that comes later; a word that has no place replaces what is there."""
    if one not in _ORDER or other not in _ORDER:
        return other
    return max(one, other, key=_ORDER.index)


@dataclass(slots=True)
class BoardLine:
    """What is known of one job. retry_at: seconds since 1970. expected: the usual duration in seconds."""

    job_id: str
    label: str
    state: str = "queued"
    percent: int = 0
    message: str = "waiting"
    word: str = "waiting"
    attempt: int = 1
    attempts: int = 1
    retry_at: float | None = None
    expected: float | None = None
    units: dict[int, UnitProgress] = field(default_factory=dict)
    since: float = field(default_factory=time.monotonic)
    ended_after: float | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since the job began."""
        return self.ended_after if self.ended_after is not None else time.monotonic() - self.since

    @property
    def share(self) -> float:
        """0 to 1: the mean of the pictures' bars above its own; of a job without several, what it reports itself."""
        if len(self.units) > 1:
            return sum(unit.share for unit in self.units.values()) / len(self.units)
        return self.percent / 100

    def status(self) -> str:
        """What it does, in full: the words of a line in a log."""
        if self.state == JobState.RETRYING:
            return self._next_attempt()
        return self.message

    def short_status(self) -> str:
        """What it does, in words that seldom change: for beside a bar."""
        if self.state == JobState.RETRYING:
            return self._next_attempt()
        if self.state != JobState.ACTIVE:
            return self.message
        if len(self.units) > 1:
            done = sum(unit.share >= 1 for unit in self.units.values())
            return f"{done} of {len(self.units)} done" if done or self.word != "preparing" else self.word
        return self.word

    def _next_attempt(self) -> str:
        wait = max(0.0, (self.retry_at or 0) - time.time())
        when = f" in {round(wait)} s" if wait >= 1 else ""
        return f"attempt {self.attempt + 1} of {self.attempts}{when}: {self.message}"

    def remaining(self) -> str:
        """The time to go from history; empty where there is too little of it."""
        if self.expected is None or self.state not in (JobState.ACTIVE, JobState.QUEUED):
            return ""
        return time_left(self.elapsed, self.expected)


def _progressed(line: BoardLine, said: Said) -> None:
    status = said.status or ""
    line.state = JobState.QUEUED if status in _IN_LINE else JobState.ACTIVE
    line.percent = max(line.percent, int(said.progress or 0))
    line.message = clean(said.message or status or line.message)
    line.attempt = said.attempt or line.attempt
    word = _STEPS[status][1] if status in _STEPS else PERCENT.sub("", line.message).rstrip(": ")
    line.word = _later(line.word, word)
    if said.logo_index is None:
        return
    for other in line.units.values():
        other.reached("generating")
    unit = line.units.setdefault(said.logo_index, UnitProgress())
    if said.asset:
        unit.deliver()
    else:
        figure = PERCENT.search(line.message)
        unit.reached(status, int(figure[1]) / 100 if figure else None)


def _failed(line: BoardLine, said: Said) -> None:
    line.message = clean("failed" if said.error is None else said.error)
    if (said.retries_left or 0) > 0:
        line.state = JobState.RETRYING
        line.retry_at = said.retry_at / 1000 if said.retry_at else None
        return
    line.state = JobState.FAILED


def _complete(line: BoardLine, said: Said) -> None:
    line.state = JobState.PARTIAL if said.partial else JobState.COMPLETED
    line.percent = 100
    line.message = clean(said.message or "done")
    for unit in line.units.values():
        if line.state == JobState.PARTIAL and unit.share < 1:
            unit.refused, unit.word = True, "declined"
        else:
            unit.deliver()


def _cancelled(line: BoardLine, said: Said) -> None:
    line.state = JobState.CANCELLED
    line.message = clean(said.message or "cancelled")


APPLY: dict[str, Callable[[BoardLine, Said], None]] = {
    "job:progress": _progressed,
    "job:failed": _failed,
    "job:complete": _complete,
    "job:cancelled": _cancelled,
}
