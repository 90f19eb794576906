"""What somebody reads who waits for a program to be ready: one line, drawn again in place, and gone when it is."""

import shutil
import sys
from types import TracebackType
from typing import Self

from bmn.cli.terminal.console import console


class Starting:
    """Says on a terminal what a start waits for; elsewhere nothing. shown: whether somebody waits.

    A context manager: what ends it, an error too, is said on a line of its own.
    """

    def __init__(self, *, shown: bool = True) -> None:
        self._shown = shown and console.live and not console.json
        self._drawn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over()

    def at(self, what: str) -> None:
        """What is under way from now on."""
        if self._shown:
            room = max(10, shutil.get_terminal_size().columns - 1)
            line = f"starting: {what} …"
            sys.stderr.write(f"\r\x1b[2K{line if len(line) <= room else line[: room - 1] + '…'}")
            sys.stderr.flush()
            self._drawn = True

    def over(self) -> None:
        """Takes the line away, for what is said next."""
        if self._drawn:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
            self._drawn = False
