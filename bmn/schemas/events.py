"""Every Socket.IO event, both ways. Sent times are milliseconds since 1970, as the specification's clients expect."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from bmn.schemas.base import Id, JobId, Model, Text

WIZARD, DASHBOARD, ADMIN = "/wizard", "/dashboard", "/admin"

# --- server to client, in the order a job sends them -------------------------------------------------------------------


class JobEvent(Model):
    """Of one job. seq grows by one per job, so that a client sees a gap."""

    job_id: str
    brand_id: str | None = None
    seq: int
    timestamp: int


class JobProgress(JobEvent):
    status: str
    progress: int = Field(ge=0, le=100)
    message: str
    step: str | None = None
    tool_name: str | None = None
    logo_index: int | None = None
    attempt: int | None = None
    asset: dict[str, Any] | None = None


class JobToolError(JobEvent):
    tool_name: str
    error: str


class AgentMessage(JobEvent):
    content: str


class JobFailed(JobEvent):
    error: str
    retries_left: int
    cause: str
    retry_at: int | None = None
    step: str | None = None


class JobComplete(JobEvent):
    status: Literal["complete"] = "complete"
    progress: Literal[100] = 100
    message: str
    result: dict[str, Any]
    partial: bool = False
    step: str | None = None


class JobCancelled(JobEvent):
    status: Literal["cancelled"] = "cancelled"
    message: str


JOB_EVENTS: dict[str, type[JobEvent]] = {
    "job:progress": JobProgress,
    "job:tool-error": JobToolError,
    "agent:message": AgentMessage,
    "job:failed": JobFailed,
    "job:complete": JobComplete,
    "job:cancelled": JobCancelled,
}


def ends_job(event: str, data: Mapping[str, Any]) -> bool:
    """Whether a job tells nothing after this event. A failure with attempts to come is not its end."""
    if event == "job:failed":
        return int(data["retriesLeft"]) == 0
    return event in ("job:complete", "job:cancelled")


class BrandUpdated(Model):
    brand_id: str
    field: str
    value: Any
    timestamp: int


class AssetSummary(Model):
    id: str
    type: str
    url: str
    metadata: dict[str, Any]


class AssetNew(Model):
    brand_id: str
    asset: AssetSummary
    timestamp: int


class CreditsUpdated(Model):
    user_id: str
    credits_remaining: int
    credits_used: int
    timestamp: int


class QueueStats(Model):
    stats: dict[str, dict[str, int]]
    timestamp: int


class SystemError(Model):
    queue: str
    job_id: str
    error: str
    cause: str
    user_id: str | None = None
    brand_id: str | None = None
    attempts: int
    timestamp: int


class SystemAlert(Model):
    type: str
    message: str
    severity: Literal["info", "warn", "error"]
    metadata: dict[str, Any]
    timestamp: int


DASHBOARD_EVENTS: dict[str, type[Model]] = {
    "brand:updated": BrandUpdated,
    "asset:new": AssetNew,
    "credits:updated": CreditsUpdated,
}
ADMIN_EVENTS: dict[str, type[Model]] = {
    "system:queue-stats": QueueStats,
    "system:error": SystemError,
    "system:alert": SystemAlert,
}

# --- client to server --------------------------------------------------------------------------------------------------


class BrandRoom(Model):
    brand_id: Id


class JobRoom(Model):
    """queueName is accepted and ignored: the row knows its queue."""

    job_id: JobId
    queue_name: Text | None = None


class Nothing(Model):
    pass
