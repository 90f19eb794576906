"""Small helpers for tests that look at real processes."""

import asyncio
import contextlib
import secrets
import socket
import time
from collections.abc import Awaitable, Callable

import psutil

PATIENCE = 180.0
"""How many seconds a test waits for what has to come: nothing where it comes at once, and enough beside a busy program."""

_OWN_PORTS = range(10_000, 32_768)


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE, what: str = "") -> None:
    """Polls a condition; fails the test when it does not come true in time."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() < began + seconds, f"did not happen within {seconds:g} s: {what or condition}"
        time.sleep(_pause(began))


async def eventually(condition: Callable[[], Awaitable[object]], seconds: float = PATIENCE) -> None:
    """`wait_until` for a question that has to be awaited."""
    began = time.monotonic()
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(_pause(began))


def _pause(began: float) -> float:
    """Until the next look: what comes at once is seen at once, and what takes long is not kept from its processor."""
    return min(max(0.005, (time.monotonic() - began) / 20), 0.1)


def gone(pid: int) -> bool:
    """True where the process has ended. A dead one that nobody has collected yet counts as ended."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def free_port() -> int:
    """For what cannot be given port 0: a free port that the system gives to nobody who only asks for any.

    One of those could be taken before its program listens: by a neighbour's connection, or by the very connection that asks
    whether it listens already, which then talks to itself.
    """
    while True:
        port = secrets.choice(_OWN_PORTS)  # `random` has the same seed in every process of a run
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
