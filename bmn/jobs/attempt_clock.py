"""How long an attempt has worked: while it stands in line for its provider, and nothing of it is served, no time passes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class UnitInLine:
    """One unit of the attempt, in line until it is served."""

    def __init__(self) -> None:
        self.is_served = False


class AttemptClock:
    """Of one attempt. Seconds are those of the monotonic clock."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._waited = 0.0
        self._waiting_since: float | None = None
        self._lines: list[UnitInLine] = []
        self._told = 0.0

    def restart(self) -> None:
        """What comes now has the whole limit before it."""
        self._began, self._waited = time.monotonic(), 0.0
        self._waiting_since = None if self._waiting_since is None else self._began
        self._told = 0.0

    def worked(self) -> float:
        """Seconds since the start, without those spent in line."""
        return time.monotonic() - self._began - self.waited()

    def waited(self) -> float:
        """Seconds spent in line so far."""
        return self._waited + (0.0 if self._waiting_since is None else time.monotonic() - self._waiting_since)

    def untold(self) -> float:
        """Seconds spent in line that the row does not know of."""
        return self.waited() - self._told

    def tell(self, seconds: float) -> None:
        """The row knows of so many more."""
        self._told += seconds

    @contextmanager
    def in_line(self) -> Iterator[UnitInLine]:
        """Around the wait for a slot and the use of it; whoever has one says so on the line."""
        line = UnitInLine()
        self._lines.append(line)
        self.look()
        try:
            yield line
        finally:
            self._lines.remove(line)
            self.look()

    def look(self) -> None:
        """Notes whether time passes: after a unit came, was served, or left."""
        in_line = bool(self._lines) and not any(line.is_served for line in self._lines)
        if in_line and self._waiting_since is None:
            self._waiting_since = time.monotonic()
        elif not in_line and self._waiting_since is not None:
            self._waited, self._waiting_since = self.waited(), None
