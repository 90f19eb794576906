"""What somebody who waits sees: live bars on a terminal, one plain line per change elsewhere."""

import asyncio
import contextlib
import re
import signal
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from bmn.cli.following.progress import APPLY, PERCENT, BoardLine, UnitProgress
from bmn.cli.terminal.beat import spinner
from bmn.cli.terminal.cells import clean, unsteered
from bmn.cli.terminal.console import console
from bmn.cli.terminal.record_format import short_id
from bmn.client import Event
from bmn.format import duration
from bmn.schemas.payloads import TERMINAL_STATES, JobState

if TYPE_CHECKING:
    from rich.text import Text

    from bmn.cli.terminal.live import LiveLines

HEARTBEAT = 30.0  # seconds of silence before a sign of life, where nothing moves

_CALM = 0.5  # seconds that a text stands at least
_BAR = 24  # cells; on a narrow terminal less, so that the words beside it stay
_LABEL = 14
_HEAD = 2 + 1 + 1 + _LABEL + 1 + len(" 100%  ")  # of a row, the bar apart
_WORDS = 39  # the longest there usually are: `3 of 4 done  1 m 12 s, longer than usual`
_COLORS = re.compile("\x1b\\[[0-9;]*m")
_SPINS = "\0"  # stands in a row where the spinner will

_STYLES = {
    JobState.COMPLETED: ("✓", "green"),
    JobState.PARTIAL: ("◐", "yellow"),
    JobState.FAILED: ("✗", "red"),
    JobState.CANCELLED: ("⊘", "dim"),
    JobState.RETRYING: (_SPINS, "yellow"),
}


class Board:
    """All jobs that are watched, on stderr. A context manager: inside it the bars move, at each `tick`."""

    def __init__(self, *, silent: bool = False, heartbeat: float = HEARTBEAT) -> None:
        self.lines: dict[str, BoardLine] = {}
        self.silent = silent or console.quiet
        self._block: LiveLines | None = None
        self._rows: list[Text] = []
        self._rows_since = 0.0
        self._sketch: list[tuple[str, str]] = []
        self._said: set[tuple[str, int, str]] = set()
        self._spoke = time.monotonic()
        self._patience = heartbeat

    def __enter__(self) -> Self:
        if not self.silent and console.live:
            from bmn.cli.terminal.live import LiveLines

            self._block = LiveLines(sys.stderr)
            with contextlib.suppress(RuntimeError, NotImplementedError):
                # Stopped and continued: the shell has written below the bars since.
                asyncio.get_running_loop().add_signal_handler(signal.SIGCONT, self._block.forget)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._block is None:
            return
        with contextlib.suppress(RuntimeError, NotImplementedError):
            asyncio.get_running_loop().remove_signal_handler(signal.SIGCONT)
        if console.live:
            self._rows_since, self._sketch = 0.0, []
            self.tick()
            self._block.leave()
        self._block = None

    @property
    def _moves(self) -> bool:
        """Whether bars are drawn right now: in the background they are not."""
        return self._block is not None and console.live

    # --- what happens -------------------------------------------------------------------------------------------------

    def add(self, line: BoardLine) -> None:
        """A line for one job more."""
        self.lines[line.job_id] = line

    def apply(self, event: Event) -> None:
        """Takes in one event and shows what it changed."""
        line = self.lines[event.job_id]
        if change := APPLY.get(event.name):
            began = line.word != "waiting" and line.state != JobState.QUEUED
            change(line, event.said)
            if line.state in TERMINAL_STATES:
                line.ended_after = line.elapsed
            if not self._moves:
                self._plain(line)
            elif began and line.state == JobState.QUEUED:
                self.say(f"{line.label}: {line.message}")  # back in line: its worker was lost, or is asked to slow down
        elif event.name == "agent:message":
            self.say(event.said.content or "")
        elif event.name == "job:tool-error":
            self.say(f"{event.said.tool_name}: {event.said.error}")

    def waiting(self, job_id: str, message: str) -> None:
        """Why a job that has not begun still waits."""
        line = self.lines[job_id]
        if line.state in (JobState.QUEUED, JobState.RETRYING) and message:
            line.message = clean(message)
            if not self._moves:
                self._plain(line)

    # --- what is said -------------------------------------------------------------------------------------------------

    def say(self, text: "str | Text") -> None:
        """A line above the bars."""
        if self.silent:
            return
        if self._block is not None and self._moves:
            self._block.clear()
        console.say(text)
        self._spoke = time.monotonic()

    def picture(self, drawing: str) -> None:
        """Terminal graphics above the bars."""
        if self._block is not None and self._moves:
            self._block.clear()
        sys.stderr.write(drawing)
        sys.stderr.flush()

    def sketch(self, drawing: str) -> None:
        """Half blocks right above the bars in place of the ones before, where there is room; they do not stay."""
        self._sketch = [(_COLORS.sub("", line), line) for line in drawing.splitlines()]

    def beat(self) -> None:
        """What happens at each tick."""
        self.tick()
        self.heartbeat()

    def heartbeat(self) -> None:
        """Where nothing moves by itself, a sign of life every half minute."""
        if not self._moves and time.monotonic() - self._spoke >= self._patience:
            for line in self.lines.values():
                if line.state not in TERMINAL_STATES:
                    self.say(f"{_plain_head(line)}  {_still(line)}")

    def _plain(self, line: BoardLine) -> None:
        """One line per change; a figure that grows is no change."""
        named = (JobState.RETRYING, JobState.FAILED, JobState.CANCELLED)
        text = f"{line.state}: {line.status()}" if line.state in named else line.status()
        text = PERCENT.sub("started", text)
        key = (line.job_id, line.attempt, text)
        if key not in self._said:
            self._said.add(key)
            self.say(f"{_plain_head(line)}  {text}")

    # --- what is drawn ------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Draws the next frame. The spinners step in each; what is beside them changes at most twice a second."""
        if self._block is None or not self._moves:
            if self._block is not None:
                self._block.forget()
            return
        from rich.cells import cell_len

        width, height = self._block.room()
        now = time.monotonic()
        if now - self._rows_since >= _CALM:
            self._rows, self._rows_since = _rows(list(self.lines.values()), width), now
        step = spinner()
        bars = [_drawn(row, step, width) for row in _cut(self._rows, height)]
        fits = len(self._sketch) + len(bars) <= height and all(cell_len(plain) <= width for plain, _ in self._sketch)
        self._block.draw([*self._sketch, *bars] if fits else bars)


def _plain_head(line: BoardLine) -> str:
    return f"{short_id(line.job_id)}  {line.percent:3d}%"


def _cut(rows: "list[Text]", height: int) -> "list[Text]":
    """As many rows as there is room for."""
    from rich.text import Text

    if len(rows) <= height:
        return rows
    return [*rows[: height - 1], Text(f"  … {len(rows) - height + 1} more")]


def _drawn(row: "Text", step: str, width: int) -> tuple[str, str]:
    """A row as plain text and with its colors."""
    text = row.copy()
    text.plain = text.plain.replace(_SPINS, step).replace("\n", " ")
    text = unsteered(text)
    text.truncate(width, overflow="ellipsis")
    with console.err.capture() as capture:
        console.err.print(text, end="", soft_wrap=True, crop=False)
    return text.plain, capture.get()


def _rows(lines: list[BoardLine], width: int) -> "list[Text]":
    rows: list[Text] = []
    for line in lines:
        if len(line.units) > 1:
            rows += [_unit_row(index, unit, line, width) for index, unit in sorted(line.units.items())]
        rows.append(_job_row(line, width))
    return rows


def _row(mark: str, name: str, share: float, style: str, tail: str, width: int) -> "Text":
    from rich.cells import set_cell_size
    from rich.text import Text

    size = _bar(width)
    filled = int(share * size)
    row = Text("  ", no_wrap=True).append(mark, style).append(f" {set_cell_size(name, _LABEL)} ")
    row.append("━" * filled, style).append("─" * (size - filled), "bright_black")
    return row.append(f" {int(share * 100):3d}%  {tail}")


def _bar(width: int) -> int:
    return max(8, min(_BAR, width - _HEAD - _WORDS))


def _unit_row(index: int, unit: UnitProgress, line: BoardLine, width: int) -> "Text":
    name = f"{index + 1:>2}"
    if unit.refused:
        return _row("✗", name, unit.share, "red", unit.word, width)
    if unit.share >= 1:
        return _row("✓", name, unit.share, "green", unit.word, width)
    if line.state != JobState.ACTIVE:
        return _row(" ", name, unit.share, "dim", "" if line.state in TERMINAL_STATES else "waiting", width)
    return _row(_SPINS, name, unit.share, "cyan", unit.word, width)


def _job_row(line: BoardLine, width: int) -> "Text":
    mark, style = _STYLES.get(JobState(line.state), (_SPINS, "cyan"))
    took = duration(line.elapsed, whole=line.ended_after is None)
    short = f"{line.short_status()}  {took}"
    whole = f"{short}, {remaining}" if (remaining := line.remaining()) else short
    tail = whole if len(whole) <= width - _HEAD - _bar(width) else short  # nothing of a time is cut off
    return _row(mark, line.label, line.share, style, tail, width)


def _still(line: BoardLine) -> str:
    """What a job that says nothing new is at, and where one that waits says for what."""
    if line.state in (JobState.QUEUED, JobState.RETRYING):
        return f"still waiting ({duration(line.elapsed)}); `bmn jobs why {short_id(line.job_id)}` says for what"
    return f"still {line.status()} ({duration(line.elapsed)})"
