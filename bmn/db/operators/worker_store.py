"""Who works on what, as the leases say."""

from sqlalchemy import Connection, select

from bmn.db.tables import jobs
from bmn.schemas.payloads import JobState


def held(conn: Connection, limit: int = 5000) -> dict[str, list[str]]:
    """The jobs each worker holds, by the worker's name."""
    query = (
        select(jobs.c.lease_owner, jobs.c.id)
        .where(jobs.c.state == JobState.ACTIVE, jobs.c.lease_owner.is_not(None))
        .order_by(jobs.c.started_at)
        .limit(limit)
    )
    found: dict[str, list[str]] = {}
    for owner, job_id in conn.execute(query):
        found.setdefault(owner, []).append(job_id)
    return found
