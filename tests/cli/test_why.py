"""`jobs why` for each cause there is, after a real fault: the cause, the money, and a next command that works as pasted.

One function makes one cause; where it cannot be brought about as it happens in the wild, its docstring says what stands in.
"""

import contextlib
import os
import re
import shlex
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest

from bmn.errors import Cause
from tests.kit.processes import PATIENCE, wait_until
from tests.kit.receiver import HookReceiver
from tests.kit.stack import Stack, User, start
from tests.kit.terminal import BMN, environment

_LOGOS = "logo-generation"
_BACK = "reserved 1 credit, charged 0, refunded 1"
_HELD = "reserved 1 credit, charged 0, refunded 0, 1 still held"


@dataclass(slots=True)
class Case:
    """A job as its cause left it. money: how that line begins. command: what is to be typed next, and the code it ends with.

    mend: what somebody does before they type it. by: whose command it is.
    """

    job_id: str
    money: str = _BACK
    command: str = "bmn jobs retry"
    code: int = 0
    mend: Callable[[], object] = field(default=lambda: None)
    by: str = "user"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Works on logos; steps of the wizard wait for whoever a test starts."""
    home = tmp_path_factory.mktemp("home")
    settings = {"BMN_BACKOFF_SCALE": "0.02", "BMN_SWEEP_SECONDS": "0.2"}
    running = start(home, "--port", "0", "--queues", f"{_LOGOS},webhook-delivery", "--sandbox-speed", "0", env=settings)
    try:
        yield running
    finally:
        running.stop()


@pytest.mark.parametrize("cause", list(Cause))
def test_why_names_the_cause_the_money_and_a_command_that_works(cause: Cause, user: User, admin: User) -> None:
    with contextlib.ExitStack() as after:
        case = MAKERS[cause](user, after)
        why = user.bmn("jobs", "why", case.job_id)
        assert why.code == 0, why.err
        lines = dict(line.split(maxsplit=1) for line in why.out.splitlines()[1:])
        assert lines["Cause"].split(" — ")[0] == cause
        assert lines["Money"].lower().startswith(case.money)
        command = lines["Try"].split("   ")[0]
        assert command.startswith(case.command)
        case.mend()
        typed = (admin if case.by == "admin" else user).bmn(*shlex.split(command)[1:])
        assert typed.code == case.code, typed.out + typed.err


def _order(user: User, count: int = 1) -> str:
    done = user.bmn("generate", "logos", "--brand", "Acme", "--count", str(count), "--detach")
    assert done.code == 0, done.err
    return done.out.strip()


def _ask_wizard(user: User) -> str:
    done = user.bmn("generate", "wizard", "brand-identity", "--brand", "Acme", "--detach")
    assert done.code == 0, done.err
    return done.out.strip()


def _failed(user: User, job_id: str) -> str:
    _wait(user, job_id, "state = 'failed'")
    return job_id


def _wait(user: User, job_id: str, condition: str) -> None:
    """Looks at the row itself, which costs no process."""
    wait_until(
        lambda: _sql(user.stack, f"SELECT 1 FROM jobs WHERE id = ? AND {condition}", job_id),
        60,
        f"{job_id}: {condition}",
    )


def _sql(stack: Stack, statement: str, *values: str) -> int:
    """Runs a statement; answers with the number of rows that it found or changed."""
    with contextlib.closing(sqlite3.connect(stack.home / "bmn.sqlite3", timeout=PATIENCE)) as conn, conn:
        cursor = conn.execute(statement, values)
        return max(len(cursor.fetchall()), cursor.rowcount)


def _after_fault(**rule: Any) -> Callable[[User, contextlib.ExitStack], Case]:
    """A provider that does the same at every attempt, until none is left."""

    def make(user: User, _: contextlib.ExitStack) -> Case:
        user.stack.fault(provider="bfl", **rule)
        return Case(_failed(user, _order(user)), mend=user.stack.mend)

    return make


def _look(command: str, make: Callable[[User, contextlib.ExitStack], Case]) -> Callable[..., Case]:
    """The same, where another attempt would end alike: the next command only looks."""

    def looking(user: User, after: contextlib.ExitStack) -> Case:
        case = make(user, after)
        case.command = f"bmn jobs {command}"
        return case

    return looking


def _paused_by(status: int) -> Callable[[User, contextlib.ExitStack], Case]:
    """What would fail every job alike pauses the queue: the job keeps its credits and waits."""

    def make(user: User, after: contextlib.ExitStack) -> Case:
        admin = User(user.stack, "admin")
        after.callback(admin.bmn, "queues", "resume", _LOGOS)
        user.stack.fault(provider="bfl", op="submit", status=status)
        job_id = _order(user)
        _wait(user, job_id, "cause IS NOT NULL AND queue IN (SELECT queue FROM queue_settings WHERE paused = 1)")
        return Case(job_id, _HELD, f"bmn queues resume {_LOGOS}", mend=user.stack.mend, by="admin")

    return make


def _rate_limited(user: User, _: contextlib.ExitStack) -> Case:
    """While it waits. It fails of this cause after an hour of asking, which `tests/jobs/test_retry.py` decides."""
    user.stack.fault(provider="bfl", op="submit", status=429, retry_after=3)
    job_id = _order(user)
    _wait(user, job_id, "stage = 'waiting'")
    return Case(job_id, _HELD, "bmn jobs watch", mend=user.stack.mend)


def _answer_lost(user: User, _: contextlib.ExitStack) -> Case:
    """The work is done and billed, and the line is cut before each answer: asked twice, never charged."""
    user.stack.fault(provider="bfl", op="submit", drop_response=True)
    job_id = _failed(user, _order(user))
    assert "1 paid request got no answer and may have been billed twice" in user.bmn("jobs", "why", job_id).out
    return Case(job_id, mend=user.stack.mend)


def _unwritable(user: User, after: contextlib.ExitStack) -> Case:
    """A file stands where the folder of the objects should be; permissions would not stop root."""
    objects = user.stack.home / "objects" / "brands"
    away = objects.with_name("away")
    objects.mkdir(exist_ok=True)
    objects.rename(away)
    objects.write_text("")

    def mend() -> None:
        if away.exists():
            objects.unlink()
            away.rename(objects)

    after.callback(mend)
    return Case(_failed(user, _order(user)), mend=mend)


def _no_database(user: User, _: contextlib.ExitStack) -> Case:
    """SQLite cannot go away under a process that has it open, so a table does: every attempt's first read is refused."""
    job_id = _ask_wizard(user)
    _sql(user.stack, "ALTER TABLE agent_sessions RENAME TO away")
    try:
        with _wizard_worker(user.stack):
            return Case(_failed(user, job_id))
    finally:
        _sql(user.stack, "ALTER TABLE away RENAME TO agent_sessions")


def _held_back(user: User, after: contextlib.ExitStack) -> str:
    """A job that nobody takes before the queue is resumed."""
    admin = User(user.stack, "admin")
    admin.bmn("queues", "pause", _LOGOS)
    after.callback(admin.bmn, "queues", "resume", _LOGOS)
    return _order(user)


def _from_an_older_release(user: User, after: contextlib.ExitStack) -> Case:
    job_id = _held_back(user, after)
    assert _sql(user.stack, "UPDATE jobs SET payload = json_remove(payload, '$.brandVision') WHERE id = ?", job_id) == 1
    after.close()
    return Case(_failed(user, job_id), command="bmn jobs show")


def _poisoned(user: User, after: contextlib.ExitStack) -> Case:
    """A unit whose row says what no release of ours has ever written: the handler raises at every attempt."""
    job_id = _held_back(user, after)
    _sql(
        user.stack,
        "INSERT INTO job_units (job_id, unit, state, cause, ambiguous, credits, cost_usd, data, updated_at)"
        " VALUES (?, 'logo-0', 'failed', 'gremlins', 0, 0, 0, '{}', 0)",
        job_id,
    )
    after.close()
    return Case(_failed(user, job_id), command="bmn jobs logs")


def _child(stack: Stack, name: str) -> int:
    found = [
        child.pid for child in psutil.Process(stack.process.pid).children() if name in " ".join(child.cmdline()[:2])
    ]
    assert len(found) == 1, f"{name}: {found}"
    return found[0]


def _redis_stopped(user: User, after: contextlib.ExitStack) -> Case:
    """No job fails of it: workers then look into the rows. It is what `why` says of a job that waits meanwhile."""
    job_id = _ask_wizard(user)
    after.callback(user.bmn, "jobs", "cancel", job_id)
    redis = _child(user.stack, "valkey-server")
    os.kill(redis, signal.SIGSTOP)
    after.callback(os.kill, redis, signal.SIGCONT)
    return Case(job_id, _HELD, "bmn doctor", code=1)


def _worker_lost(user: User, _: contextlib.ExitStack) -> Case:
    """One loss is healed by the next worker; the cause stands as long as the job is on its way."""
    user.stack.fault(provider="bfl", op="poll", pending=True)
    job_id = _order(user)
    _wait(user, job_id, "progress > 10")
    os.kill(_child(user.stack, f"worker {_LOGOS}"), signal.SIGKILL)
    _wait(user, job_id, "losses = 1")
    return Case(job_id, _HELD, "bmn jobs watch", mend=user.stack.mend)


@contextlib.contextmanager
def _wizard_worker(stack: Stack, **settings: str) -> Iterator[None]:
    log = (stack.home / "worker.log").open("a")
    process = subprocess.Popen(
        [BMN, "worker", "brand-wizard", "--grace", "1"],
        stdout=log,
        stderr=log,
        env=environment({**stack.env, "BMN_BACKOFF_SCALE": "0.02", "BMN_LOG_FORMAT": "json", **settings}),
    )
    log.close()
    try:
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _three_workers_died(user: User, _: contextlib.ExitStack) -> Case:
    """Every process that takes the job is killed the moment it has it, the third one alone with it."""
    job_id = _ask_wizard(user)
    with _wizard_worker(user.stack, BMN_KILL_AT="claimed"):
        return Case(_failed(user, job_id), command="bmn jobs logs")


def _too_slow(user: User, _: contextlib.ExitStack) -> Case:
    user.stack.fault(provider="anthropic", hang=True)
    job_id = _ask_wizard(user)
    with _wizard_worker(user.stack, BMN_TIMEOUT_SCALE="0.002"):
        return Case(_failed(user, job_id), mend=user.stack.mend)


def _cancelled(user: User, _: contextlib.ExitStack) -> Case:
    user.stack.fault(provider="bfl", op="poll", pending=True)
    job_id = _order(user)
    _wait(user, job_id, "EXISTS (SELECT 1 FROM job_units WHERE job_id = jobs.id AND state = 'submitted')")
    cancelled = user.bmn("jobs", "cancel", job_id)
    assert cancelled.code == 0
    (collector,) = re.findall(r"bmn jobs watch (\w+)", cancelled.err)
    told = user.bmn("jobs", "watch", job_id).err
    assert "still to come · after " in told, told
    assert f"Fetched by {_LOGOS}-{collector}" in user.bmn("jobs", "show", job_id).out
    why = user.bmn("jobs", "why", collector).out
    assert "fetches what" in why and "Free of charge" in why and job_id in why, why
    why = user.bmn("jobs", "why", job_id).out
    assert "failed" not in why  # the call that the cancel ended
    assert re.search(rf"bmn jobs watch \S*{collector}", why), why
    assert "Nothing has been delivered yet." in why
    user.stack.mend()
    assert user.bmn("jobs", "watch", collector).code == 0
    assert job_id in user.bmn("jobs", "show", collector).out
    return Case(job_id, money="reserved 1 credit, charged 1, refunded 0", command="bmn jobs show")


def _too_late(user: User, after: contextlib.ExitStack) -> Case:
    admin = User(user.stack, "admin")
    after.callback(admin.bmn, "queues", "resume", _LOGOS)
    assert admin.bmn("queues", "pause", _LOGOS).code == 0
    order = ("generate", "logos", "--brand", "Acme", "--count", "1", "--detach", "--start-within", "1s")
    job_id = user.bmn(*order).out.strip()
    _wait(user, job_id, "state = 'cancelled'")
    assert "It was to begin within 1.0 s, and no worker had come to it." in user.bmn("jobs", "why", job_id).out
    return Case(job_id)


def _not_taken(user: User, after: contextlib.ExitStack) -> Case:
    """A receiver that says it is gone, which ends its delivery at once."""
    receiver = HookReceiver(answers=[(410, {})]).start()
    after.callback(receiver.stop)
    assert user.bmn("webhooks", "add", receiver.url).code == 0
    user.bmn("webhooks", "test", user.json("webhooks", "list")["endpoints"][0]["id"])
    failed = "SELECT 1 FROM jobs WHERE queue = 'webhook-delivery' AND state = 'failed'"
    wait_until(lambda: _sql(user.stack, failed), what="no delivery failed")
    with contextlib.closing(sqlite3.connect(user.stack.home / "bmn.sqlite3")) as conn:
        ((job_id,),) = conn.execute(failed.replace("1", "id", 1))
    return Case(job_id, money="reserved 0 credits", command="bmn webhooks deliveries")


MAKERS: dict[Cause, Callable[[User, contextlib.ExitStack], Case]] = {
    Cause.BAD_INPUT: _look("show", _after_fault(op="submit", status=422)),
    Cause.MODERATED: _look("show", _after_fault(moderate=1)),
    Cause.PROVIDER_AUTH: _paused_by(401),
    Cause.PROVIDER_CREDIT: _paused_by(402),
    Cause.PROVIDER_RATE_LIMITED: _rate_limited,
    Cause.PROVIDER_OVERLOADED: _after_fault(op="submit", status=503),
    Cause.PROVIDER_TIMEOUT: _answer_lost,
    Cause.PROVIDER_GARBAGE: _after_fault(image="notimage"),
    Cause.DOWNLOAD_FAILED: _after_fault(op="download", status=500),
    Cause.STORAGE_FAILED: _unwritable,
    Cause.DATABASE: _no_database,
    Cause.REDIS: _redis_stopped,
    Cause.WORKER_LOST: _worker_lost,
    Cause.WORKER_KILLED: _three_workers_died,
    Cause.TIMEOUT: _too_slow,
    Cause.CANCELLED: _cancelled,
    Cause.DEADLINE: _too_late,
    Cause.WEBHOOK_FAILED: _not_taken,
    Cause.SCHEMA_CHANGED: _from_an_older_release,
    Cause.BUG: _poisoned,
}
