"""Which event goes to which namespace and rooms; what is built here goes into the stream, and so to every server."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bmn.db.batches.kit_store import KitRow
from bmn.db.records import BrandAssetRow
from bmn.schemas.base import now_ms
from bmn.schemas.events import (
    ADMIN,
    DASHBOARD,
    WIZARD,
    AssetNew,
    AssetSummary,
    BrandUpdated,
    CreditsUpdated,
    KitUpdated,
    QueueCounts,
    QueueStats,
    ServerEvent,
    Severity,
    SystemAlert,
    SystemError,
)

ADMINS = "admin:all"
VIEWERS = "admin:figures"
"""Who may see how full the queues are, and nothing of any user."""


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
    """All sockets of a user."""
    return f"user:{user_id}"


def brand_room(brand_id: str) -> str:
    """Who looks at a brand."""
    return f"brand:{brand_id}"


def group_room(group_id: str) -> str:
    """Who follows the jobs that were ordered together, such as a kit's."""
    return f"group:{group_id}"


def job_room(job_id: str) -> str:
    """Who follows a job."""
    return f"job:{job_id}"


def jobs_room(user_id: str) -> str:
    """Who follows all of a user's jobs; joined on request, as a page with one job has no use for it."""
    return f"jobs:{user_id}"


def job_event(
    event: str,
    data: dict[str, Any],
    *,
    user_id: str | None = None,
    group_id: str | None = None,
    in_brand: bool = True,
) -> Outgoing:
    """An event of a job as its row holds it: data has `jobId`, `seq` and, where the job has one, `brandId`.

    user_id, group_id: the job's. in_brand: whether the rooms of its brand, its group and all its user's jobs get it too.
    """
    job_id, brand_id = data["jobId"], data.get("brandId")
    rooms: tuple[str, ...] = (job_room(job_id),)
    if in_brand:
        rooms += (brand_room(brand_id),) if brand_id else ()
        rooms += (group_room(group_id),) if group_id else ()
        rooms += (jobs_room(user_id),) if user_id else ()
    return Outgoing(WIZARD, rooms, event, data, job_id=job_id, seq=data["seq"])


def _outgoing(namespace: str, rooms: tuple[str, ...], event: ServerEvent, *, volatile: bool = False) -> Outgoing:
    return Outgoing(namespace, rooms, event.EVENT, event.dump(), volatile=volatile)


def asset_new(user_id: str, asset: BrandAssetRow) -> Outgoing:
    """A picture or video was saved."""
    shown = AssetSummary(id=asset.id, type=asset.asset_type, url=asset.url, metadata=asset.metadata)
    event = AssetNew(brand_id=asset.brand_id, asset=shown, timestamp=now_ms())
    return _outgoing(DASHBOARD, (user_room(user_id), brand_room(asset.brand_id)), event)


def brand_updated(user_id: str, brand_id: str, field: str, value: object) -> Outgoing:
    """A field of a brand has changed, for its dashboards."""
    event = BrandUpdated(brand_id=brand_id, field=field, value=value, timestamp=now_ms())
    return _outgoing(DASHBOARD, (user_room(user_id), brand_room(brand_id)), event)


def kit_updated(kit: KitRow) -> Outgoing:
    """A kit does or waits for something else."""
    event = KitUpdated(
        group_id=kit.id,
        brand_id=kit.brand_id,
        state=kit.state,
        step=kit.step,
        message=kit.message,
        cause=kit.cause,
        timestamp=now_ms(),
    )
    return _outgoing(DASHBOARD, (user_room(kit.user_id), brand_room(kit.brand_id), group_room(kit.id)), event)


def credits_updated(user_id: str, remaining: int, used: int) -> Outgoing:
    """A user's balance has changed."""
    event = CreditsUpdated(user_id=user_id, credits_remaining=remaining, credits_used=used, timestamp=now_ms())
    return _outgoing(DASHBOARD, (user_room(user_id),), event)


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
    return _outgoing(ADMIN, (ADMINS,), event)


def system_alert(kind: str, message: str, severity: Severity, metadata: Mapping[str, object] | None = None) -> Outgoing:
    """kind: a short word such as `cost-spike`, the event's `type`."""
    event = SystemAlert(type=kind, message=message, severity=severity, metadata=metadata or {}, timestamp=now_ms())
    return _outgoing(ADMIN, (ADMINS,), event)


def queue_stats(stats: dict[str, QueueCounts]) -> Outgoing:
    """How full the queues are, for admins."""
    return _outgoing(ADMIN, (ADMINS, VIEWERS), QueueStats(stats=stats, timestamp=now_ms()), volatile=True)
