"""Rows that tests of the database begin with."""

from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from bmn.db import claims, credits, jobs
from bmn.db.records import NewJob

QUEUE = "logo-generation"
ANA = "ana"


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


def claim(
    conn: Connection, limit: int = 1, owner: str = "worker-1", lease: float = 10, queue: str = QUEUE
) -> list[Any]:
    return claims.claim(conn, queue, limit, owner, lease)


def account(conn: Connection, balance: int, user_id: str = ANA) -> None:
    credits.ensure_user(conn, user_id, None, balance)
