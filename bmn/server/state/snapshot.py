"""An answer that is dear to compute: made once for all who ask within a moment, however many they are."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Snapshot(Generic[T]):
    """make: computes it. seconds: how old it may be. Whoever asks while it is being made waits for the same one."""

    def __init__(self, make: Callable[[], Awaitable[T]], seconds: float) -> None:
        self._make = make
        self._seconds = seconds
        self._lock = asyncio.Lock()
        self._held: tuple[float, T] | None = None

    async def get(self) -> T:
        """Raises what `make` raises; nothing is kept then."""
        async with self._lock:
            now = time.monotonic()
            if self._held is None or now - self._held[0] > self._seconds:
                self._held = (now, await self._make())
            return self._held[1]
