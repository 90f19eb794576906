"""Rows as the API shows them: camelCase, times in RFC 3339 UTC, file addresses signed."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bmn.jobs.submission import uuid_of
from bmn.schemas.payloads import JobState
from bmn.server.signing import Signer
from bmn.work.registry import QUEUES

Row = Mapping[str, Any]


def when(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def job(row: Row, signer: Signer, brand_name: str | None = None, *, sandboxed: bool = False) -> dict[str, Any]:
    """sandboxed: its cost is what a provider would have charged."""
    queue = QUEUES.get(row["queue"])
    view = {
        "jobId": row["id"],
        "queueName": row["queue"],
        "state": row["state"],
        "attempt": row["attempt"],
        "maxAttempts": row["max_attempts"],
        "losses": row["losses"],
        "progress": row["progress"],
        "stage": row["stage"],
        "message": row["message"],
        "error": row["error"],
        "cause": row["cause"],
        "partial": row["state"] == JobState.PARTIAL,
        "brandId": row["brand_id"],
        "brandName": brand_name,
        "userId": row["user_id"],
        "parentId": row["parent_id"],
        "groupId": row["group_id"],
        "requestId": row["request_id"],
        "lastSeq": row["last_seq"],
        "cancelRequested": row["cancel_requested_at"] is not None,
        "creditsReserved": row["credits_reserved"],
        "creditsCharged": row["credits_charged"],
        "creditsRefunded": row["credits_refunded"],
        "costUsd": round(row["cost_usd"], 6),
        "sandboxed": sandboxed,
        "result": signer.sign_all(row["result"]),
        "createdAt": when(row["created_at"]),
        "queuedAt": when(row["queued_at"]),
        "runAt": when(row["run_at"]),
        "startedAt": when(row["started_at"]),
        "completedAt": when(row["completed_at"]),
    }
    if queue is not None and queue.job_type:
        view["generationJobId"] = uuid_of(row["id"])
        view["jobType"] = queue.job_type
    return view


def event(row: Row, signer: Signer) -> dict[str, Any]:
    return {
        "seq": row["seq"],
        "event": row["event"],
        "at": when(row["at"]),
        "data": signer.sign_all(row["payload"]),
    }


def unit(row: Row) -> dict[str, Any]:
    return {
        "unit": row["unit"],
        "state": row["state"],
        "provider": row["provider"],
        "credits": row["credits"],
        "costUsd": round(row["cost_usd"], 6),
        "cause": row["cause"],
        "error": row["error"],
        "ambiguous": bool(row["ambiguous"]),
        "assetId": row["asset_id"],
        "updatedAt": when(row["updated_at"]),
    }


def asset(row: Row, signer: Signer) -> dict[str, Any]:
    thumbnail = row["thumbnail_url"]
    return {
        "id": row["id"],
        "brandId": row["brand_id"],
        "jobId": row["job_id"],
        "type": row["asset_type"],
        "url": signer.signed(row["url"]),
        "thumbnailUrl": signer.signed(thumbnail) if thumbnail else None,
        "mimeType": row["mime_type"],
        "sizeBytes": row["size_bytes"],
        "sha256": row["sha256"],
        "metadata": row["metadata"],
        "isSelected": bool(row["is_selected"]),
        "createdAt": when(row["created_at"]),
    }


def brand(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "vision": row["vision"],
        "archetype": row["archetype"],
        "colorPalette": row["color_palette"],
        "logoStyle": row["logo_style"],
        "status": row["status"],
        "details": row["details"],
        "createdAt": when(row["created_at"]),
        "updatedAt": when(row["updated_at"]),
    }


def product(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "slug": row["slug"],
        "name": row["name"],
        "category": row["category"],
        "instructions": row["instructions"],
        "baseCostUsd": row["base_cost_usd"],
    }


def log_line(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "at": when(row["at"]),
        "level": row["level"],
        "message": row["message"],
        "attempt": row["attempt"],
        "fields": row["fields"],
    }


def ledger_entry(row: Row) -> dict[str, Any]:
    return {
        "at": when(row["created_at"]),
        "kind": row["kind"],
        "amount": row["amount"],
        "jobId": row["job_id"] or None,
        "reason": row["reason"],
    }


def dead_letter(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "jobId": row["job_id"],
        "queueName": row["queue"],
        "userId": row["user_id"],
        "cause": row["cause"],
        "error": row["error"],
        "attempts": row["attempts"],
        "replays": row["replays"],
        "state": row["state"],
        "replayJobId": row["replay_job_id"],
        "resolvedBy": row["resolved_by"],
        "resolvedAt": when(row["resolved_at"]),
        "createdAt": when(row["created_at"]),
    }


def expected(durations: Sequence[float]) -> dict[str, Any] | None:
    """How long such jobs took lately; None below five samples, which would say nothing."""
    if len(durations) < 5:
        return None
    ordered = sorted(durations)
    return {
        "p50Ms": round(1000 * ordered[len(ordered) // 2]),
        "p90Ms": round(1000 * ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))]),
        "samples": len(ordered),
    }
