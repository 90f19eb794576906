"""Keeps calls to a vendor below its limit a second, those of all processes together."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar

from bmn.broker.shared_rate import Turns

in_line: ContextVar[Callable[[], AbstractContextManager[object]]] = ContextVar("in_line", default=nullcontext)
"""What surrounds the wait for a turn: for an attempt, that no time of it passes."""


class Pace:
    """Lets calls through evenly. name: of the vendor. per_second: how many."""

    def __init__(self, name: str, per_second: float) -> None:
        self._name = name
        self._per_second = per_second
        self._next = 0.0

    async def wait(self, turns: Turns | None) -> None:
        """Waits for this call's turn. turns: shared with other processes; without them, and while Redis is away, this
        process keeps the pace by itself."""
        with in_line.get()():
            await self._wait(turns)

    async def _wait(self, turns: Turns | None) -> None:
        if turns is not None and await turns.wait(self._name, self._per_second):
            return
        now = time.monotonic()
        turn = max(now, self._next)
        self._next = turn + 1 / self._per_second
        await asyncio.sleep(turn - now)
