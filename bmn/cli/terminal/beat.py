"""The beat of what moves on a terminal: spinners that step while somebody waits, whatever else is slow meanwhile."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

TICK = 0.2
"""Seconds between two steps of a spinner."""

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


def spinner() -> str:
    """The step that a spinner is at right now."""
    return _SPINNER[int(time.monotonic() / TICK) % len(_SPINNER)]


@asynccontextmanager
async def beating(draw: Callable[[], None]) -> AsyncIterator[None]:
    """Draws at each tick while what is inside goes on."""

    async def beat() -> None:
        while True:
            draw()
            await asyncio.sleep(TICK)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
