"""Before much is done, somebody is asked; where the answer is no, or nobody is there, nothing is done. And signs of life."""

import asyncio
import re
import sqlite3
import uuid
from contextlib import closing

import pytest

from bmn.cli.following.job_watch import watch
from bmn.client import Client
from bmn.settings import Settings
from tests.kit.processes import PATIENCE, eventually, wait_until
from tests.kit.stack import Stack, User

_MANY = 51


def _ordered(user: User) -> str:
    done = user.bmn("generate", "logos", "--brand", "Acme", "--count", "1", "--detach")
    assert done.code == 0, done.err
    return done.out.strip()


def _is_ordered(stack: Stack, job_id: str) -> bool:
    with closing(sqlite3.connect(stack.home / "bmn.sqlite3", timeout=PATIENCE)) as conn:
        query = "SELECT 1 FROM job_units WHERE job_id = ? AND state = 'submitted'"
        return conn.execute(query, (job_id,)).fetchone() is not None


def _copied(stack: Stack, job_id: str, count: int) -> None:
    """Further waiting jobs like this one, without its price, which nobody starts before tomorrow."""
    with closing(sqlite3.connect(stack.home / "bmn.sqlite3", timeout=PATIENCE)) as conn, conn:
        conn.row_factory = sqlite3.Row
        row = dict(conn.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone())
        row |= {"state": "queued", "credits_reserved": 0, "run_at": row["run_at"] + 86_400, "completed_at": None}
        row |= {"credits_charged": 0, "credits_refunded": 0, "lease_until": None, "cancel_requested_at": None}
        columns = ", ".join(row)
        for _ in range(count):
            values = {**row, "id": f"logo-generation-{uuid.uuid4()}"}
            conn.execute(f"INSERT INTO jobs ({columns}) VALUES ({', '.join('?' * len(row))})", tuple(values.values()))


@pytest.mark.full
def test_more_than_fifty_jobs_are_cancelled_only_by_typing_their_number(user: User) -> None:
    job_id = _ordered(user)
    assert user.bmn("jobs", "watch", job_id).code == 0
    _copied(user.stack, job_id, _MANY)
    command = ("jobs", "cancel", "--brand", "Acme", "--state", "queued")

    refused = user.bmn(*command)
    assert refused.code == 2
    assert f"This would cancel {_MANY} jobs" in refused.err
    assert "--yes" in refused.err

    for answer in ("y", "50", ""):
        with user.on_terminal(*command) as terminal:
            terminal.wait_for(f"{_MANY} jobs to cancel")
            terminal.wait_for("That is many. Type the number")
            terminal.type(f"{answer}\n")
            assert terminal.end() == 130
    assert user.bmn("jobs", "count", "--state", "queued").out == f"{_MANY}\n"

    with user.on_terminal(*command) as terminal:
        terminal.wait_for("That is many. Type the number")
        terminal.type(f"{_MANY}\n")
        assert terminal.end() == 0
        assert f"{_MANY} jobs cancelled" in terminal.text
    assert user.bmn("jobs", "count", "--state", "cancelled").out == f"{_MANY}\n"


def test_what_cannot_be_stopped_or_brought_back_says_what_to_do_instead(user: User) -> None:
    job_id = _ordered(user)
    assert user.bmn("jobs", "watch", job_id).code == 0
    cancel = user.bmn("jobs", "cancel", job_id)
    assert cancel.code == 5
    assert "has ended already: completed" in cancel.err
    assert f"bmn jobs show {job_id[-36:][:8]}" in cancel.err
    retry = user.bmn("jobs", "retry", job_id)
    assert retry.code == 5
    assert "submit it again" in retry.err

    user.stack.fault(provider="bfl", op="poll", pending=True)
    running = _ordered(user)
    early = user.bmn("jobs", "retry", running)
    assert early.code == 5
    assert f"bmn jobs watch {running}" in early.err
    wait_until(lambda: _is_ordered(user.stack, running))
    assert user.bmn("jobs", "cancel", running).code == 0
    collecting = user.bmn("jobs", "retry", running)
    assert collecting.code == 5
    found = re.search(r"still being fetched.*Retry it when (\S+) has ended", collecting.err, re.DOTALL)
    assert found, collecting.err
    user.stack.mend()
    assert user.bmn("jobs", "watch", found[1]).code == 0
    assert user.bmn("jobs", "retry", running).code == 0
    again = user.bmn("jobs", "retry", running)
    assert again.code == 5
    assert "was brought back already, as logo-generation-" in again.err
    assert "bmn jobs show logo-generation-" in again.err


async def test_where_nothing_moves_a_line_is_a_sign_of_life(user: User, capfd: pytest.CaptureFixture[str]) -> None:
    """Every half minute by itself; here ten times a second, and by the clock of the same code."""
    user.stack.fault(provider="bfl", op="poll", pending=True)
    job_id = _ordered(user)
    settings = Settings(bmn_home=user.stack.home, bmn_token=user.env["BMN_TOKEN"])  # type: ignore[arg-type]
    async with Client(settings, api_url=user.stack.api_url) as client:
        lines: list[str] = []

        async def said_twice() -> bool:
            lines.extend(line for line in capfd.readouterr().err.splitlines() if " still " in line)
            return len(lines) >= 2

        watching = asyncio.create_task(watch(client, [job_id], heartbeat=0.1))
        await eventually(said_twice)
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching
    assert all(line.startswith(job_id.removeprefix("logo-generation-")[:8]) for line in lines)
    assert user.bmn("jobs", "cancel", job_id).code == 0
