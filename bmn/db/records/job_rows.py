"""Jobs and queues, and what is kept of each job."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from bmn.db.records.base import Record, known_cause
from bmn.db.records.hook_rows import Hook
from bmn.errors import Cause
from bmn.schemas.payloads import JobState
from bmn.schemas.traits import JobTraits


class UnitState(StrEnum):
    """How far a paid step has come; see `bmn.db.unit_store`.

    ANSWERED: a turn of a conversation, which leaves nothing to fetch. SHOWN: not finished, and already worth its price.
    """

    PLANNED = "planned"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    ANSWERED = "answered"
    SHOWN = "shown"
    READY = "ready"
    STORED = "stored"
    SAVED = "saved"
    FAILED = "failed"


class LetterState(StrEnum):
    """What became of a dead letter."""

    OPEN = "open"
    REPLAYED = "replayed"
    PURGED = "purged"


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job about to be stored. credits: what is reserved for it. delay: seconds until it may run.

    start_within, finish_within: seconds from then; a job that has not begun, or not ended, by then is cancelled.

    unit_credits: the agreed price of a unit. usd: what providers are expected to charge for it. collects_id: the cancelled
    job whose orders it collects.
    """

    id: str
    queue: str
    payload: dict[str, Any]
    payload_version: int
    max_attempts: int
    priority: int
    user_id: str | None = None
    brand_id: str | None = None
    credits: int = 0
    unit_credits: int = 0
    usd: float = 0.0
    delay: float = 0.0
    start_within: float | None = None
    finish_within: float | None = None
    idempotency_key: str | None = None
    parent_id: str | None = None
    collects_id: str | None = None
    group_id: str | None = None
    request_id: str | None = None
    trace_parent: str | None = None
    message: str = "Waiting in line"
    webhooks: tuple[Hook, ...] = ()


@dataclass(frozen=True, slots=True)
class JobRow(Record):
    """A job as it was when it was read; who has claimed it writes with its id and its fence.

    fence: grows with every claim; a write that names an older one changes nothing. losses: workers that have died on it.
    probe: its queue is paused, and lets this one job through to find out whether the provider is mended. usd_estimated: what
    its providers were expected to charge; None of jobs from before that was noted.
    """

    CONVERTED: ClassVar = {"state": JobState, "cause": known_cause, "webhooks": Hook.read}

    id: str
    queue: str
    user_id: str | None
    brand_id: str | None
    payload: dict[str, Any]
    payload_version: int
    state: JobState
    attempt: int
    max_attempts: int
    losses: int
    fence: int
    lease_owner: str | None
    lease_until: float | None
    priority: int
    turn: int
    run_at: float
    start_by: float | None
    finish_by: float | None
    limited_since: float | None
    progress: int
    stage: str | None
    message: str | None
    result: dict[str, Any] | None
    error: str | None
    cause: Cause | None
    last_seq: int
    credits_reserved: int
    credits_charged: int
    credits_refunded: int
    unit_credits: int | None
    cost_usd: float
    usd_estimated: float | None
    idempotency_key: str | None
    parent_id: str | None
    collects_id: str | None
    group_id: str | None
    request_id: str | None
    trace_parent: str | None
    cancel_requested_at: float | None
    cancelled_by: str | None
    webhooks: tuple[Hook, ...]
    created_at: float
    queued_at: float
    started_at: float | None
    attempt_started_at: float | None
    completed_at: float | None
    probe: bool = False

    @property
    def traits(self) -> JobTraits:
        """What its payload says of it."""
        return JobTraits.of(self.payload)


@dataclass(frozen=True, slots=True)
class JobPlace(Record):
    """Where a job is, as RQ's view shows it."""

    CONVERTED: ClassVar = {"state": JobState}

    id: str
    fence: int
    state: JobState
    lease_owner: str | None
    run_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Renewed:
    """A lease that was kept. cancel: somebody wants the job to stop."""

    job_id: str
    fence: int
    cancel: bool


@dataclass(frozen=True, slots=True)
class UnitRow(Record):
    """A paid step of a job. data: small facts that a handler keeps beside it."""

    CONVERTED: ClassVar = {"state": UnitState, "cause": known_cause}

    job_id: str
    unit: str
    state: UnitState = UnitState.PLANNED
    provider: str | None = None
    request_hash: str | None = None
    provider_task_id: str | None = None
    polling_url: str | None = None
    storage_key: str | None = None
    sha256: str | None = None
    mime_type: str | None = None
    asset_id: str | None = None
    ambiguous: int = 0
    credits: int = 0
    cost_usd: float = 0.0
    cause: Cause | None = None
    error: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    updated_at: float = 0.0


@dataclass(frozen=True, slots=True)
class EventRow(Record):
    """What a job has published, on its way to the stream. payload: the complete data as sent. The rest is the job's."""

    job_id: str
    seq: int
    event: str
    payload: dict[str, Any]
    queue: str
    user_id: str | None
    group_id: str | None


@dataclass(frozen=True, slots=True)
class StoredEvent(Record):
    """An event as it is read back from a job's history."""

    job_id: str
    seq: int
    event: str
    payload: dict[str, Any]
    at: float


@dataclass(frozen=True, slots=True)
class DeadLetterRow(Record):
    """A job that has failed for good. replays: how often its line was replayed before. brand_id, payload: the job's."""

    CONVERTED: ClassVar = {"cause": Cause, "state": LetterState}

    id: str
    job_id: str
    queue: str
    user_id: str | None
    cause: Cause
    error: str
    attempts: int
    replays: int
    state: LetterState
    replay_job_id: str | None
    resolved_by: str | None
    resolved_at: float | None
    created_at: float
    brand_id: str | None
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LogLineRow(Record):
    """A line of a job's own log."""

    id: int
    job_id: str
    attempt: int
    level: str
    message: str
    fields: dict[str, Any]
    at: float


@dataclass(frozen=True, slots=True)
class QueueSettingRow(Record):
    """Whether a queue is paused, and why. probe_at: when it tries its provider again by itself."""

    CONVERTED: ClassVar = {"paused": bool, "cause": known_cause}

    queue: str
    paused: bool
    cause: Cause | None
    reason: str | None
    paused_by: str | None
    paused_at: float | None
    probe_at: float | None


@dataclass(frozen=True, slots=True)
class KitNews(Record):
    """A kit that is done or waits for its owner, who may want a mail. name: the brand's. last_job_id: its newest."""

    id: str
    user_id: str
    email: str
    state: str
    message: str
    name: str
    last_job_id: str | None


@dataclass(frozen=True, slots=True)
class EndedJob(Record):
    """A job that its user may want a mail about. name: the brand's. group_id: of the jobs that were made with it."""

    CONVERTED: ClassVar = {"state": JobState}

    id: str
    user_id: str
    email: str
    queue: str
    state: JobState
    group_id: str | None
    brand_id: str
    name: str
