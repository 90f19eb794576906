"""The whole story on one's own terminal: serve, generate, detach, watch, cancel, fail, why, replay, and the end of it."""

import os
import re
import signal
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.kit.processes import PATIENCE, gone, wait_until
from tests.kit.terminal import Terminal, forked, on_terminal

_SERVE = ("serve", "--port", "0", "--queues", "logo-generation", "--sandbox-speed", "0.1", "--grace", "20")


class Typist:
    """Somebody with two windows: one in which `bmn serve` runs, one to type in. Nobody is signed in; the home does it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.env: Mapping[str, str] = {"BMN_HOME": str(home), "BMN_BACKOFF_SCALE": "0.02", "BMN_LOG_FORMAT": "console"}

    def window(self, *args: str, columns: int = 100) -> Any:
        return on_terminal(*args, columns=columns, env=self.env)

    def types(self, *args: str, code: int = 0) -> str:
        """A command that ends by itself; answers with all that the terminal showed."""
        with self.window(*args) as terminal:
            ended = terminal.end()
            assert ended == code, f"exit code {ended}\n{terminal.text}"
            return terminal.text

    def state(self, job: str) -> str:
        with closing(sqlite3.connect(self.home / "bmn.sqlite3", timeout=PATIENCE)) as conn:
            return str(conn.execute("SELECT state FROM jobs WHERE id LIKE ?", (f"%-{job}%",)).fetchone()[0])


@pytest.fixture
def person(home: Path) -> Typist:
    return Typist(home)


@pytest.fixture
def server(person: Typist) -> Iterator[Terminal]:
    with person.window(*_SERVE) as window:
        window.wait_for("Next ")
        yield window


def _below(terminal: Terminal) -> list[int]:
    return [child.pid for child in psutil.Process(terminal.process.pid).children(recursive=True)]


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, f"no {pattern!r} in:\n{text}"
    return match[1]


def test_the_whole_story(person: Typist, server: Terminal) -> None:
    assert "everything is local, no keys needed" in server.text

    # Asked for, left with Ctrl-C: the job goes on, and the terminal says how to come back.
    person.types("sandbox", "fail", "bfl", "--op", "poll", "--pending")
    with person.window("generate", "logos", "--brand", "Acme Coffee", "--count", "2") as making:
        making.wait_for("━")
        making.press_ctrl_c()
        assert making.end() == 130
        job = _found(r"detached; the job continues: bmn jobs watch ([0-9a-f]{8})", making.text)
    assert person.state(job) == "active"

    # Come back to, seen to its end.
    with person.window("jobs", "watch", job) as watching:
        watching.wait_for("%")
        person.types("sandbox", "clear")
        assert watching.end() == 0, watching.text
        assert "✓ completed  2 logos for Acme Coffee" in watching.text

    # Another one, stopped: nothing was delivered, nothing is charged.
    person.types("sandbox", "fail", "bfl", "--op", "poll", "--pending")
    with person.window("generate", "logos", "--brand", "Acme Coffee", "--count", "1") as making:
        making.wait_for("━")
        said = person.types("jobs", "cancel", "last", "--yes")
        assert "Cancelled." in said
        assert making.end() == 8, making.text
    person.types("sandbox", "clear")

    # One that fails, explained, and brought back with the command that the explanation names.
    person.types("sandbox", "fail", "bfl", "--status", "503")
    told = person.types("generate", "logos", "--brand", "Acme Coffee", "--count", "1", code=1)
    assert _found(r"(✗ failed)  logo-generation", told)
    why = person.types("jobs", "why", "last:failed")
    assert "provider_overloaded" in why
    assert "charged 0, refunded 1" in why
    assert "bmn jobs retry" in why
    person.types("sandbox", "clear")
    dead = person.types("jobs", "dlq", "list")
    letter = _found(r"bmn jobs dlq replay ([0-9a-f]{8})", dead)
    replayed = person.types("jobs", "dlq", "replay", letter)
    again = _found(r"bmn jobs watch ([0-9a-f]{8})", replayed)
    assert "✓ completed  1 logo for Acme Coffee" in person.types("jobs", "watch", again)
    assert "No dead letters." in person.types("jobs", "dlq", "list")

    # The end: one Ctrl-C stops everything in order.
    below = _below(server)
    server.press_ctrl_c()
    assert server.end() == 0, server.text
    order = [server.text.index(word) for word in ("workers closed", "sockets closed", "sandbox closed", "Redis closed")]
    assert order == sorted(order)
    assert all(gone(pid) for pid in below)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_waits_for_the_running_job_and_the_second_does_not(
    person: Typist, server: Terminal, number: signal.Signals
) -> None:
    person.types("sandbox", "fail", "bfl", "--hang")
    said = person.types("generate", "logos", "--brand", "Acme", "--count", "1", "--detach")
    job = _found(r"logo-generation-([0-9a-f]{8})", said)
    wait_until(lambda: person.state(job) == "active")
    below = _below(server)
    os.kill(server.process.pid, number)
    server.wait_for("the next Ctrl-C hurries")
    assert person.state(job) == "active"
    os.kill(server.process.pid, number)
    server.end(10)
    assert all(gone(pid) for pid in below)
    assert person.state(job) in ("queued", "active")  # handed on, or found by the next start; never lost

    # The next start goes on with it.
    with person.window(*_SERVE) as second:
        second.wait_for("Next ")
        assert "✓ completed" in person.types("jobs", "watch", job)


def test_a_job_waits_for_nobody_to_press_a_key(person: Typist, server: Terminal) -> None:
    """The first Ctrl-C alone: the running job gets its time and ends before the server does."""
    person.types("sandbox", "fail", "bfl", "--op", "poll", "--latency", "1s", "--times", "1")
    said = person.types("generate", "logos", "--brand", "Acme", "--count", "1", "--detach")
    job = _found(r"logo-generation-([0-9a-f]{8})", said)
    wait_until(lambda: person.state(job) == "active")
    server.press_ctrl_c()
    assert server.end() == 0
    assert person.state(job) == "completed"
    assert forked("jobs", "list", env={**person.env, "PORT": "1"}).code == 69
