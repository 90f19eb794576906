"""Lines at the end of the screen that are drawn again in place.

Nothing of the terminal is changed, neither its modes nor its cursor, so that however the program ends the terminal is as
it was. A frame is one write, and a line leaves room for the `^C` that the terminal itself echoes.
"""

import os
from collections.abc import Sequence
from typing import TextIO

from rich.cells import cell_len

from bmn.numbers import is_whole

_ECHO = 3  # cells kept free at the end of each line
# Terminals that wrap a line again when they become narrower. The others cut it off.
_REFLOWING = ("VTE_VERSION", "KITTY_WINDOW_ID", "TMUX", "WT_SESSION", "KONSOLE_VERSION", "ALACRITTY_WINDOW_ID")
_REFLOWING_PROGRAMS = ("iterm.app", "wezterm", "apple_terminal", "vscode", "ghostty")


def _reflows() -> bool:
    program = os.environ.get("TERM_PROGRAM", "").lower()
    return any(name in os.environ for name in _REFLOWING) or program in _REFLOWING_PROGRAMS


class LiveLines:
    """One block of lines on a stream. The cursor rests at the end of its last line.

    In tmux it has empty lines above it while it moves, one for each that a window of half the width would wrap. For each
    line that wrapping makes more, tmux moves one from the top of the screen into its history, even where the screen is empty
    below; and what is in the history no program can take away again.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._spare = 0  # empty lines above the block
        self._shown: list[str] = []
        self._widths: list[int] = []
        self._columns = 0

    def room(self) -> tuple[int, int]:
        """Cells of a line and number of lines that a frame may have."""
        columns, rows = self._size()
        return max(10, columns - _ECHO), max(2, rows - 1)

    def draw(self, lines: Sequence[tuple[str, str]]) -> None:
        """Puts these lines in place of the ones before. Each is its plain text and the same with its colors."""
        columns, rows = self._size()
        widths = [cell_len(plain) for plain, _ in lines]
        wide = sum(width > columns // 2 for width in widths) if "TMUX" in os.environ else 0
        self._spare = max(0, min(wide, rows - 1 - len(lines)))
        styled = [""] * self._spare + [text for _, text in lines]
        if styled == self._shown and columns == self._columns:
            return
        kept = self._kept(styled) if columns == self._columns else 0
        self._write(self._erasure(kept) + "\n".join(styled[kept:]))
        self._shown, self._widths, self._columns = styled, [0] * self._spare + widths, columns

    def clear(self) -> None:
        """Takes the block away; what is written next stands in its place."""
        self._write(self._erasure())
        self.forget()

    def leave(self) -> None:
        """Lets the last frame stand and goes on below it."""
        if self._spare:
            self._write(self._erasure() + "\n".join(self._shown[self._spare :]))
        if self._shown:
            self._write("\n")
        self.forget()

    def forget(self) -> None:
        """The next frame stands where the cursor is: somebody else has written since the last one."""
        self._shown, self._widths, self._spare = [], [], 0

    def _kept(self, styled: Sequence[str]) -> int:
        """How many lines from the top may stand as they are; never all, as the cursor rests on the last one."""
        most = min(len(styled), len(self._shown)) - 1
        return next((at for at in range(most) if styled[at] != self._shown[at]), max(0, most))

    def _erasure(self, kept: int = 0) -> str:
        """What takes the lines after the kept ones away."""
        if not self._shown:
            return ""
        rows = len(self._shown) - kept
        columns = self._size()[0]
        if columns < self._columns and _reflows():
            rows = sum(max(1, -(-width // columns)) for width in self._widths)
        # Line by line: "erase to the end" from the first line of a screen makes tmux keep the frame in its history.
        return "\r\x1b[2K" + "\x1b[1A\x1b[2K" * (rows - 1)

    def _size(self) -> tuple[int, int]:
        try:
            columns, rows = os.get_terminal_size(self._stream.fileno())
        except OSError:
            columns, rows = 80, 24
        wanted = os.environ.get("COLUMNS", "")
        return int(wanted) if is_whole(wanted) and int(wanted) else columns or 80, rows or 24

    def _write(self, text: str) -> None:
        if text:
            self._stream.write(text)
            self._stream.flush()
