"""When to ask a provider whether a task is done: seldom before it can be, often around its usual time, seldom after."""

from collections import deque
from statistics import quantiles

_REMEMBERED = 50
_ENOUGH = 5  # durations that say something
_GROWTH = 0.08  # without any, a look is late by 4 % of the task's time on average
_DENSITY = 30  # looks between the tenth and the ninetieth percentile


class PollSchedule:
    """Learns from how long the last fifty tasks of one model took in this process.

    shortest, longest: seconds between two looks at a task; the vendor's limits decide them.
    """

    def __init__(self, shortest: float, longest: float) -> None:
        self._shortest = shortest
        self._longest = longest
        self._durations: deque[float] = deque(maxlen=_REMEMBERED)

    def record(self, seconds: float) -> None:
        """A task took this long from its order to its result."""
        self._durations.append(seconds)

    def first_pause(self) -> float:
        """Seconds from the order to the first look; none where tasks have been ready at once, or nothing is known."""
        early = self._percentiles()[0]
        return 0.0 if early < self._shortest else min(early, self._longest)

    def pause(self, elapsed: float) -> float:
        """Seconds until the next look at a task that was ordered `elapsed` seconds ago and was not ready."""
        growing = self._bounded(_GROWTH * elapsed)
        early, late = self._percentiles()
        if elapsed < early:
            return min(early - elapsed, self._longest)
        return min(growing, self._bounded((late - early) / _DENSITY)) if elapsed <= late else growing

    def _percentiles(self) -> tuple[float, float]:
        if len(self._durations) < _ENOUGH:
            return 0.0, 0.0
        tenths = quantiles(self._durations, n=10, method="inclusive")
        return tenths[0], tenths[-1]

    def _bounded(self, seconds: float) -> float:
        return min(max(seconds, self._shortest), self._longest)
