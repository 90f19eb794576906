"""Child processes: forked from one preloaded parent, started again when they die, stopped in order.

The parent runs no thread and no event loop, so that forking is safe and the children share what it has imported. A child
never outlives the parent, also when that one is killed.
"""

import contextlib
import logging
import os
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import NoReturn

from setproctitle import setproctitle

from bmn.errors import BmnError
from bmn.lifeline import die_with_parent
from bmn.logs import get_logger

_log = get_logger(__name__)

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_PROVEN = 30.0  # who lived for so long begins again with the first pause
_HURRIED_GRACE = 3.0
_PARENT_POLL = 0.5
_LINES = 4096  # bytes that a pipe takes in one piece
_READY = "ready"


@dataclass(frozen=True, slots=True)
class Start:
    """What a child is told, and how it reports.

    ready: to be called once it does its work. replaces: process id of its dead predecessor; None for the first.
    tell: sends a short line to whoever keeps it.
    """

    ready: Callable[[], None]
    replaces: int | None
    tell: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Child:
    """One process to be kept running. target: runs in the child; when it returns, the process ends.

    restart: False means that an end of its own (no signal) is final. stop_order: lower numbers are stopped first.
    grace: seconds between SIGTERM and SIGKILL. final: an exit code that means it is not to be started again.
    """

    name: str
    target: Callable[[Start], None]
    restart: bool = True
    stop_order: int = 0
    grace: float = 10.0
    final: int | None = None


@dataclass(slots=True)
class _Process:
    """A child's process, present or to come. pid 0: none at the moment."""

    child: Child
    pid: int = 0
    since: float = 0.0
    pipe: int = -1
    ready: bool = False
    dead: int | None = None
    quick_deaths: int = 0
    due: float | None = None
    retired: bool = False


def _nothing() -> None: ...


@dataclass(slots=True)
class Hooks:
    """What the owner of a supervisor wants to hear of. They run in the parent and should be quick.

    ready: all children have reported for the first time; it may start more of them. awaited: until then, the names of those
    that have not, whenever there are other ones. waiting: names of those still
    stopping, seconds left, once a second. stopped: all of a stop order have ended. told: a line that a child has sent.
    """

    ready: Callable[[], None] = _nothing
    awaited: Callable[[list[str]], None] = lambda _names: None
    waiting: Callable[[list[str], float], None] = lambda _names, _left: None
    stopped: Callable[[int], None] = lambda _order: None
    told: Callable[[str], None] = lambda _line: None


@dataclass(slots=True)
class Supervisor:
    """`start` children, then `run`. Signals are taken from its making on, so a stop during the start is not lost."""

    title: str = "bmn"
    hooks: Hooks = field(default_factory=Hooks)
    _processes: dict[str, _Process] = field(default_factory=dict)
    _selector: selectors.DefaultSelector = field(default_factory=selectors.DefaultSelector)
    _wakeup: tuple[socket.socket, socket.socket] = field(default_factory=socket.socketpair)
    _stops: int = 0  # how often a stop was asked for
    _all_ready: bool = False
    _awaited: list[str] = field(default_factory=list)
    _code: int = 0
    _lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for end in self._wakeup:
            end.setblocking(False)
        self._selector.register(self._wakeup[0], selectors.EVENT_READ)
        signal.set_wakeup_fd(self._wakeup[1].fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        for number in _STOP_SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                signal.signal(number, self._note_stop)

    def _note_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stops += 1

    @property
    def stopping(self) -> bool:
        """Whether it has been told to stop."""
        return self._stops > 0

    def alive(self, name: str) -> bool:
        """Whether the child's process runs right now."""
        self._reap()
        return self._processes[name].pid > 0

    def start(self, child: Child) -> None:
        """Forks the child at once."""
        self._processes[child.name] = process = _Process(child)
        self._fork(process)

    def keeps(self, name: str) -> bool:
        """Whether a child of this name runs, or will again."""
        self._reap()
        process = self._processes.get(name)
        return process is not None and not process.retired and (process.pid > 0 or process.due is not None)

    def retire(self, name: str) -> None:
        """Lets a child finish and starts no other in its place."""
        process = self._processes[name]
        process.retired, process.due = True, None
        self._send(process, signal.SIGTERM)

    def run(self) -> int:
        """Keeps the children running until a signal says stop, or until all that may end have ended.

        Returns the exit code: 0, or that of a child that failed before all were ready or that may not be restarted.
        """
        while not self.stopping:
            self._reap()
            self._note_ready()
            self._pass_on()
            self._start_due()
            if self._code and not self._all_ready:
                break
            if all(process.pid == 0 and process.due is None for process in self._processes.values()):
                break
            self._wait(self._next_due())
        self.stop()
        return self._code

    def stop(self) -> None:
        """Stops what runs, group by group. A second signal shortens the grace, a third ends it."""
        self._stops = max(self._stops, 1)
        for process in self._processes.values():
            process.due = None
        for order in sorted({process.child.stop_order for process in self._processes.values()}):
            self._stop_group([p for p in self._processes.values() if p.child.stop_order == order])
            self.hooks.stopped(order)

    # --- starting ---------------------------------------------------------------------------------------------------

    def _fork(self, process: _Process) -> None:
        reader, writer = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        # A signal that reaches the child before it has let go of our handlers would be told to the parent.
        previous = signal.pthread_sigmask(signal.SIG_BLOCK, {*_STOP_SIGNALS, signal.SIGCHLD})
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            self._become(process, writer, parent, previous)
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)
        os.close(writer)
        os.set_blocking(reader, False)
        self._selector.register(reader, selectors.EVENT_READ, process)
        process.pid, process.pipe, process.since, process.due = pid, reader, time.monotonic(), None
        process.ready = False
        _log.debug("process started", child=process.child.name, pid=pid)

    def _become(self, process: _Process, writer: int, parent: int, mask: set[int | signal.Signals]) -> NoReturn:
        """The rest of the child's life. Leaves by `os._exit`, so that nothing of the parent's runs a second time."""
        code, child = 1, process.child
        try:
            self._let_go(mask)
            if not die_with_parent(parent):
                threading.Thread(target=_watch_parent, args=(parent,), daemon=True).start()
            setproctitle(f"{self.title} {child.name}")

            child.target(Start(_reporter(writer), process.dead, _teller(writer)))
            code = 0
        except SystemExit as leave:
            code = leave.code if isinstance(leave.code, int) else int(leave.code is not None)
        except BmnError as error:
            _log.error(error.message, child=child.name, hint=error.hint)
            code = error.exit_code
        except BaseException:  # noqa: BLE001 - the last line of defence of a process; told in full
            _log.exception("process failed", child=child.name)
        finally:
            logging.shutdown()
            sys.stdout.flush()
            os._exit(code)

    def _let_go(self, mask: set[int | signal.Signals]) -> None:
        """Gives up what belongs to the parent, and leaves its group, so that Ctrl-C reaches the parent alone."""
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for number in (*_STOP_SIGNALS, signal.SIGCHLD):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
        self._selector.close()
        for end in self._wakeup:
            end.close()
        for other in self._processes.values():
            if other.pid and other.pipe >= 0:
                os.close(other.pipe)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _start_due(self) -> None:
        now = time.monotonic()
        for process in self._processes.values():
            if process.due is not None and process.due <= now:
                self._fork(process)

    # --- watching ---------------------------------------------------------------------------------------------------

    def _next_due(self) -> float | None:
        """Seconds until something has to be done without being woken; None: nothing has."""
        dues = [process.due for process in self._processes.values() if process.due is not None]
        return max(0.0, min(dues) - time.monotonic()) if dues else None

    def _wait(self, seconds: float | None) -> None:
        """Sleeps until a signal, a report, or the time has come."""
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                self._wakeup[0].recv(4096)
            else:
                self._hear(key.data)

    def _hear(self, process: _Process) -> None:
        """A child reports with a line `ready`, once, and may send others. The pipe ends with it."""
        said = b""
        with contextlib.suppress(BlockingIOError):  # it has ended, and a child of its own holds the other end
            said = os.read(process.pipe, _LINES)
        if not said:
            self._close_pipe(process)
        for line in said.decode(errors="replace").split("\n"):
            if line == _READY:
                process.ready = True
            elif line:
                self._lines.append(line)

    def _note_ready(self) -> None:
        if self._all_ready or self.stopping:
            return
        awaited = [process.child.name for process in self._processes.values() if not process.ready]
        if not awaited:
            self._all_ready = True
            self.hooks.ready()
        elif awaited != self._awaited:
            self._awaited = awaited
            self.hooks.awaited(awaited)

    def _pass_on(self) -> None:
        """What children have said: not while they are looked at, since it may start others."""
        lines, self._lines = self._lines, []
        for line in lines:
            self.hooks.told(line)

    def _close_pipe(self, process: _Process) -> None:
        if process.pipe >= 0:
            self._selector.unregister(process.pipe)
            os.close(process.pipe)
            process.pipe = -1

    def _reap(self) -> None:
        for process in [*self._processes.values()]:  # once all are ready, more may be started
            if process.pid:
                pid, status = os.waitpid(process.pid, os.WNOHANG)
                if pid:
                    self._ended(process, os.waitstatus_to_exitcode(status))

    def _ended(self, process: _Process, code: int) -> None:
        """Notes an end, and when to start again. code: below zero, the signal that killed it."""
        if process.pipe >= 0:
            self._hear(process)
            self._note_ready()  # it may have been the last one awaited, and has died since
        self._close_pipe(process)
        process.dead, process.pid = process.pid, 0
        if self.stopping:
            return
        name = process.child.name
        if process.retired or (code == process.child.final and self._all_ready):
            process.retired = True
            _log.info("process ended for good, as ordered", child=name, pid=process.dead)
            return
        if code > 0 and not (self._all_ready and process.child.restart):
            self._code = code
        elif code < 0 or process.child.restart:
            lived = time.monotonic() - process.since
            process.quick_deaths = 0 if lived >= _PROVEN else process.quick_deaths + 1
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** max(0, process.quick_deaths - 1))
            process.due = time.monotonic() + pause
            _log.warning("process ended, starts again", child=name, pid=process.dead, **_how(code), in_s=pause)
            return
        _log.log(logging.ERROR if code else logging.DEBUG, "process ended", child=name, pid=process.dead, **_how(code))

    # --- stopping ---------------------------------------------------------------------------------------------------

    def _stop_group(self, group: list[_Process]) -> None:
        began, seen = time.monotonic(), self._stops
        for process in group:
            self._send(process, signal.SIGTERM)
        while True:
            self._reap()
            alive = [process for process in group if process.pid]
            if not alive:
                return
            now = time.monotonic()
            left = {p.child.name: began + self._grace(p.child) - now for p in alive}
            for process in alive:
                if left[process.child.name] <= 0:
                    _log.warning("process killed, its grace is over", child=process.child.name, pid=process.pid)
                    self._send(process, signal.SIGKILL)
                elif self._stops > seen:
                    self._send(process, signal.SIGTERM)
            if self._stops > seen:
                seen, began = self._stops, now
            if (longest := max(left.values())) > 0 and now - began >= 1:
                self.hooks.waiting([process.child.name for process in alive], longest)
            self._wait(min(1.0, max(0.02, min(left.values()))))

    def _grace(self, child: Child) -> float:
        return (child.grace, min(child.grace, _HURRIED_GRACE), 0.0)[min(self._stops, 3) - 1]

    def _send(self, process: _Process, number: signal.Signals) -> None:
        if process.pid:
            os.kill(process.pid, number)


def _reporter(writer: int) -> Callable[[], None]:
    reported = False

    def ready() -> None:
        nonlocal reported
        if not reported:
            reported = True
            _teller(writer)(_READY)

    return ready


def _teller(writer: int) -> Callable[[str], None]:
    """Each line is one write, short enough to arrive whole; nobody may be there any more to read it."""

    def tell(line: str) -> None:
        with contextlib.suppress(OSError):
            os.write(writer, f"{line}\n".encode()[:_LINES])

    return tell


def _how(code: int) -> dict[str, str | int]:
    return {"signal": signal.Signals(-code).name} if code < 0 else {"code": code}


def _watch_parent(parent: int) -> None:
    """Where the kernel does not kill orphans."""
    while os.getppid() == parent:
        time.sleep(_PARENT_POLL)
    os.kill(os.getpid(), signal.SIGKILL)
