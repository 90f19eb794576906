"""Runs the real `bmn` as people do: in a pipe, or on a pseudo-terminal of a given size whose screen can be read."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyte

from bmn.cli.base import BaseCommand, Context, Group
from tests.kit import warm
from tests.kit.processes import PATIENCE
from tests.kit.warm import Forked

BMN = str(Path(sys.executable).with_name("bmn"))
SNAPSHOTS = Path(__file__).parents[1] / "cli" / "snapshots"

_ENVIRONMENT_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "BMN_HOME", "NO_PROXY", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """What the command sees: little, and nothing of the terminal that the tests run in."""
    kept = {name: value for name, value in os.environ.items() if name in _ENVIRONMENT_KEPT or name.startswith("BMN_")}
    # No profile of whoever runs the tests is theirs.
    ours = {"LANG": "C.UTF-8", "TERM": "xterm-256color", "TZ": "UTC", "XDG_CONFIG_HOME": "/nowhere"}
    return {**ours, "BMN_ENV": "development", **kept, **(extra or {})}


@dataclass(frozen=True, slots=True)
class Output:
    code: int
    out: str
    err: str


def forked(*args: str, env: Mapping[str, str] | None = None, stdin: str = "") -> Output:
    """Runs it in files, from a process that is warm; see `tests.kit.warm`."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin.encode())
        given.seek(0)
        code = warm.fork(args, environment(env), (given.fileno(), out.fileno(), err.fileno())).wait()
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
        return Output(code, *texts)


def bmn(
    *args: str,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    timeout: float = PATIENCE,
    under: Sequence[str] = (),
) -> Output:
    """Runs it in pipes. under: a command that runs it."""
    command = [*under, BMN, *args]
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, env=environment(env), timeout=timeout, check=False
    )
    return Output(done.returncode, done.stdout, done.stderr)


class Terminal:
    """A running command on a pseudo-terminal. screen: what a person sees now; raw: every byte that was written."""

    def __init__(self, process: "subprocess.Popen[bytes] | Forked", master: int, columns: int, rows: int) -> None:
        self.process = process
        self.raw = b""
        self._master = master
        self._screen = pyte.HistoryScreen(columns, rows, history=2000)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def descriptor(self) -> int:
        """Our end of the terminal."""
        return self._master

    @property
    def text(self) -> str:
        """All lines that were ever shown and are still in the scroll-back, without blank ends."""
        above = ["".join(line[x].data for x in range(self._screen.columns)) for line in self._screen.history.top]
        lines = [line.rstrip() for line in [*above, *self._screen.display]]
        return "\n".join(lines).rstrip() + "\n"

    @property
    def display(self) -> list[str]:
        """The lines that a person sees now, from the top."""
        return [line.rstrip() for line in self._screen.display]

    def read(self, seconds: float = 0.05) -> bool:
        """Takes in what is there; False once the command has closed its end."""
        if not select.select([self._master], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return False
        self.raw += data
        # pyte does not know graphics and hyperlinks; a terminal would not show them as text either.
        self._stream.feed(re.sub(rb"\x1b(_G|\]1337;|\]8;|P)[^\x07\x1b]*(\x07|\x1b\\)", b"", data))
        return bool(data)

    def wait_for(self, wanted: str | Callable[[str], bool], seconds: float = PATIENCE) -> None:
        """Reads until the text shows what is wanted."""
        found = wanted if callable(wanted) else lambda text: wanted in text
        end = time.monotonic() + seconds
        while not found(self.text):
            if time.monotonic() > end or not self.read():
                raise AssertionError(f"never saw {wanted!r}; the screen:\n{self.text}")

    def resize(self, columns: int, rows: int) -> None:
        _set_size(self._master, columns, rows)
        self._screen.resize(rows, columns)
        self.process.send_signal(signal.SIGWINCH)

    def press_ctrl_c(self) -> None:
        os.write(self._master, b"\x03")

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def end(self, seconds: float = PATIENCE) -> int:
        """Reads to the end; answers with the exit code."""
        deadline = time.monotonic() + seconds
        while self.read():
            if time.monotonic() > deadline:
                raise AssertionError(f"still running; the screen:\n{self.text}")
        return self.process.wait(PATIENCE)


def _set_size(descriptor: int, columns: int, rows: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


@contextmanager
def on_terminal(
    *args: str,
    columns: int = 80,
    rows: int = 40,
    env: Mapping[str, str] | None = None,
    fork: bool = False,
    program: str = BMN,
) -> Iterator[Terminal]:
    """`bmn ARGS` on a terminal of its own; killed at the end if it still runs. fork: from a process that is warm.

    program: another one to run there.
    """
    master, slave = pty.openpty()
    _set_size(slave, columns, rows)
    variables = environment(env)
    variables.pop("COLUMNS", None)
    process = (
        warm.fork(args, variables, (slave, slave, slave)) if fork else _started([program, *args], variables, slave)
    )
    os.close(slave)
    try:
        yield Terminal(process, master, columns, rows)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait(PATIENCE)
        os.close(master)


def _started(command: Sequence[str], variables: Mapping[str, str], slave: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=variables,
        close_fds=True,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )


def seen_at(columns: int, *args: str, env: Mapping[str, str] | None = None, fork: bool = False) -> tuple[int, str]:
    """Exit code and whole text of a command on a terminal so wide."""
    with on_terminal(*args, columns=columns, env=env, fork=fork) as terminal:
        code = terminal.end()
        return code, terminal.text


_CHANGING: Sequence[tuple[str, str]] = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[45][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", "<uuid>"),
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", "<time>"),
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "<time>"),
    (r"http://127\.0\.0\.1:\d+", "<server>"),
    (r"\?until=\d+&signature=[\w=-]+", "?<signature>"),
    (r"ticket=[\w-]+", "ticket=<ticket>"),
    (r"\brequest [0-9a-f]{32}", "request <id>"),
)


def stable(text: str, names: Mapping[str, str] | None = None) -> str:
    """The text without what differs from run to run. names: further strings and what they become."""
    for string, name in (names or {}).items():
        text = text.replace(string, name)
    for pattern, name in _CHANGING:
        text = re.sub(pattern, name, text)
    return text


def check_snapshot(name: str, text: str) -> None:
    """Compares with the recorded output; BMN_UPDATE_SNAPSHOTS=1 records it again."""
    assert "bmn has a defect" not in text, text  # not even where screens are recorded again
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("BMN_UPDATE_SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert path.exists(), f"no snapshot {name}; record it with BMN_UPDATE_SNAPSHOTS=1"
    assert text == path.read_text()


def commands(command: BaseCommand, *words: str) -> Iterator[tuple[str, BaseCommand]]:
    """Every command below one, with the words that call it."""
    yield " ".join(words) or "bmn", command
    if isinstance(command, Group):
        context = Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, *words, name)
