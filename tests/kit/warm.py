"""Forks the command line from a process that has imported it once: the same `main`, in a process, a session, a folder, an
environment and on streams of its own, without the second in which a fresh interpreter only imports.

What is about the start itself (help, imports, signals, `serve`) runs the installed `bmn`: `tests.kit.terminal`.
"""

import contextlib
import fcntl
import functools
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_COMMANDS = (
    *("brands", "completion", "config", "costs", "credits", "db", "doctor", "generate"),
    *("help", "jobs", "logos", "queues", "serve", "token", "workers"),
)
_PRELOADED = (
    *(f"bmn.cli.commands.{name}" for name in _COMMANDS),
    *(f"bmn.cli.following.{name}" for name in ("generation", "job_page", "pictures", "watch")),
    *("bmn.cli.app", "bmn.cli.terminal.completion", "bmn.cli.terminal.tables", "bmn.client.http", "bmn.work.registry"),
    *("bmn.broker.connection", "bmn.db.engine", "bmn.db.migrations.run", "bmn.db.refusals"),
    # What these import at their first call.
    *("alembic.command", "anyio._backends._asyncio", "httpcore", "psycopg", "rich.live", "rich.text"),
    *("sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite.pysqlite"),
)
_MOST = 1 << 20


class Forked:
    """A command that runs, as far as its tests need one."""

    def __init__(self, status: int) -> None:
        self._status = os.fdopen(status)
        self._code: int | None = None
        self.pid = int(self._status.readline())

    def wait(self, _timeout: float | None = None) -> int:
        """The exit code, also if asked twice; negative where a signal ended it."""
        if self._code is None:
            with self._status:
                self._code = int(self._status.read() or -signal.SIGKILL)
        return self._code

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Warm:
    """The process that forks."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._one_at_a_time = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()]
        )
        theirs.close()

    def run(self, args: Sequence[str], env: Mapping[str, str], streams: tuple[int, int, int]) -> Forked:
        """Starts `bmn ARGS` in this folder. streams: its stdin, stdout and stderr; the caller closes their own copies."""
        ours, theirs = os.pipe()
        request = json.dumps({"args": [*args], "env": dict(env), "folder": str(Path.cwd())}).encode()
        assert len(request) < _MOST
        with self._one_at_a_time:
            socket.send_fds(self._line, [request], [*streams, theirs])
        os.close(theirs)
        return Forked(ours)


@functools.cache
def warm() -> Warm:
    """One for the whole run; it ends when our end of its line is closed, however we end."""
    return Warm()


def _serve(line: socket.socket) -> None:
    for name in _PRELOADED:
        importlib.import_module(name)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children; they tell their code themselves
    while True:
        message, descriptors, _, _ = socket.recv_fds(line, _MOST, 4)
        if not message:
            return
        if os.fork() == 0:
            line.close()
            _become(json.loads(message), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _become(request: dict[str, object], descriptors: list[int]) -> None:
    from bmn.cli import app

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    *streams, status = descriptors
    os.write(status, f"{os.getpid()}\n".encode())
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    if os.isatty(0):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.environ.clear()
    os.environ.update(request["env"])  # type: ignore[call-overload]
    time.tzset()
    os.chdir(str(request["folder"]))
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)  # noqa: SIM115
    sys.argv = ["bmn", *request["args"]]  # type: ignore[misc]
    code = 1
    try:
        app.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    finally:
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.flush()
        os.write(status, str(code).encode())
        os._exit(code)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
