"""Rows that tests of the database begin with."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, select, update

from bmn.db import claims, event_store, job_store
from bmn.db.accounts import credit_store
from bmn.db.batches.kit_store import KitRow
from bmn.db.records import BrandAssetRow, EventRow, JobRow, NewJob
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
        credit_store.reserve(conn, job.user_id, job.credits)
        credit_store.note_reservation(conn, job.user_id, job.id, job.credits)
    job_store.insert_job(conn, job)
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
    return event_store.add(conn, job, JOB_EVENTS[event](**event_store.stamp(job), **{**_SAMPLES[event], **fields}))


def held(conn: Connection, job_id: str, fence: int) -> JobRow:
    """A job as an executor holds it that claimed it with this fence, whoever has it by now."""
    return replace(job_store.get_job(conn, job_id), fence=fence)


def claim(
    conn: Connection, limit: int = 1, owner: str = "worker-1", lease: float = 10, queue: str = QUEUE
) -> list[JobRow]:
    return claims.claim(conn, queue, limit, owner, lease)


def account(conn: Connection, balance: int, user_id: str = ANA) -> None:
    credit_store.ensure_user(conn, user_id, None, balance)


def saved_logo(brand_id: str, url: str, metadata: dict[str, Any] | None = None) -> BrandAssetRow:
    """A stored logo, as its row holds it."""
    return BrandAssetRow(
        id="a1",
        brand_id=brand_id,
        job_id=None,
        asset_type="logo",
        url=url,
        thumbnail_url=None,
        storage_key=f"brands/{brand_id}/logo/a1.png",
        sha256="0" * 64,
        mime_type="image/png",
        size_bytes=1,
        metadata=metadata or {},
        is_selected=False,
        created_at=1.0,
    )


def saved_kit(user_id: str, brand_id: str) -> KitRow:
    """A kit at its first step, as its row holds it."""
    return KitRow(
        id=str(uuid4()),
        user_id=user_id,
        brand_id=brand_id,
        state="running",
        step="logos",
        plan={},
        logo_id=None,
        message="making the logos",
        cause=None,
        credits_estimated=4,
        usd_estimated=0.12,
        credits_left=0,
        credits_short=0,
        request_id=None,
        created_at=1.0,
        ended_at=None,
    )
