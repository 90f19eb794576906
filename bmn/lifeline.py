"""Ties a process to the life of its parent, so that `kill -9` of a parent leaves nothing running.

As a module it is `die_with_parent` for forked children, `lifeline` for commands and `end_when_told` for servers. As a
script it is what `lifeline` puts before a command: `python lifeline.py PARENT_PID COMMAND...`. So it imports nothing but
the standard library.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from types import FrameType

DRAINED = 86
"""The exit code of a process that was told to end for good: whoever keeps it starts no other."""

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.2


def die_with_parent(parent: int) -> bool:
    """Asks the kernel to kill this process when the thread that forked it ends. parent: the pid of that parent.

    False where the kernel cannot (anything but Linux): the caller then compares `os.getppid()` now and again.
    Survives an `exec`. Exits at once where the parent has gone already.
    """
    if sys.platform != "linux":
        return False
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    return True


def end_when_told(stop: Callable[[int, FrameType | None], None]) -> None:
    """From now on SIGTERM and SIGINT end a server, also before it listens for them itself: no stop is lost.

    stop: the server's own answer to a signal, `handle_exit` of uvicorn's. That raises them once more when it has stopped,
    which then no longer kills the process.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


def lifeline(command: list[str]) -> list[str]:
    """The command, wrapped so that it ends with this process. Start it from a thread that stays: Linux watches that."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def _watch(parent: int, command: list[str]) -> int:
    """Where the kernel does not help: runs the command, passes signals on, kills it when the parent has gone."""
    child = subprocess.Popen(command, close_fds=False)

    def forward(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, forward)
    while (code := child.poll()) is None:
        if os.getppid() != parent:
            child.kill()
        time.sleep(_POLL_SECONDS)
    return code if code >= 0 else 128 - code


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if die_with_parent(parent):
        os.execv(command[0], command)
    sys.exit(_watch(parent, command))


if __name__ == "__main__":
    main()
