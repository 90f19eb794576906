"""A bulk action at the size of a bad night: `python -m bench.bulk --jobs 5000 --users 400`.

Failed logo jobs are written straight into the database of a real `bmn serve`, some users have no credits left, some dead
letters were given up. Two admins type the same `bmn jobs retry --everyone --state failed`, the server is killed in the
middle and started again. Then it is counted what was brought back and how often, who was refused and why, and whether
the books and the sandbox's bill add up for what has run by then.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import Connection, select

from bmn.db import claims, dead_letters, transitions
from bmn.db.accounts import credit_store
from bmn.db.engine import make_engine
from bmn.db.library import brand_store
from bmn.db.records import LetterState, NewJob
from bmn.db.tables import jobs
from bmn.errors import Cause
from bmn.identity.development import mint_development_token
from bmn.jobs.submission import store_jobs
from bmn.lifeline import lifeline
from bmn.settings import Settings
from bmn.work.registry import get_queue
from tests.kit import checker

_QUEUE = get_queue("logo-generation")
_IDLE_SECONDS = 60.0
_LIFTED = {"BMN_REQUESTS_PER_MINUTE": "0", "BMN_GENERATIONS_PER_MINUTE": "0", "BMN_LOG_LEVEL": "warning"}
_PAYLOAD = {"brandName": "Acme", "logoStyle": "modern", "colorPalette": ["#112233"], "brandVision": "plain", "count": 1}


@dataclass(frozen=True, slots=True)
class Night:
    """jobs: failed ones. poor: users without a credit. given_up: dead letters that somebody has purged."""

    jobs: int
    users: int
    poor: int
    given_up: int

    @property
    def refused(self) -> int:
        """How many have to be refused."""
        return sum(self.of_user(number) for number in range(self.poor)) + self.given_up

    def of_user(self, number: int) -> int:
        """How many failed jobs a user has."""
        return self.jobs // self.users + (number < self.jobs % self.users)


def fill(conn: Connection, night: Night) -> None:
    """Writes the failed jobs, each paid for and refunded as its books say."""
    users = [str(uuid4()) for _ in range(night.users)]
    for number, user_id in enumerate(users):
        each = night.of_user(number)
        credit_store.ensure_user(conn, user_id, f"{user_id[:8]}@example.org", 2 * each)
        brand = brand_store.create(conn, user_id, {"name": "Acme"})
        payload = {**_PAYLOAD, "userId": user_id, "brandId": brand.id}
        store_jobs(conn, user_id, [_job(user_id, brand.id, payload) for _ in range(each)])
    for held in claims.claim(conn, _QUEUE.name, night.jobs, "bench", 60):
        transitions.fail(conn, held, Cause.PROVIDER_TIMEOUT, "It was too slow.")
    for number, user_id in enumerate(users[: night.poor]):
        each = night.of_user(number)
        later = _job(user_id, str(uuid4()), {**_PAYLOAD, "userId": user_id, "brandId": str(uuid4())})
        later = replace(later, credits=2 * each, unit_credits=2 * each, delay=86_400.0)
        store_jobs(conn, user_id, [later])
    rich = select(jobs.c.id).where(jobs.c.user_id.in_(users[night.poor : night.poor + night.given_up]))
    given_up = random.Random(1).sample(list(conn.execute(rich).scalars()), night.given_up)
    for job_id in given_up:
        dead_letters.take(conn, job_id, state=LetterState.PURGED, by="somebody")


def _job(user_id: str, brand_id: str, payload: dict[str, Any]) -> NewJob:
    return NewJob(
        id=_QUEUE.new_id(),
        queue=_QUEUE.name,
        payload=payload,
        payload_version=1,
        max_attempts=3,
        priority=1,
        user_id=user_id,
        brand_id=brand_id,
        credits=1,
        unit_credits=1,
    )


def _on(home: Path, fn: Any) -> Any:
    engine = make_engine(f"sqlite:///{home / 'bmn.sqlite3'}", writer=True)
    with engine.begin() as conn:
        found = fn(conn)
    engine.dispose()
    return found


def _serve(environment: dict[str, str], home: Path, port: int) -> tuple["subprocess.Popen[str]", str]:
    """A server, and the address of its sandbox."""
    command = [sys.executable, "-m", "bmn", "serve", "--json", "--port", str(port), "--sandbox-speed", "0.01"]
    log = (home / "serve.log").open("ab")
    process = subprocess.Popen(lifeline(command), env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.rstrip().endswith("}"):
        raise SystemExit(line + (home / "serve.log").read_text()[-2000:])
    return process, str(json.loads(line)["sandboxUrl"])


def _bmn(environment: dict[str, str], *args: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "bmn", *args]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _newest(environment: dict[str, str]) -> dict[str, Any]:
    out, _ = _bmn(environment, "bulk", "list", "--everyone", "--json").communicate()
    found = json.loads(out or "{}").get("bulk") or [{}]
    return dict(found[0])


def run(night: Night, rate: str, run_seconds: float) -> bool:
    """Prints what happened; whether all of it adds up."""
    with tempfile.TemporaryDirectory(prefix="bmn-bulk-") as folder:
        home, port = Path(folder), random.randrange(20_000, 30_000)
        environment = {**os.environ, **_LIFTED, "BMN_HOME": folder}
        server, _ = _serve(environment, home, port)
        began = time.monotonic()
        _on(home, lambda conn: fill(conn, night))
        print(
            f"{night.jobs:,} failed jobs of {night.users} users, written in {time.monotonic() - began:.1f} s",
            flush=True,
        )
        settings = Settings(bmn_home=home)
        people = [
            {**environment, "BMN_TOKEN": mint_development_token(settings, str(uuid4()), None, "admin")} for _ in "ab"
        ]
        command = ("jobs", "retry", "--everyone", "--state", "failed", "--rate", rate, "--yes")
        began = time.monotonic()
        asking = [_bmn(person, *command) for person in people]
        while (before := _newest(people[0])).get("done", 0) < night.jobs // 3:
            time.sleep(0.5)
        server.send_signal(signal.SIGKILL)
        server.wait()
        print(f"killed after {before['done']:,} of {before['total']:,}", flush=True)
        server, sandbox = _serve(environment, home, port)
        said = [process.communicate() for process in asking]
        took, after = time.monotonic() - began, _newest(people[0])
        print(
            f"ended after {took:.1f} s: {after['done']:,} brought back, {after['refused']:,} refused, {after['state']}"
        )
        reasons = Counter(line.partition("refused: ")[2] for line in said[0][0].splitlines() if "refused: " in line)
        for reason, number in reasons.items():
            print(f"  {number:6,}  {reason}")
        print(f"exit codes {[process.returncode for process in asking]}; one action: {before['id'] == after['id']}")
        time.sleep(run_seconds)
        _bmn(people[0], "queues", "pause", _QUEUE.name).communicate()
        _wait_for_idle(home)
        bill = httpx.get(f"{sandbox}/_sandbox/ledger", timeout=30).json()
        server.send_signal(signal.SIGTERM)
        server.wait(60)
        return _adds_up(home, night, after, bill)


def _wait_for_idle(home: Path) -> None:
    busy = select(jobs.c.id).where(jobs.c.state == "active").limit(1)
    until = time.monotonic() + _IDLE_SECONDS
    while time.monotonic() < until and _on(home, lambda conn: conn.execute(busy).first()):
        time.sleep(0.5)


def _adds_up(home: Path, night: Night, after: dict[str, Any], bill: list[dict[str, Any]]) -> bool:
    rows = _on(home, lambda conn: conn.execute(select(jobs.c.parent_id, jobs.c.state)).all())
    times = Counter(row.parent_id for row in rows if row.parent_id is not None)
    states = Counter(row.state for row in rows if row.parent_id is not None)
    found = checker.check(checker.read_books(f"sqlite:///{home / 'bmn.sqlite3'}", bill=bill), served=[]).problems
    print(f"each once: {set(times.values()) == {1}}; of those brought back {dict(states)}; billed calls {len(bill):,}")
    print(f"ledger, balances and bill: {found or 'add up'}")
    expected = (after["done"], after["refused"]) == (night.jobs - night.refused, night.refused)
    return expected and not found and set(times.values()) == {1}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=5000)
    parser.add_argument("--users", type=int, default=400)
    parser.add_argument("--poor", type=int, default=10, help="users without a credit")
    parser.add_argument("--given-up", type=int, default=25, help="dead letters that somebody has purged")
    parser.add_argument("--rate", default="200/s")
    parser.add_argument(
        "--run", type=float, default=10.0, help="seconds that the workers go on, before their queue is paused"
    )
    options = parser.parse_args()
    night = Night(options.jobs, options.users, options.poor, options.given_up)
    sys.exit(0 if run(night, options.rate, options.run) else 1)


if __name__ == "__main__":
    main()
