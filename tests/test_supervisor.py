import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from bmn.errors import Misconfigured
from tests.kit.processes import PATIENCE, gone, wait_until


class Program:
    """A running `tests.supervised`, and everything that its processes have said so far."""

    def __init__(self, scenario: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.supervised", scenario], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.said: list[dict[str, Any]] = []
        self.log = b""
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._listen, self._listen_log)]
        for reader in self._readers:
            reader.start()

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    def _listen_log(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.log += line

    def all(self, event: str, **fields: Any) -> list[dict[str, Any]]:
        wanted = {"event": event, **fields}
        return [said for said in list(self.said) if wanted.items() <= said.items()]

    def wait_for(self, event: str, count: int = 1, **fields: Any) -> dict[str, Any]:
        wait_until(lambda: len(self.all(event, **fields)) >= count, what=f"{event} {fields}, said: {self.said}")
        return self.all(event, **fields)[count - 1]

    def pid_of(self, name: str) -> int:
        return int(self.wait_for("started", name=name)["pid"])

    def wait(self) -> int:
        code = self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    def events(self) -> list[tuple[Any, ...]]:
        return [(said["event"], said.get("name", said.get("order"))) for said in self.said]


@pytest.fixture
def run() -> Iterator[Callable[[str], Program]]:
    programs: list[Program] = []

    def start(scenario: str) -> Program:
        programs.append(Program(scenario))
        return programs[-1]

    yield start
    for program in programs:
        program.process.kill()
        program.wait()


Run = Callable[[str], Program]


def test_a_killed_child_is_replaced_and_its_successor_learns_whom_it_replaces(run: Run) -> None:
    program = run("two")
    program.wait_for("ready")
    victim, other = program.pid_of("a"), program.pid_of("b")
    os.kill(victim, signal.SIGKILL)
    successor = program.wait_for("started", 2, name="a")
    assert successor["replaces"] == victim
    assert not gone(other)
    assert len(program.all("ready")) == 1


def test_a_killed_supervisor_leaves_no_child_behind(run: Run) -> None:
    program = run("ordered")
    program.wait_for("ready")
    children = [program.pid_of(name) for name in ("queue", "api", "worker 1", "worker 2")]
    program.process.kill()
    wait_until(lambda: all(gone(pid) for pid in children))
    assert not program.all("stopped")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_goes_group_by_group(run: Run, number: signal.Signals) -> None:
    program = run("ordered")
    program.wait_for("ready")
    program.process.send_signal(number)
    assert program.wait() == 0
    told = [event for event in program.events() if event[0] not in ("started", "ready", "waiting")]
    assert sorted(told[:2]) == [("stopped", "worker 1"), ("stopped", "worker 2")]
    assert told[2:] == [
        ("group stopped", 1),
        ("stopped", "api"),
        ("group stopped", 2),
        ("stopped", "queue"),
        ("group stopped", 3),
        ("exit", None),
    ]


def test_ctrl_c_in_a_terminal_reaches_the_supervisor_alone(run: Run) -> None:
    program = run("two")
    program.wait_for("ready")
    assert {os.getpgid(program.pid_of(name)) for name in "ab"} == {program.pid_of(name) for name in "ab"}


def test_a_stop_during_the_start_is_not_lost(run: Run) -> None:
    program = run("ordered")
    program.wait_for("started", name="queue")
    program.process.terminate()
    assert program.wait() == 0
    assert all(gone(said["pid"]) for said in program.all("started"))


def test_who_does_not_stop_within_its_grace_is_killed(run: Run) -> None:
    program = run("impatient")
    program.wait_for("ready")
    program.process.terminate()
    assert program.wait() == 0
    assert program.all("ignored")
    assert gone(program.pid_of("stubborn"))
    assert b"its grace is over" in program.log


def test_while_it_waits_it_tells_for_whom_and_how_long(run: Run) -> None:
    program = run("stubborn")
    program.wait_for("ready")
    program.process.terminate()
    waiting = program.wait_for("waiting")
    assert waiting["names"] == ["stubborn"]
    assert 0 < waiting["left"] < 3600


def test_a_second_signal_hurries_and_a_third_ends_it(run: Run) -> None:
    program = run("stubborn")
    program.wait_for("ready")
    program.process.terminate()
    program.wait_for("ignored")
    program.process.terminate()
    program.wait_for("ignored", 2)
    program.process.terminate()
    assert program.wait() == 0, "long before its grace is over"
    assert program.all("stopped", name="queue") or gone(program.pid_of("queue"))


def test_a_second_signal_alone_cuts_its_grace_short(run: Run) -> None:
    program = run("stubborn")
    program.wait_for("ready")
    program.process.terminate()
    program.wait_for("ignored")
    program.process.terminate()
    assert program.wait() == 0, "long before its grace is over"
    assert program.all("stopped", name="queue")


def test_a_frozen_child_does_not_hold_up_the_stop(run: Run) -> None:
    program = run("impatient")
    program.wait_for("ready")
    os.kill(program.pid_of("stubborn"), signal.SIGSTOP)
    program.process.terminate()
    assert program.wait() == 0


def test_a_run_that_drains_ends_when_its_children_have(run: Run) -> None:
    program = run("burst")
    assert program.wait() == 0
    assert program.all("ready")
    assert len(program.all("started")) == 2


def test_a_run_that_drains_tells_a_failure_by_its_code(run: Run) -> None:
    program = run("burst broken")
    assert program.wait() == Misconfigured.exit_code
    assert b"REDIS_URL cannot be used" in program.log


def test_a_child_that_cannot_start_stops_the_others_and_says_why(run: Run) -> None:
    program = run("failed start")
    assert program.wait() == Misconfigured.exit_code
    assert b"REDIS_URL cannot be used" in program.log
    assert not program.all("ready")
    assert all(gone(said["pid"]) for said in program.all("started"))


def test_a_child_that_keeps_dying_is_started_less_and_less_often(run: Run) -> None:
    program = run("crashing")
    program.wait_for("started", 4)
    times = [said["at"] for said in program.all("started")]
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert pauses[0] >= 0.1 and pauses[1] >= 0.2 and pauses[2] >= 0.4
    assert b"ZeroDivisionError" in program.log


def test_titles_name_what_a_process_does(run: Run) -> None:
    program = run("ordered")
    program.wait_for("ready")
    assert psutil.Process(program.pid_of("worker 1")).cmdline()[0] == "bmn-test worker 1"
