"""BMN_HOME at run time: who runs the stack in it, at which addresses, and which port it listens on."""

import contextlib
import errno
import fcntl
import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bmn.errors import Conflict, Misconfigured, NotAllowed
from bmn.settings import Settings
from bmn.settings.running import LOCK_FILE, holder

_LOCK_SECONDS = 0.5  # who only asks whether the lock is held has it for a moment
# What `--reset` removes. The signing secret stays, so that tokens handed out before go on working.
_DATA = (
    "bmn.sqlite3",
    "bmn.sqlite3-wal",
    "bmn.sqlite3-shm",
    "bmn.sqlite3.lock",
    "objects",
    "redis",
    "sandbox",
    "spool",
)


@contextlib.contextmanager
def home_lock(settings: Settings, purpose: str) -> Iterator[None]:
    """Holds the home for this process and its children: one home, one stack.

    purpose: what runs it, in words for whoever comes second. Raises Conflict where somebody else holds it.
    """
    home = settings.bmn_home
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(home / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Misconfigured(
            f"BMN_HOME cannot be written: {home} ({error.strerror})",
            hint="Set BMN_HOME to a folder that you can write to.",
        ) from error
    before = os.umask(0o077)  # what this stack writes is its owner's alone, also in a folder that others may enter
    try:
        if not _take(descriptor):
            raise _home_busy(settings)
        note = json.dumps({"pid": os.getpid(), "purpose": purpose, "since": time.time()}).encode()
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, note, 0)
        settings.state_file.unlink(missing_ok=True)  # left by a stack that was killed
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.umask(before)
        os.close(descriptor)


def _take(descriptor: int) -> bool:
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        else:
            return True


def _home_busy(settings: Settings) -> Conflict:
    held_by = holder(settings.bmn_home)
    address = settings.running.api_url
    who = f"`{held_by.purpose}` (process {held_by.pid})"
    return Conflict(
        f"{who} already runs in {settings.bmn_home}" + (f" and answers at {address}." if address else "."),
        hint="Use that one, stop it, add another server to it with `bmn serve --no-workers --port N`, "
        "or name another BMN_HOME.",
    )


@contextlib.contextmanager
def published(settings: Settings, addresses: dict[str, str]) -> Iterator[None]:
    """Tells other commands where this stack answers, while it runs. The file is whole or not there."""
    handle, name = tempfile.mkstemp(dir=settings.bmn_home, prefix=".serve.")  # mode 0600: a URL may hold a password
    with os.fdopen(handle, "w") as file:
        json.dump({**addresses, "pid": os.getpid()}, file)
    Path(name).replace(settings.state_file)
    try:
        yield
    finally:
        settings.state_file.unlink(missing_ok=True)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. port 0: any free one. Raises Conflict where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        # "Any address" is one of both kinds; left to the library, :: would be reached by IPv6 alone.
        both = host == "::" and socket.has_dualstack_ipv6()
        listener = socket.create_server((host, port), family=family, backlog=2048, dualstack_ipv6=both)
        # Connections inherit it. Without it an answer in two parts waits 40 ms for the client's acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Conflict(
                f"Port {port} on {host} is taken by another program.",
                hint=f"Stop that program, or choose another port: bmn serve --port {port + 1 if port < 65535 else 0}",
            ) from error
        if error.errno == errno.EACCES:
            raise NotAllowed(
                f"Port {port} may not be opened by this user.", hint="Choose one above 1023: bmn serve --port 3000"
            ) from error
        raise Misconfigured(
            f"Cannot listen on {host}: {error.strerror or error}", hint="BMN_HOST is an address of this machine."
        ) from error


def data_in(settings: Settings) -> list[Path]:
    """What a reset would remove, as far as it is there."""
    return [path for name in _DATA if (path := settings.bmn_home / name).exists()]


def remove_data(settings: Settings) -> None:
    """Empties the home. Only for who holds its lock."""
    for path in data_in(settings):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
