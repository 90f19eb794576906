"""AC-34 and AC-35: a stop is orderly."""

import json
import signal
from collections.abc import Callable

import pytest

from tests.acceptance.world import FrontEnd, Person, rows
from tests.kit.processes import PATIENCE, wait_until
from tests.kit.stack import Stack

Private = Callable[..., Stack]


@pytest.mark.node
async def test_ac_34_sigterm_closes_everything_in_order(private: Private, front_end: FrontEnd) -> None:
    """SIGTERM triggers a graceful shutdown"""
    running = private("--queues", "logo-generation,image-upload")
    client = await front_end.join(Person(running))
    running.process.send_signal(signal.SIGTERM)
    await client.disconnected()
    assert running.process.wait(PATIENCE) == 0
    lines = [json.loads(line) for line in (running.home / "serve.log").read_text().splitlines() if line[:1] == "{"]
    closed = [line["event"] for line in lines if line["process"] == "serve" and line["event"].endswith(" closed")]
    assert closed == ["workers closed", "queues closed", "sockets closed", "sandbox closed", "Redis closed"]


def test_ac_35_running_jobs_end_before_their_worker(private: Private) -> None:
    """Running jobs complete before the worker shuts down"""
    running = private("--queues", "logo-generation", "--sandbox-speed", "1")
    person = Person(running)
    job_id = person.order_logos(person.brand())
    wait_until(lambda: person.job(job_id)["progress"] >= 10, what="the job is at work")
    assert person.job(job_id)["state"] == "active"
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(PATIENCE) == 0
    (row,) = rows(running, "SELECT state, attempt, losses FROM jobs WHERE id = ?", job_id)
    assert row == {"state": "completed", "attempt": 1, "losses": 0}
    assert len(rows(running, "SELECT 1 FROM brand_assets WHERE job_id = ?", job_id)) == 4
