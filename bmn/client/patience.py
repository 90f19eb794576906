"""How long a server may be away before we give up on it."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bmn.errors import NoServer, TryLater

T = TypeVar("T")

PATIENCE_SECONDS = 60.0
_STEPS = 4


class Patience:
    """Begins to count at the first failure after a sign of life: to hear nothing from a quiet server is no failure.

    A single wait counts for a quarter of it at most, so that a machine that slept in between does not wake up with
    no patience left.
    """

    def __init__(self, seconds: float = PATIENCE_SECONDS) -> None:
        self._seconds = seconds
        self._spent = 0.0
        self._failed: float | None = None

    def found(self) -> None:
        """The server gave a sign of life."""
        self._spent, self._failed = 0.0, None

    def lost(self) -> bool:
        """Counts a failure. True where there were failures only, for too long."""
        now = time.monotonic()
        if self._failed is not None:
            self._spent += min(now - self._failed, self._seconds / _STEPS)
        self._failed = now
        return self._spent >= self._seconds


def backoff(attempt: int, *, base: float = 0.2, cap: float = 10.0) -> float:
    """Seconds before the next try, with jitter. attempt: 0 for the first repetition."""
    return float(min(cap, base * 2**attempt) * random.uniform(0.5, 1.0))


async def insist(
    ask: Callable[[], Awaitable[T]],
    seconds: float = PATIENCE_SECONDS,
    on_notice: Callable[[str], None] = lambda _text: None,
) -> T:
    """The answer to a question that may be repeated, asked again while the server is away. Raises NoServer or TryLater."""
    patience, attempt = Patience(seconds), 0
    while True:
        try:
            return await ask()
        except (NoServer, TryLater):
            if patience.lost():
                raise
            if attempt == 0:
                on_notice("connection lost, reconnecting")
            await asyncio.sleep(backoff(attempt, cap=2.0))
            attempt += 1
