"""Rows that operators look at as the API's documents: alerts, keys, what was done, dead letters, costs."""

from bmn.db.operators.alert_store import Alert, Mute
from bmn.db.records import ApiKeyRow, AuditRow, Cost, DeadLetterRow
from bmn.jobs.alert_finders import next_step
from bmn.schemas import documents
from bmn.schemas.base import when
from bmn.schemas.documents.access_documents import OwnAct


def alert(row: Alert) -> documents.AlertRecord:
    """Something that is or was wrong."""
    return documents.AlertRecord(
        id=row.id,
        kind=row.kind,
        subject=row.subject,
        severity=row.severity,
        message=row.message,
        opened_at=when(row.opened_at),
        changed_at=when(row.changed_at),
        resolved_at=when(row.resolved_at),
        acknowledged_at=when(row.acked_at),
        acknowledged_by=row.acked_by,
        acknowledged_reason=row.ack_reason,
        muted_until=when(row.muted_until),
        next_step=next_step(row.kind, row.subject, row.message),
    )


def alert_mute(row: Mute) -> documents.AlertMute:
    """A kind of alert that is muted."""
    return documents.AlertMute(
        kind=row.kind,
        muted_by=row.muted_by,
        reason=row.reason,
        muted_at=when(row.muted_at),
        until=when(row.until),
    )


def api_key(row: ApiKeyRow) -> documents.KeyRecord:
    """An API key."""
    return documents.KeyRecord(
        id=row.id,
        name=row.name,
        role=row.role,
        user_id=row.user_id,
        created_by=row.created_by,
        created_at=when(row.created_at),
        expires_at=when(row.expires_at),
        last_used_at=when(row.last_used_at),
        revoked_at=when(row.revoked_at),
        revoked_by=row.revoked_by,
    )


def audit_entry(row: AuditRow, owner: str | None, key_name: str | None = None) -> documents.AuditRecord:
    """Something that was done. owner: whose the subject is. key_name: of the key it was done with."""
    kind = OwnAct if row.on_behalf_of is not None or row.actor == owner else documents.AuditRecord
    return kind(
        id=row.id,
        at=when(row.at),
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        reason=row.reason,
        key_id=row.key_id,
        key_name=key_name,
        address=row.address,
        on_behalf_of=row.on_behalf_of,
        before=row.before,
        after=row.after,
    )


def dead_letter(row: DeadLetterRow) -> documents.DeadLetter:
    """A dead letter."""
    return documents.DeadLetter(
        id=row.id,
        job_id=row.job_id,
        queue_name=row.queue,
        user_id=row.user_id,
        cause=row.cause,
        error=row.error,
        attempts=row.attempts,
        replays=row.replays,
        state=row.state,
        replay_job_id=row.replay_job_id,
        resolved_by=row.resolved_by,
        resolved_at=when(row.resolved_at),
        created_at=when(row.created_at),
    )


def cost_row(row: Cost, usd_expected: float | None = None) -> documents.CostRow:
    """What one kind, provider, model or user cost."""
    return documents.CostRow(
        key=row.key,
        calls=row.calls,
        units=row.units,
        usd=round(row.usd, 6),
        sandboxed=row.sandboxed,
        usd_estimated=None if row.sandboxed or usd_expected is None else round(usd_expected, 6),
    )
