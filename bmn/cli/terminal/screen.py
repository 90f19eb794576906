"""The whole terminal as one screen that is drawn again in place: only the rows that changed are sent.

So that a slow line carries little, a frame is one write of the rows that differ from those before. However the program
ends, the terminal is as it was: its own screen, its cursor, its modes.
"""

import asyncio
import os
import signal
import sys
import termios
import tty
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from io import StringIO

from rich.console import Console as RichConsole
from rich.text import Text

from bmn.cli.terminal.cells import unsteered

_KEYS = {
    "\x1b[A": "up",
    "\x1bOA": "up",
    "\x1b[B": "down",
    "\x1bOB": "down",
    "\x1b[Z": "back-tab",
    "\x1b": "escape",
    "\t": "tab",
    "\r": "enter",
    "\n": "enter",
    "k": "up",
    "j": "down",
}


class Screen:
    """What is shown now. keys: what was pressed, as words (`up`, `enter`, `p`); `resize` where the terminal changed."""

    def __init__(self, *, colored: bool) -> None:
        self.keys: asyncio.Queue[str] = asyncio.Queue()
        self._colored = colored
        self._shown: list[str] = []

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        try:
            columns, rows = os.get_terminal_size(sys.stdout.fileno())
        except OSError:
            columns, rows = 80, 24
        return columns or 80, rows or 24

    def draw(self, lines: Sequence[Text]) -> None:
        """Shows these lines from the top; what does not fit is cut off."""
        columns, rows = self.size
        wanted = [self._styled(line, columns) for line in lines[:rows]]
        wanted += [""] * (rows - len(wanted))
        before = self._shown if len(self._shown) == rows else [None] * rows
        changed = [
            f"\x1b[{number};1H{line}\x1b[0m\x1b[K"
            for number, (line, old) in enumerate(zip(wanted, before, strict=True), 1)
            if line != old
        ]
        if changed:
            sys.stdout.write("".join(changed))
            sys.stdout.flush()
        self._shown = wanted

    def forget(self) -> None:
        """The next frame is drawn whole: the terminal has another size, and may have moved what stood on it."""
        self._shown = []
        sys.stdout.write("\x1b[2J")

    def _styled(self, line: Text, columns: int) -> str:
        line = unsteered(line)
        line.truncate(columns, overflow="ellipsis")
        if not self._colored:
            return line.plain.rstrip()
        buffer = StringIO()
        printer = RichConsole(
            file=buffer, force_terminal=True, color_system="standard", width=columns + 1, legacy_windows=False
        )
        printer.print(line, end="", no_wrap=True, overflow="crop", highlight=False, markup=False, emoji=False)
        return buffer.getvalue()

    def press(self, typed: str) -> None:
        """Puts what was typed in line, key by key."""
        while typed:
            found = next((code for code in sorted(_KEYS, key=len, reverse=True) if typed.startswith(code)), typed[0])
            self.keys.put_nowait(_KEYS.get(found, found))
            typed = typed[len(found) :]


@asynccontextmanager
async def open_screen(*, colored: bool) -> AsyncIterator[Screen]:
    """Takes the terminal for as long as the block runs: both ends have to be one."""
    screen, loop = Screen(colored=colored), asyncio.get_running_loop()
    keyboard = sys.stdin.fileno()
    modes = termios.tcgetattr(keyboard)

    def typed() -> None:
        data = os.read(keyboard, 1024)
        screen.press(data.decode(errors="ignore") if data else "q")

    tty.setcbreak(keyboard)
    sys.stdout.write("\x1b[?1049h\x1b[?25l\x1b[?7l")
    loop.add_reader(keyboard, typed)
    loop.add_signal_handler(signal.SIGWINCH, screen.keys.put_nowait, "resize")
    try:
        yield screen
    finally:
        loop.remove_reader(keyboard)
        loop.remove_signal_handler(signal.SIGWINCH)
        sys.stdout.write("\x1b[?7h\x1b[?25h\x1b[?1049l")
        sys.stdout.flush()
        termios.tcsetattr(keyboard, termios.TCSADRAIN, modes)
