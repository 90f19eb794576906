"""A receiver of webhooks that is down for ten minutes gets what it missed: each message once, when its next try is due."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from tests.kit.clock import WallClock
from tests.kit.processes import wait_until
from tests.kit.receiver import HookReceiver
from tests.kit.stack import Stack, User, start

pytestmark = pytest.mark.full

_JOBS = 3
_MINUTES = 60.0
_JITTER = 1.2  # by which a wait is longer at most
_WAITS = (5, 60, 300)  # until the second, third and fourth try, which are over within the ten minutes


@pytest.fixture
def clock(tmp_path: Path) -> WallClock:
    return WallClock(tmp_path / "clock", with_sqlite=True)


@pytest.fixture
def stack(tmp_path: Path, clock: WallClock) -> Iterator[Stack]:
    home = tmp_path / "home"
    home.mkdir()
    queues = ("--queues", "logo-generation,webhook-delivery", "--port", "0")
    running = start(home, *queues, env={**clock.env, "BMN_BACKOFF_SCALE": "1"})
    yield running
    running.stop()


@contextmanager
def _receiver(port: int, secret: str, file: Path, clock: WallClock) -> Iterator[None]:
    """A program of its own, whose clock goes as the server's does: a message that is older than minutes is refused."""
    paths = f"{clock.env['PYTHONPATH']}:{Path(__file__).parents[2]}"
    command = [sys.executable, "-m", "tests.kit.receiver", str(port), secret, str(file)]
    process = subprocess.Popen(command, env={**clock.env, "PYTHONPATH": paths})
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _log(user: User) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = user.json("webhooks", "deliveries")["deliveries"]
    return found


def _due(stack: Stack, delivery_jobs: list[str]) -> dict[str, float]:
    """When each is tried next, in seconds since 1970."""
    engine = create_engine(f"sqlite:///{stack.home / 'bmn.sqlite3'}")
    with engine.connect() as conn:
        rows = conn.execute(text("SELECT id, run_at FROM jobs")).all()
    engine.dispose()
    return {row.id: row.run_at for row in rows if row.id in delivery_jobs}


def test_what_was_missed_in_ten_minutes_comes_once_each_in_the_order_of_its_tries(
    stack: Stack, clock: WallClock, tmp_path: Path
) -> None:
    user, port, file = User(stack), HookReceiver().port, tmp_path / "taken"
    secret = user.json("webhooks", "add", f"http://127.0.0.1:{port}/hook", "--event", "job.completed")["key"]
    for number in range(_JOBS):
        user.json("generate", "logos", "--brand", f"Brand {number}", "--count", "1")
    ahead = 0.0
    for tries, wait in enumerate(_WAITS, start=1):
        wait_until(lambda tries=tries: [each["attempts"] for each in _log(user)] == [tries] * _JOBS)  # type: ignore[misc]
        ahead += wait * _JITTER + 1
        clock.set_ahead(ahead)
    wait_until(lambda: [each["attempts"] for each in _log(user)] == [4] * _JOBS)
    clock.set_ahead(10 * _MINUTES)
    with _receiver(port, secret, file, clock):
        due = _due(stack, [each["deliveryJobId"] for each in _log(user)])
        assert {each["state"] for each in _log(user)} == {"pending"} and not file.exists()
        for number, moment in enumerate(sorted(due.values()), start=1):
            clock.set_ahead(moment - time.time() + 0.1)
            wait_until(lambda number=number: file.exists() and file.read_text().count("\n") >= number)  # type: ignore[misc]
        wait_until(lambda: {each["state"] for each in _log(user)} == {"delivered"})
    log = {each["id"]: each for each in _log(user)}
    taken = [json.loads(line) for line in file.read_text().splitlines()]
    assert sorted(each for each, _ in taken) == sorted(log), "each once"
    assert {message["type"] for _, message in taken} == {"job.completed"}, "signed, and read as such"
    tried = [due[log[each]["deliveryJobId"]] for each, _ in taken]
    assert all(one < other + 1 for one, other in pairwise(tried)), tried
