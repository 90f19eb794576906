"""Rows that tests of the database begin with."""

from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, select, update

from bmn.db import claims, credits, events, jobs
from bmn.db.events import EventRow
from bmn.db.records import NewJob
from bmn.db.tables import jobs as job_table
from bmn.schemas.events import JOB_EVENTS
from bmn.schemas.results import LogosResult
from tests.kit.people import ANA

QUEUE = "logo-generation"


def new_job(**values: Any) -> NewJob:
    defaults: dict[str, Any] = {
        "id": f"{QUEUE}-{uuid4()}",
        "queue": QUEUE,
        "payload": {"count": 1},
        "payload_version": 1,
        "max_attempts": 3,
        "priority": 1,
    }
    return NewJob(**{**defaults, **values})


def insert(conn: Connection, **values: Any) -> str:
    """A waiting job; with `credits`, reserved from its user's balance."""
    job = new_job(**values)
    if job.user_id and job.credits:
        credits.reserve(conn, job.user_id, job.credits)
        credits.note_reservation(conn, job.user_id, job.id, job.credits)
    jobs.insert_job(conn, job)
    return job.id


_SAMPLES: dict[str, dict[str, Any]] = {
    "job:progress": {"status": "generating", "progress": 50, "message": "Working"},
    "job:tool-error": {"tool_name": "read_page", "error": "There is no such page."},
    "agent:message": {"content": "Hello"},
    "job:failed": {"error": "Too slow.", "retries_left": 1, "cause": "timeout"},
    "job:complete": {
        "status": "complete",
        "progress": 100,
        "message": "done",
        "result": LogosResult(logos=[], generated=0, requested=1),
    },
    "job:cancelled": {"status": "cancelled", "message": "Cancelled."},
}


def add_event(conn: Connection, job_id: str, event: str = "job:progress", **fields: Any) -> EventRow:
    """Records an event of a job; its fields are those of a sample where none are given."""
    conn.execute(update(job_table).where(job_table.c.id == job_id).values(last_seq=job_table.c.last_seq + 1))
    job = conn.execute(select(job_table).where(job_table.c.id == job_id)).one()
    return events.add(conn, job.queue, JOB_EVENTS[event](**events.stamp(job), **{**_SAMPLES[event], **fields}))


def claim(
    conn: Connection, limit: int = 1, owner: str = "worker-1", lease: float = 10, queue: str = QUEUE
) -> list[Any]:
    return claims.claim(conn, queue, limit, owner, lease)


def account(conn: Connection, balance: int, user_id: str = ANA) -> None:
    credits.ensure_user(conn, user_id, None, balance)
