"""What somebody who waits sees: live bars on a terminal, one plain line per change elsewhere."""

import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from bmn.cli.terminal.console import clean, console
from bmn.cli.terminal.format import short_id
from bmn.cli.terminal.timespan import duration
from bmn.client.watch import Event
from bmn.schemas.payloads import TERMINAL_STATES

if TYPE_CHECKING:
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

Data = Mapping[str, Any]
"""An event's fields as they came: of another release they may be others, so each is asked for and none is relied on."""

_BAR = 24  # cells; on a narrow terminal less, so that the words beside it stay
_WORDS = 58
HEARTBEAT = 30.0  # seconds of silence before a sign of life

# how far a picture is at least, by the word its job reports; its message may end in a finer figure
_SHARE = {"composing": 0.05, "uploading": 0.9, "saving": 0.95}
_PERCENT = re.compile(r"(\d+) ?%$")


@dataclass(slots=True)
class Unit:
    """One picture of a job. share: 0 to 1."""

    share: float = 0.0
    word: str = "waiting"
    refused: bool = False


@dataclass(slots=True)
class Line:
    """What is known of one job. retry_at: seconds since 1970. expected: the usual duration in seconds, p50 and p90."""

    job_id: str
    label: str
    state: str = "queued"
    percent: int = 0
    message: str = "waiting"
    attempt: int = 1
    attempts: int = 1
    retry_at: float | None = None
    expected: tuple[float, float] | None = None
    units: dict[int, Unit] = field(default_factory=dict)
    since: float = field(default_factory=time.monotonic)
    ended_after: float | None = None

    @property
    def elapsed(self) -> float:
        return self.ended_after if self.ended_after is not None else time.monotonic() - self.since

    def status(self) -> str:
        """The words beside the bar."""
        if self.state == "retrying":
            wait = max(0.0, (self.retry_at or 0) - time.time())
            when = f", in {duration(wait)}" if wait >= 1 else ""
            return f"attempt {self.attempt + 1} of {self.attempts}{when}: {self.message}"
        return self.message

    def remaining(self) -> str:
        """The time to go from history; empty where there is too little of it."""
        if self.expected is None or self.state not in ("active", "queued"):
            return ""
        p50, p90 = self.expected
        if self.elapsed > p90:
            return "slower than usual"
        return f"about {duration(max(1.0, p50 - self.elapsed))} left"


def _progressed(line: Line, data: Data) -> None:
    line.state = "queued" if data.get("status") == "queued" else "active"
    line.percent = max(line.percent, int(data.get("progress", 0)))
    line.message = clean(str(data.get("message") or data.get("status") or line.message))
    line.attempt = int(data.get("attempt") or line.attempt)
    index = data.get("logoIndex")
    if index is None:
        return
    unit = line.units.setdefault(int(index), Unit())
    for other in line.units.values():
        other.word = "generating" if other.word == "waiting" else other.word
    if data.get("asset"):
        unit.share, unit.word = 1.0, "done"
        return
    unit.word = str(data.get("status", ""))
    figure = _PERCENT.search(line.message)
    unit.share = max(unit.share, int(figure[1]) / 125 if figure else _SHARE.get(unit.word, 0.0))


def _failed(line: Line, data: Data) -> None:
    line.message = clean(str(data.get("error", "failed")))
    if int(data.get("retriesLeft", 0)) > 0:
        line.state = "retrying"
        retry_at = data.get("retryAt")
        line.retry_at = float(retry_at) / 1000 if retry_at else None
        return
    line.state = "failed"


def _complete(line: Line, data: Data) -> None:
    line.state = "partial" if data.get("partial") else "completed"
    line.percent = 100
    line.message = clean(str(data.get("message") or "done"))
    for unit in line.units.values():
        unit.refused = line.state == "partial" and unit.share < 1
        unit.word = "declined" if unit.refused else "done"
        unit.share = unit.share if unit.refused else 1.0


def _cancelled(line: Line, data: Data) -> None:
    line.state = "cancelled"
    line.message = clean(str(data.get("message") or "cancelled"))


_APPLY = {"job:progress": _progressed, "job:failed": _failed, "job:complete": _complete, "job:cancelled": _cancelled}


class Board:
    """All jobs that are watched, on stderr. A context manager: inside it the bars move."""

    def __init__(self, *, silent: bool = False, heartbeat: float = HEARTBEAT) -> None:
        self.lines: dict[str, Line] = {}
        self.silent = silent or console.quiet
        self._live: Live | None = None
        self._said: set[tuple[str, int, str]] = set()
        self._spoke = time.monotonic()
        self._patience = heartbeat

    def add(self, line: Line) -> None:
        self.lines[line.job_id] = line

    def apply(self, event: Event) -> None:
        """Takes in one event and shows what it changed."""
        line = self.lines[event.job_id]
        if change := _APPLY.get(event.name):
            change(line, event.data)
            if line.state in TERMINAL_STATES:
                line.ended_after = line.elapsed
            if self._live is None:
                self._plain(line)
        elif event.name == "agent:message":
            self.say(clean(str(event.data.get("content", ""))))
        elif event.name == "job:tool-error":
            self.say(f"{event.data.get('toolName')}: {event.data.get('error')}")

    def waiting(self, job_id: str, message: str) -> None:
        """Why a job that has not begun still waits."""
        line = self.lines[job_id]
        if line.state in ("queued", "retrying") and message:
            line.message = clean(message)
            if self._live is None:
                self._plain(line)

    def say(self, text: "str | Text") -> None:
        """A line above the bars."""
        if self.silent:
            return
        if self._live is not None:
            self._live.console.print(text, soft_wrap=True)
        else:
            console.say(text)
        self._spoke = time.monotonic()

    def picture(self, drawing: str) -> None:
        """Terminal graphics above the bars, which rich must not touch: the bars leave and come back below."""
        if self._live is not None:
            self._live.transient = True
            self._live.stop()
        sys.stderr.write(drawing)
        sys.stderr.flush()
        if self._live is not None:
            self._live = self._moving()

    def heartbeat(self) -> None:
        """Where nothing moves by itself, a sign of life every half minute."""
        if self._live is None and time.monotonic() - self._spoke >= self._patience:
            for line in self.lines.values():
                if line.state not in TERMINAL_STATES:
                    self.say(
                        f"{short_id(line.job_id)}  {line.percent:3d}%  still {line.status()} ({duration(line.elapsed)})"
                    )

    def __enter__(self) -> Self:
        if console.live and not self.silent:
            self._live = self._moving()
        return self

    def _moving(self) -> "Live":
        from rich.live import Live

        live = Live(
            console=console.err, get_renderable=self._render, refresh_per_second=8, vertical_overflow="ellipsis"
        )
        live.start(refresh=True)
        return live

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.refresh()
            self._live.stop()
            self._live = None

    def _plain(self, line: Line) -> None:
        """One line per change; a figure that grows is no change."""
        text = f"{line.state}: {line.status()}" if line.state in ("retrying", "failed", "cancelled") else line.status()
        text = _PERCENT.sub("started", text)
        key = (line.job_id, line.attempt, text)
        if key not in self._said:
            self._said.add(key)
            self.say(f"{short_id(line.job_id)}  {line.percent:3d}%  {text}")

    def _render(self) -> "Group":
        from rich.console import Group

        rows: list[Text] = []
        for line in self.lines.values():
            if len(line.units) > 1:
                rows.extend(_unit_row(index, unit) for index, unit in sorted(line.units.items()))
            rows.append(_job_row(line))
        return Group(*rows)


_STYLES = {"completed": "green", "partial": "yellow", "failed": "red", "cancelled": "dim", "retrying": "yellow"}


def _bar(share: float, style: str) -> "Text":
    from rich.text import Text

    size = max(8, min(_BAR, console.err.width - _WORDS))
    filled = round(share * size)
    return Text("━" * filled, style).append("─" * (size - filled), "bright_black")


def _row(head: str, bar: "Text", tail: str) -> "Text":
    from rich.text import Text

    return Text(head, no_wrap=True, overflow="ellipsis").append_text(bar).append(tail)


def _unit_row(index: int, unit: Unit) -> "Text":
    style = "red" if unit.refused else "green" if unit.share >= 1 else "cyan"
    mark = "✗" if unit.refused else "✓" if unit.share >= 1 else " "
    return _row(f"  {mark} {index + 1:<12} ", _bar(unit.share, style), f"  {unit.word}")


def _job_row(line: Line) -> "Text":
    from rich.cells import set_cell_size

    head = f"  {set_cell_size(line.label, 14)} "
    tail = f" {line.percent:3d}%  {line.status()}  {duration(line.elapsed)}"
    if remaining := line.remaining():
        tail += f", {remaining}"
    return _row(head, _bar(line.percent / 100, _STYLES.get(line.state, "cyan")), tail)
