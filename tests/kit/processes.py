"""Small helpers for tests that look at real processes."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable

import psutil

PATIENCE = 180.0
"""How many seconds a test waits for what has to come: nothing where it comes at once, and enough beside a busy program."""


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE, what: str = "") -> None:
    """Polls a condition; fails the test when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"did not happen within {seconds:g} s: {what or condition}"
        time.sleep(0.01)


async def eventually(condition: Callable[[], Awaitable[object]], seconds: float = PATIENCE) -> None:
    """`wait_until` for a question that has to be awaited."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def gone(pid: int) -> bool:
    """True where the process has ended. A dead one that nobody has collected yet counts as ended."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def free_port() -> int:
    """For what cannot be given port 0: a port that the system has just had free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
