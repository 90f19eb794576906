"""What a worker does to a job and a brand, done by a test that has none running."""

from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, insert, select

from bmn.db import claims, transitions
from bmn.db.records import JobRow
from bmn.db.tables import brand_assets, job_units, metadata
from bmn.errors import Cause
from bmn.jobs.core import Core
from bmn.schemas.events import Progress
from bmn.schemas.results import JobResult, LogosResult

QUEUE = "logo-generation"


async def claim(core: Core, job_id: str, queue: str = QUEUE) -> JobRow:
    """Takes the job up like a worker does."""
    rows = await core.db.write(lambda conn: claims.claim(conn, queue, 50, "tester", 30.0))
    return next(row for row in rows if row.id == job_id)


async def progress(core: Core, job: JobRow, percent: int) -> None:
    shown = Progress("generating", percent, f"at {percent}")
    change = await core.db.write(lambda conn: transitions.progress(conn, job, shown))
    assert change
    core.outbox.publish(change)


async def complete(core: Core, job: JobRow, result: JobResult | None = None) -> None:
    outcome = result or LogosResult(logos=[], generated=0, requested=1)
    change = await core.db.write(lambda conn: transitions.complete(conn, job, "done", outcome))
    assert change
    core.outbox.publish(change, job.queue)


async def fail(core: Core, job: JobRow, cause: Cause, error: str = "refused") -> None:
    change = await core.db.write(lambda conn: transitions.fail(conn, job, cause, error))
    assert change
    core.outbox.publish(change, job.queue)


async def add_asset(core: Core, brand_id: str, job_id: str | None = None, data: bytes = b"", **fields: Any) -> str:
    asset_id, key = str(uuid4()), f"brands/{brand_id}/logo/{uuid4().hex}.png"
    if data:
        await core.storage.put(key, data, "image/png")
    row = {
        "id": asset_id,
        "brand_id": brand_id,
        "job_id": job_id,
        "asset_type": "logo",
        "url": core.storage.url_for(key),
        "storage_key": key,
        "sha256": "0" * 64,
        "mime_type": "image/png",
        "size_bytes": len(data),
        **fields,
    }
    await core.db.write(lambda conn: conn.execute(insert(brand_assets).values(row)).rowcount)
    return asset_id


async def add_unit(core: Core, job_id: str, unit: str, **values: Any) -> None:
    row = {"job_id": job_id, "unit": unit, "state": "planned", **values}
    await core.db.write(lambda conn: conn.execute(insert(job_units).values(row)).rowcount)


def everything(conn: Connection) -> dict[str, list[Any]]:
    """Every row of every table, to see whether something has changed."""
    return {table.name: list(conn.execute(select(table))) for table in metadata.sorted_tables}
