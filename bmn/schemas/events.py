"""Every Socket.IO event, both ways, and the answers to those of clients: what goes over the wire is built from these alone.

Times are milliseconds since 1970, as the specification's clients expect.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypedDict

from pydantic import Field

from bmn.schemas.base import Id, JobId, Model, Outbound
from bmn.schemas.results import AssetRow, JobResult

WIZARD, DASHBOARD, ADMIN = "/wizard", "/dashboard", "/admin"

# --- server to client, in the order a job sends them -------------------------------------------------------------------


class ServerEvent(Outbound):
    """Base of what we send without being asked. EVENT: its name on the wire."""

    EVENT: ClassVar[str]


class JobEvent(ServerEvent):
    """Of one job. seq grows by one per job, so that a client sees a gap."""

    job_id: str
    brand_id: str | None
    seq: int
    timestamp: int


class Stamp(TypedDict):
    """What every event of a job carries; known once its row has taken the next seq."""

    job_id: str
    brand_id: str | None
    seq: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is, as its handler reports it. percent: 0 to 100.

    step: of the wizard. tool_name: the tool that was completed. logo_index: which of several it is about.
    preview: the address of a rough picture, which is there for an hour or two.
    """

    status: str
    percent: float
    message: str
    step: str | None = None
    tool_name: str | None = None
    logo_index: int | None = None
    preview: str | None = None


class JobProgress(JobEvent):
    EVENT = "job:progress"

    status: str
    progress: int = Field(ge=0, le=100)
    message: str
    step: str | None = None
    tool_name: str | None = None
    logo_index: int | None = None
    attempt: int | None = None
    asset: AssetRow | None = None
    preview: str | None = None


class JobToolError(JobEvent):
    EVENT = "job:tool-error"

    tool_name: str
    error: str


class AgentMessage(JobEvent):
    EVENT = "agent:message"

    content: str


class JobFailed(JobEvent):
    """retries_left: attempts still to come. retry_at: when the next one begins."""

    EVENT = "job:failed"

    error: str
    retries_left: int
    cause: str
    retry_at: int | None = None
    progress: int | None = None


class JobComplete(JobEvent):
    EVENT = "job:complete"

    status: Literal["complete"]
    progress: Literal[100]
    message: str
    result: JobResult
    partial: bool = False
    step: str | None = None


class JobCancelled(JobEvent):
    """cause: `deadline`, where nobody asked for it but a deadline that was missed."""

    EVENT = "job:cancelled"

    status: Literal["cancelled"]
    message: str
    cause: str | None = None


def cancelled_as_failed(event: JobCancelled) -> JobFailed:
    """What sockets get right after a cancel: no event of the log and no failure in any count; our own clients ignore it."""
    return JobFailed(
        job_id=event.job_id,
        brand_id=event.brand_id,
        seq=event.seq,
        timestamp=event.timestamp,
        error=event.message,
        retries_left=0,
        cause="cancelled",
    )


JOB_EVENTS: dict[str, type[JobEvent]] = {
    model.EVENT: model for model in (JobProgress, JobToolError, AgentMessage, JobFailed, JobComplete, JobCancelled)
}


def ends_job(event: str, data: Mapping[str, Any]) -> bool:
    """Whether a job publishes nothing after this event. A failure with attempts to come is not its end."""
    if event == JobFailed.EVENT:
        return int(data["retriesLeft"]) == 0
    return event in (JobComplete.EVENT, JobCancelled.EVENT)


class TokenExpired(ServerEvent):
    """To one socket, whose token has to be replaced."""

    EVENT = "token_expired"

    message: str


class BrandUpdated(ServerEvent):
    """field: as HTTP names it. value: null where it was emptied."""

    EVENT = "brand:updated"

    brand_id: str
    field: str
    value: Any
    timestamp: int


class KitUpdated(ServerEvent):
    """A kit stands elsewhere. state: running, picking (its owner has to pick a logo), held, done or cancelled.

    step: logos, pick, mockups, bundle or video. message: what it does or waits for. cause: why it is held.
    """

    EVENT = "kit:updated"

    group_id: str
    brand_id: str
    state: str
    step: str
    message: str
    cause: str | None = None
    timestamp: int


class AssetSummary(Outbound):
    id: str
    type: str
    url: str
    metadata: dict[str, Any]


class AssetNew(ServerEvent):
    EVENT = "asset:new"

    brand_id: str
    asset: AssetSummary
    timestamp: int


class CreditsUpdated(ServerEvent):
    EVENT = "credits:updated"

    user_id: str
    credits_remaining: int
    credits_used: int
    timestamp: int


class QueueCounts(Outbound):
    waiting: int
    active: int
    failed: int


class QueueStats(ServerEvent):
    EVENT = "system:queue-stats"

    stats: dict[str, QueueCounts]
    timestamp: int


class SystemError(ServerEvent):
    """A job became a dead letter."""

    EVENT = "system:error"

    queue: str
    job_id: str
    error: str
    cause: str
    user_id: str | None = None
    brand_id: str | None = None
    attempts: int
    timestamp: int


Severity = Literal["info", "warn", "error"]


class SystemAlert(ServerEvent):
    """type: a short word such as `cost-spike`."""

    EVENT = "system:alert"

    type: str
    message: str
    severity: Severity
    metadata: dict[str, Any]
    timestamp: int


DASHBOARD_EVENTS: dict[str, type[ServerEvent]] = {
    model.EVENT: model for model in (BrandUpdated, AssetNew, CreditsUpdated, KitUpdated)
}
ADMIN_EVENTS: dict[str, type[ServerEvent]] = {model.EVENT: model for model in (QueueStats, SystemError, SystemAlert)}

# --- client to server --------------------------------------------------------------------------------------------------


class BrandRoom(Model):
    brand_id: Id


class GroupRoom(Model):
    group_id: Id


class JobRoom(Model):
    """queue_name is accepted and ignored: the row knows its queue."""

    job_id: JobId
    queue_name: object = None


class Nothing(Model):
    pass


# --- and how those are answered ----------------------------------------------------------------------------------------

JobWord = Literal["waiting", "active", "completed", "failed", "delayed", "cancelled"]
"""A job's state in BullMQ's words, and one of ours."""


class Answer(Outbound):
    """Base of the acknowledgements."""


class Done(Answer):
    ok: Literal[True]


class JobJoined(Answer):
    """seq: of the last event that was sent before this answer."""

    ok: Literal[True]
    seq: int
    state: JobWord


class JobStatus(Answer):
    """data: the result as it was stored. failed_reason: why the last attempt failed, as its `job:failed` says it."""

    job_id: str
    state: JobWord
    progress: int
    data: dict[str, Any] | None
    failed_reason: str | None
    seq: int


class CancelAnswer(Answer):
    """credits_charged: for what was finished or ordered; the rest is refunded. Both null while no worker has answered."""

    ok: Literal[True]
    message: str
    state: str
    credits_charged: int | None = None
    credits_refunded: int | None = None
    collector_job_id: str | None = None


class QueueFigures(QueueCounts):
    completed: int
    delayed: int


class StatsAnswer(Answer):
    stats: dict[str, QueueFigures]


class RetryAnswer(Answer):
    """job_id: of the new job, which goes on where the old one failed."""

    ok: Literal[True]
    job_id: str


class Refusal(Answer):
    """retry_after: seconds after which it may work."""

    error: str
    retry_after: int | None = None
