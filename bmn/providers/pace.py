"""Keeps this process's calls to a vendor below its limit a second; more processes share it through the vendor's 429."""

import asyncio
import time


class Pace:
    """Lets calls through evenly. per_second: how many."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second
        self._next = 0.0

    async def wait(self) -> None:
        """Waits for this call's turn."""
        now = time.monotonic()
        turn = max(now, self._next)
        self._next = turn + self._gap
        await asyncio.sleep(turn - now)
