"""Forks the command line from a process that has imported it once: the same `main`, in a process, a session, a folder, an
environment and on streams of its own, without the seconds in which a fresh interpreter only imports.

One process forks commands, another one whole servers. What is about the start itself (help, imports, signals) runs the
installed `bmn`: `tests.kit.terminal`.
"""

import contextlib
import fcntl
import functools
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from setproctitle import getproctitle

from bmn.lifeline import die_with_parent

_COMMANDS = (
    *("brands", "completion", "config", "costs", "credits", "db", "doctor", "generate"),
    *("help", "jobs", "logos", "queues", "serve", "token", "workers"),
)
_PRELOADED = (
    *(f"bmn.cli.commands.{name}" for name in _COMMANDS),
    *(f"bmn.cli.following.{name}" for name in ("generation", "job_page", "job_watch", "pictures")),
    *("bmn.cli.app", "bmn.cli.terminal.shell_completion", "bmn.cli.terminal.tables"),
    *("bmn.client.http", "bmn.work.registry"),
    *("bmn.broker.connection", "bmn.db.engine", "bmn.db.migrations.run", "bmn.db.database_refusals"),
    # What these import at their first call.
    *("alembic.command", "anyio._backends._asyncio", "httpcore", "psycopg", "rich.live", "rich.text"),
    *("sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite.pysqlite"),
)
# What the processes of `bmn serve` import by themselves, beside what it imports for them.
_OF_SERVERS = ("bmn_sandbox.app", "bmn.jobs.rq.registration", "uvicorn.loops.auto", "uvicorn.protocols.http.auto")
_MOST = 1 << 20
Kind = Literal["commands", "servers"]


class Forked:
    """A command that runs, as far as its tests need one."""

    def __init__(self, status: int) -> None:
        self._status = os.fdopen(status, "rb", buffering=0)
        self._code: int | None = None
        self.pid = int(self._status.readline())

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, also if asked twice; that of SIGKILL where it could not tell one.

        Raises TimeoutExpired where it runs on after that many seconds.
        """
        if self._code is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            with self._status:
                self._code = int(self._status.readline() or -signal.SIGKILL)
        return self._code

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        """To one that has ended, none."""
        with contextlib.suppress(ProcessLookupError):
            if self._code is None:
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Warm:
    """The process that forks."""

    def __init__(self, kind: Kind) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._one_at_a_time = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__, str(theirs.fileno()), kind], pass_fds=[theirs.fileno()]
        )
        theirs.close()

    @property
    def line(self) -> int:
        """The descriptor that a program of `write_program` needs."""
        return self._line.fileno()

    def run(self, args: Sequence[str], env: Mapping[str, str], streams: tuple[int, int, int]) -> Forked:
        ours, theirs = os.pipe()
        request = json.dumps({"args": [*args], "env": dict(env), "folder": str(Path.cwd())}).encode()
        assert len(request) < _MOST
        with self._one_at_a_time:
            socket.send_fds(self._line, [request], [*streams, theirs])
        os.close(theirs)
        return Forked(ours)


@functools.cache
def warm(kind: Kind = "commands") -> Warm:
    """One of each kind for the whole run; it ends when our end of its line is closed, however we end."""
    return Warm(kind)


def fork(args: Sequence[str], env: Mapping[str, str], streams: tuple[int, int, int]) -> Forked:
    """Starts `bmn ARGS` in this folder. streams: its stdin, stdout and stderr; the caller closes their own copies."""
    return warm("servers" if list(args[:1]) in (["serve"], ["worker"]) else "commands").run(args, env, streams)


_PROGRAM = """#!{python} -SE
import json, os, socket, sys
ours, theirs = os.pipe()
request = {{"args": sys.argv[1:], "env": dict(os.environ), "folder": os.getcwd()}}
socket.send_fds(socket.socket(fileno={line}), [json.dumps(request).encode()], [0, 1, 2, theirs])
os.close(theirs)
_, code = os.fdopen(ours).read().split()
os._exit(int(code))
"""


def write_program(folder: Path) -> int:
    """Writes a `bmn` for scripts, which has a warm process run the command; returns a descriptor that it has to inherit."""
    program = folder / "bmn"
    program.write_text(_PROGRAM.format(python=sys.executable, line=warm().line))
    program.chmod(0o755)
    return warm().line


def _import_all(kind: Kind) -> None:
    if kind == "servers":
        from bmn.local.processes import preload

        preload(server=True)
    for name in (*_PRELOADED, *(_OF_SERVERS if kind == "servers" else ())):
        importlib.import_module(name)


def _serve(line: socket.socket, kind: Kind) -> None:
    _import_all(kind)
    getproctitle()  # it looks for the place of the title now: a child whose environment is another one could not find it
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children; they tell their code themselves
    own = os.getpid()
    while True:
        message, descriptors, _, _ = socket.recv_fds(line, _MOST, 4)
        if not message:
            return
        if os.fork() == 0:
            line.close()
            die_with_parent(own)  # a run that is killed leaves no server behind
            _become(json.loads(message), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _become(request: dict[str, object], descriptors: list[int]) -> None:
    from bmn import failpoints
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
    failpoints.arm()
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
        os.write(status, f"{code}\n".encode())
        os._exit(code)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])), "servers" if sys.argv[2] == "servers" else "commands")
