"""How many calls a vendor takes in how long."""

import time
from collections import deque
from collections.abc import Callable


class Limiter:
    """So many calls in so many seconds, as a vendor counts them.

    pace: the sandbox's speed. A vendor's own limit shrinks with it, so that an instant sandbox has none; one that was set
    counts as it is.
    """

    def __init__(self, pace: Callable[[], float], calls: int, seconds: float) -> None:
        self._pace, self.calls, self.seconds = pace, calls, seconds
        self._times: deque[float] = deque()

    def set(self, calls: int, seconds: float) -> None:
        self.calls, self.seconds, self._pace = calls, seconds, lambda: 1.0
        self._times.clear()

    def wait(self) -> float:
        """0 and the call is counted; or how many seconds the caller should wait."""
        window = self.seconds * self._pace()
        now = time.monotonic()
        while self._times and self._times[0] <= now - window:
            self._times.popleft()
        if len(self._times) >= self.calls:
            return self._times[0] + window - now
        self._times.append(now)
        return 0.0

    @property
    def remaining(self) -> int:
        return max(0, self.calls - len(self._times))
