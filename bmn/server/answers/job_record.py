"""Everything known about one job, as the document that shows it."""

from bmn.db import call_store, event_store, job_store
from bmn.db.accounts import api_keys, audit_store
from bmn.db.collecting import collector_id
from bmn.db.engine import Connection
from bmn.db.library import asset_store, brand_store
from bmn.db.records import JobRow
from bmn.schemas import documents
from bmn.schemas.payloads import WAITING_STATES, JobState
from bmn.server.answers import operator_views, views
from bmn.signing import Signer

_TIMELINE = 5000


def job_record(
    conn: Connection, signer: Signer, job_id: str, user_id: str | None, *, operator: bool = False
) -> documents.JobRecord:
    """user_id: None for any owner. operator: who did what to it is shown as well. Raises NotFound."""
    row = job_store.get_job(conn, job_id, user_id)
    brand = brand_store.names(conn, [row.brand_id]).get(row.brand_id)
    view = views.job(row, signer, brand, sandboxed=call_store.sandboxed(conn, [job_id]).get(job_id, False))
    return documents.JobRecord(
        **dict(view),
        payload=row.payload,
        timeline=[views.event(event, signer) for event in event_store.after(conn, job_id, 0, _TIMELINE)],
        units=[views.unit(unit) for unit in job_store.units(conn, job_id)],
        assets=[views.asset(asset, signer) for asset in asset_store.list_of_job(conn, job_id)],
        replays=job_store.children(conn, job_id),
        position=job_store.position(conn, row) if row.state in WAITING_STATES else None,
        collector_job_id=_collector(conn, row),
        acts=_acts(conn, row) if operator else None,
        expected=views.expected(job_store.durations(conn, row.queue)),
    )


def _collector(conn: Connection, job: JobRow) -> str | None:
    """Its user's list does not have it, so here is where they hear of it."""
    if job.state != JobState.CANCELLED or not job_store.exists(conn, name := collector_id(job)):
        return None
    return name


def _acts(conn: Connection, job: JobRow) -> list[documents.AuditRecord]:
    found = audit_store.of_subject(conn, job.id)
    names = api_keys.named(conn, {act.key_id for act in found if act.key_id})
    return [
        operator_views.audit_entry(act, job.user_id, names[act.key_id].name if act.key_id in names else None)
        for act in found
    ]
