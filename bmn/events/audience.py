"""Which event goes to which namespace and rooms; what is built here goes into the stream, and so to every server."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bmn.schemas.events import (
    ADMIN,
    DASHBOARD,
    WIZARD,
    AssetNew,
    AssetSummary,
    BrandUpdated,
    CreditsUpdated,
    QueueStats,
    SystemAlert,
    SystemError,
)

ADMINS = "admin:all"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event on its way to sockets.

    rooms: who gets it; a socket in several of them gets it once. job_id and seq: given for job events, which are
    delivered in the order of seq and never twice. volatile: ages quickly, so nobody gets it later than live.
    """

    namespace: str
    rooms: tuple[str, ...]
    event: str
    data: dict[str, Any]
    job_id: str | None = None
    seq: int | None = None
    volatile: bool = False


def user_room(user_id: str) -> str:
    return f"user:{user_id}"


def brand_room(brand_id: str) -> str:
    return f"brand:{brand_id}"


def job_room(job_id: str) -> str:
    return f"job:{job_id}"


def now_ms() -> int:
    """Milliseconds since 1970: the `timestamp` of every event."""
    return int(time.time() * 1000)


def job_event(event: str, data: dict[str, Any]) -> Outgoing:
    """An event of a job as its row holds it: data has `jobId`, `seq` and, where the job has one, `brandId`."""
    job_id, brand_id = data["jobId"], data.get("brandId")
    rooms = (job_room(job_id), brand_room(brand_id)) if brand_id else (job_room(job_id),)
    return Outgoing(WIZARD, rooms, event, data, job_id=job_id, seq=data["seq"])


def asset_new(user_id: str, brand_id: str, asset_row: Mapping[str, Any]) -> Outgoing:
    """asset_row: a row of `brand_assets`."""
    asset = AssetSummary(
        id=asset_row["id"],
        type=asset_row["asset_type"],
        url=asset_row["url"],
        metadata=asset_row.get("metadata") or {},
    )
    event = AssetNew(brand_id=brand_id, asset=asset, timestamp=now_ms())
    return Outgoing(DASHBOARD, (user_room(user_id), brand_room(brand_id)), "asset:new", event.dump())


def brand_updated(user_id: str, brand_id: str, field: str, value: Any) -> Outgoing:
    event = BrandUpdated(brand_id=brand_id, field=field, value=value, timestamp=now_ms())
    data = event.model_dump(mode="json", by_alias=True)  # a field that was emptied is sent as null
    return Outgoing(DASHBOARD, (user_room(user_id), brand_room(brand_id)), "brand:updated", data)


def credits_updated(user_id: str, remaining: int, used: int) -> Outgoing:
    event = CreditsUpdated(user_id=user_id, credits_remaining=remaining, credits_used=used, timestamp=now_ms())
    return Outgoing(DASHBOARD, (user_room(user_id),), "credits:updated", event.dump())


def system_error(
    *,
    queue: str,
    job_id: str,
    error: str,
    cause: str,
    attempts: int,
    user_id: str | None = None,
    brand_id: str | None = None,
) -> Outgoing:
    """A job went to the dead letters."""
    event = SystemError(
        queue=queue,
        job_id=job_id,
        error=error,
        cause=cause,
        attempts=attempts,
        user_id=user_id,
        brand_id=brand_id,
        timestamp=now_ms(),
    )
    return Outgoing(ADMIN, (ADMINS,), "system:error", event.dump())


def system_alert(
    kind: str,
    message: str,
    severity: Literal["info", "warn", "error"],
    metadata: dict[str, Any] | None = None,
) -> Outgoing:
    """kind: a short word such as `cost-spike`, the event's `type`."""
    event = SystemAlert(type=kind, message=message, severity=severity, metadata=metadata or {}, timestamp=now_ms())
    return Outgoing(ADMIN, (ADMINS,), "system:alert", event.dump())


def queue_stats(stats: dict[str, dict[str, int]]) -> Outgoing:
    event = QueueStats(stats=stats, timestamp=now_ms())
    return Outgoing(ADMIN, (ADMINS,), "system:queue-stats", event.dump(), volatile=True)
