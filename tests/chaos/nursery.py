"""Real processes in milliseconds: a parent that has imported everything forks a worker, an API or a sandbox on demand.

As a module of the tests it is `Nursery`. As a program (`python -m tests.chaos.nursery`) it is the parent: it reads one JSON
object a line, forks what it names, and says which of its children have ended, and how.
"""

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import traceback
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from bmn import failpoints
from bmn.lifeline import die_with_parent
from tests.kit.processes import PATIENCE, wait_until

_ROOT = Path(__file__).parents[2]


@dataclass
class Child:
    """A process in a session of its own. ready: the file it makes when it serves; it holds the port, where it has one."""

    pid: int
    name: str
    log: Path
    ready: Path
    nursery: "Nursery" = field(repr=False)

    def wait_ready(self, seconds: float = 60) -> "Child":
        wait_until(lambda: self.is_ready or self.code is not None, seconds, f"{self.name} is ready")
        assert self.is_ready, f"{self.name} ended with {self.code}: {self.tail()}"
        return self

    @property
    def is_ready(self) -> bool:
        return self.ready.exists() and bool(self.ready.read_text())

    @property
    def port(self) -> int:
        return int(self.ready.read_text())

    @property
    def code(self) -> int | None:
        """How it ended: an exit code, or minus a signal; None while it lives."""
        return self.nursery.codes.get(self.pid)

    def signal(self, number: int) -> None:
        if self.code is None:
            with contextlib.suppress(ProcessLookupError):  # it has just ended, and the word of that is on its way
                os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL, and returns when it is gone."""
        self.signal(signal.SIGKILL)
        self.wait_end()

    def stop(self, seconds: float = 30) -> int:
        """SIGTERM; returns the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait_end(seconds)

    def wait_end(self, seconds: float = 30) -> int:
        wait_until(lambda: self.code is not None, seconds, f"{self.name} has ended\n{self.tail()}")
        assert self.code is not None
        return self.code

    def tail(self, size: int = 3000) -> str:
        return self.log.read_text(errors="replace")[-size:] if self.log.exists() else ""


class Nursery:
    """Starts the parent; one serves a whole session of tests. env: what its process has beside our own environment."""

    def __init__(self, **env: str) -> None:
        self.codes: dict[int, int] = {}
        self._born: dict[int, int] = {}
        self._number = 0
        self._lock = threading.Lock()
        command = [sys.executable, "-m", "tests.chaos.nursery", str(os.getpid())]
        self._parent = subprocess.Popen(
            command, cwd=_ROOT, env={**os.environ, **env}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._read, daemon=True).start()
        wait_until(lambda: 0 in self._born, what="the nursery is ready")

    def _read(self) -> None:
        assert self._parent.stdout
        for line in self._parent.stdout:
            word = json.loads(line)
            if "born" in word:
                self._born[word["born"]] = word["pid"]
            else:
                self.codes[word["ended"]] = word["code"]

    def fork(self, role: str, folder: Path, env: dict[str, str], **options: Any) -> Child:
        """role: `worker`, `api` or `sandbox`. env: the whole environment. options: what the role takes."""
        with self._lock:
            self._number += 1
            number = self._number
        name = f"{role}-{number}"
        log, ready = folder / f"{name}.log", folder / f"{name}.ready"
        order = {"number": number, "role": role, "env": env, "log": str(log), "ready": str(ready), "options": options}
        assert self._parent.stdin
        with self._lock:
            self._parent.stdin.write(json.dumps(order) + "\n")
            self._parent.stdin.flush()
        wait_until(lambda: number in self._born, 30, f"{name} is forked")
        return Child(self._born[number], name, log, ready, self)

    def close(self) -> None:
        assert self._parent.stdin
        self._parent.stdin.close()
        self._parent.wait(PATIENCE)


# --- the parent ------------------------------------------------------------------------------------------------------


def _preload() -> None:
    for module in ("bmn.jobs.isolated", "bmn.work.wiring", "bmn_sandbox.app", "bmn.server.app"):
        import_module(module)
    from bmn.jobs.executor import load_handler
    from bmn.work.registry import get_queue

    for queue in ("logo-generation", "image-upload"):
        load_handler(get_queue(queue))


def _serve(parent: int) -> None:
    die_with_parent(parent)
    _preload()
    _say(born=0, pid=os.getpid())
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
    rest = b""
    while True:
        if selector.select(0.01):
            piece = os.read(sys.stdin.fileno(), 1 << 20)
            if not piece:
                return
            *orders, rest = (rest + piece).split(b"\n")
            for order in orders:
                _fork(json.loads(order))
        _collect()


def _say(**word: Any) -> None:
    print(json.dumps(word), flush=True)


def _collect() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _say(ended=pid, code=os.waitstatus_to_exitcode(status))


def _fork(order: dict[str, Any]) -> None:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        _say(born=order["number"], pid=pid)
        return
    code = 1
    try:
        os.setsid()
        die_with_parent(parent)
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for target, source in ((0, nothing), (1, log), (2, log)):
            os.dup2(source, target)
        os.environ.clear()
        os.environ.update(order["env"])
        failpoints.arm()
        os.chdir(Path(order["log"]).parent)
        _ROLES[order["role"]](Path(order["ready"]), **order["options"])
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001, a child never returns into the parent's code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _worker(
    ready: Path, queue: str, slots: int | None = None, replaces: int | None = None, figures: Any = None, **limits: int
) -> None:
    import resource

    from bmn.jobs.process import run
    from bmn.settings import load_settings
    from bmn.work.wiring import open_core
    from tests.kit import handlers

    handlers.register(**(figures or {}))
    if file_size := limits.get("file_size"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
    run(open_core, load_settings(), [queue], slots=slots, replaces=replaces, ready=lambda: _made(ready, os.getpid()))


def _api(ready: Path) -> None:
    from bmn.server.app import run
    from bmn.settings import load_settings

    sock = socket.create_server(("127.0.0.1", 0))
    _made(ready, sock.getsockname()[1])
    run(load_settings(), sock)


def _sandbox(ready: Path, state: str, speed: float) -> None:
    import uvicorn

    from bmn_sandbox.app import create_app

    sock = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(Path(state), speed=speed), log_level="warning", timeout_graceful_shutdown=1)
    _made(ready, sock.getsockname()[1])
    uvicorn.Server(config).run([sock])


def _made(ready: Path, value: int) -> None:
    half = ready.with_suffix(".half")
    half.write_text(str(value))
    half.rename(ready)


_ROLES = {"worker": _worker, "api": _api, "sandbox": _sandbox}

if __name__ == "__main__":
    _serve(int(sys.argv[1]))
