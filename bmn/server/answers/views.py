"""Rows as the API's documents: times in RFC 3339 UTC, file addresses signed."""

from collections.abc import Sequence
from typing import TypeVar

from bmn.db.batches.bulk_store import Bulk, BulkItemRow
from bmn.db.lists.groups import GroupSum
from bmn.db.records import (
    BrandAssetRow,
    BrandRow,
    DeliveryRow,
    EndpointRow,
    JobRow,
    LedgerRow,
    LogLineRow,
    ProductRow,
    StoredEvent,
    UnitRow,
)
from bmn.identity.rights import Right
from bmn.identity.tokens import Principal
from bmn.jobs.submission import uuid_of
from bmn.schemas import documents
from bmn.schemas.base import when
from bmn.schemas.documents.bulk_documents import OwnBulkAction
from bmn.schemas.documents.document import Onlooker, masked
from bmn.schemas.payloads import JobState
from bmn.signing import Signer
from bmn.work.registry import QUEUES

D = TypeVar("D", bound=documents.Document)


def shown(document: D, principal: Principal, *, owner: str | None = None) -> D:
    """What a caller sees of it: whole what is their own or they have said why they look at; nobody else's words.

    owner: whose it is, where the document does not say so itself.
    """
    own = principal.user_id if principal.may(Right.OWN) else None
    if not principal.may(Right.SEE) or principal.reveals is not None or (owner is not None and owner == own):
        return document
    return masked(document, Onlooker(own, internal=principal.may(Right.REVEAL)))


def job(row: JobRow, signer: Signer, brand_name: str | None = None, *, sandboxed: bool = False) -> documents.Job:
    """sandboxed: its cost is what a provider would have charged."""
    queue = QUEUES.get(row.queue)
    job_type = (queue.job_type or None) if queue is not None else None
    return documents.Job(
        job_id=row.id,
        queue_name=row.queue,
        state=row.state,
        attempt=row.attempt,
        max_attempts=row.max_attempts,
        losses=row.losses,
        progress=row.progress,
        stage=row.stage,
        message=row.message,
        error=row.error,
        cause=row.cause,
        partial=row.state is JobState.PARTIAL,
        brand_id=row.brand_id,
        brand_name=brand_name,
        user_id=row.user_id,
        parent_id=row.parent_id,
        group_id=row.group_id,
        request_id=row.request_id,
        last_seq=row.last_seq,
        cancel_requested=row.cancel_requested_at is not None,
        credits_reserved=row.credits_reserved,
        credits_charged=row.credits_charged,
        credits_refunded=row.credits_refunded,
        cost_usd=round(row.cost_usd, 6),
        usd_estimated=row.usd_estimated,
        sandboxed=sandboxed,
        result=signer.sign_all(row.result),
        created_at=when(row.created_at),
        queued_at=when(row.queued_at),
        run_at=when(row.run_at),
        started_at=when(row.started_at),
        completed_at=when(row.completed_at),
        start_by=when(row.start_by),
        finish_by=when(row.finish_by),
        collects_id=row.collects_id,
        generation_job_id=uuid_of(row.id) if job_type else None,
        job_type=job_type,
    )


def job_group(row: GroupSum) -> documents.JobGroup:
    """Jobs that have something in common."""
    key = row.key if isinstance(row.key, str) else when(row.key)
    return documents.JobGroup(
        key=key,
        jobs=row.jobs,
        credits=row.credits,
        credits_reserved=row.credits_reserved,
        usd=round(row.usd, 6),
        usd_estimated=round(row.usd_estimated, 6),
    )


def bulk_action(row: Bulk, *, joined: bool | None = None) -> documents.BulkAction:
    """An action on many jobs. joined: it ran already when somebody asked for the same."""
    own = row.owner_id is not None and row.owner_id in (row.asked_by, row.on_behalf_of)
    kind = OwnBulkAction if own else documents.BulkAction
    return kind(
        id=row.id,
        action=row.action,
        state=row.state,
        selection=row.selection,
        user_id=row.owner_id,
        asked_by=row.asked_by,
        reason=row.reason,
        total=row.total,
        done=row.done,
        refused=row.refused,
        left=row.total - row.done - row.refused,
        failed_again=row.failed_again,
        credits_estimated=row.credits_estimated,
        usd_estimated=round(row.usd_estimated, 6),
        credits=row.credits,
        rate=row.rate,
        stop_at=row.stop_at,
        message=row.message,
        created_at=when(row.created_at),
        ended_at=when(row.ended_at),
        joined=joined,
    )


def bulk_item(row: BulkItemRow) -> documents.BulkItem:
    """One job of an action."""
    return documents.BulkItem(
        number=row.number,
        job_id=row.job_id,
        state=row.state,
        new_job_id=row.new_job_id,
        credits=row.credits,
        detail=row.detail,
        at=when(row.at),
    )


def event(row: StoredEvent, signer: Signer) -> documents.TimelineEvent:
    """One event of a job's timeline."""
    return documents.TimelineEvent(seq=row.seq, event=row.event, at=when(row.at), data=signer.sign_all(row.payload))


def unit(row: UnitRow) -> documents.Unit:
    """One paid unit of a job."""
    return documents.Unit(
        unit=row.unit,
        state=row.state,
        provider=row.provider,
        credits=row.credits,
        cost_usd=round(row.cost_usd, 6),
        cause=row.cause,
        error=row.error,
        ambiguous=bool(row.ambiguous),
        asset_id=row.asset_id,
        updated_at=when(row.updated_at),
    )


def asset(row: BrandAssetRow, signer: Signer) -> documents.Asset:
    """A picture or video, its addresses signed."""
    thumbnail = row.thumbnail_url
    return documents.Asset(
        id=row.id,
        brand_id=row.brand_id,
        job_id=row.job_id,
        type=row.asset_type,
        url=signer.signed(row.url),
        thumbnail_url=signer.signed(thumbnail) if thumbnail else None,
        mime_type=row.mime_type,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        metadata=row.metadata,
        is_selected=row.is_selected,
        created_at=when(row.created_at),
    )


def shared_asset(row: BrandAssetRow, signer: Signer) -> documents.SharedAsset:
    """What whoever holds a shared link sees of an asset."""
    shown = asset(row, signer)
    return documents.SharedAsset(
        id=shown.id,
        type=shown.type,
        url=shown.url,
        thumbnail_url=shown.thumbnail_url,
        created_at=shown.created_at,
    )


def brand(row: BrandRow) -> documents.Brand:
    """A brand."""
    return documents.Brand(
        id=row.id,
        name=row.name,
        vision=row.vision,
        archetype=row.archetype,
        color_palette=row.color_palette,
        logo_style=row.logo_style,
        status=row.status,
        details=row.details,
        created_at=when(row.created_at),
        updated_at=when(row.updated_at),
    )


def product(row: ProductRow) -> documents.Product:
    """A product of the catalogue."""
    return documents.Product(
        id=row.id,
        slug=row.slug,
        name=row.name,
        category=row.category,
        instructions=row.instructions,
        base_cost_usd=row.base_cost_usd,
    )


def log_line(row: LogLineRow, *, operator: bool) -> documents.LogLine:
    """One line of a job's log; what a provider said is for operators."""
    return documents.LogLine(
        id=row.id,
        at=when(row.at),
        level=row.level,
        message=row.message,
        attempt=row.attempt,
        fields=row.fields if operator else {name: value for name, value in row.fields.items() if name != "said"},
    )


def ledger_entry(row: LedgerRow) -> documents.LedgerEntry:
    """One movement of credits."""
    return documents.LedgerEntry(
        at=when(row.created_at),
        kind=row.kind,
        amount=row.amount,
        job_id=row.job_id or None,
        reason=row.reason,
    )


def endpoint(row: EndpointRow) -> documents.WebhookEndpoint:
    """A receiver of webhooks, without its secret."""
    return documents.WebhookEndpoint(
        id=row.id,
        url=row.url,
        events=list(row.events),
        created_at=when(row.created_at),
        disabled_at=when(row.disabled_at),
        disabled_reason=row.disabled_reason,
    )


def delivery(row: DeliveryRow) -> documents.WebhookDelivery:
    """An entry of the log of webhooks."""
    return documents.WebhookDelivery(
        id=row.id,
        event=row.event,
        state=row.state,
        url=row.url,
        job_id=row.job_id,
        endpoint_id=row.endpoint_id,
        attempts=row.attempts,
        status=row.status,
        error=row.error,
        payload=row.payload,
        created_at=when(row.created_at),
        attempted_at=when(row.attempted_at),
        ended_at=when(row.ended_at),
        delivery_job_id=row.delivery_job,
    )


def expected(durations: Sequence[float]) -> documents.Expected | None:
    """How long such jobs took lately; None below five samples, which would say nothing."""
    if len(durations) < 5:
        return None
    ordered = sorted(durations)
    return documents.Expected(
        p50_ms=round(1000 * ordered[len(ordered) // 2]),
        p90_ms=round(1000 * ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))]),
        samples=len(ordered),
    )
