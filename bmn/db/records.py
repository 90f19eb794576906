"""Rows as the rest of the program knows them: plain values, nothing of SQL.

A record's fields stand in the order of its query's columns, which a test checks, so that making one costs little more than
reading the row. Times are seconds since 1970 by the database's clock.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Self

from bmn.errors import Cause
from bmn.schemas.payloads import JobState


class UnitState(StrEnum):
    """How far a paid step has come; see `bmn.db.units`.

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


class DeliveryState(StrEnum):
    """What became of a webhook. DROPPED: nobody is to hear it any more."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"


_CAUSES = frozenset(Cause)


def _cause(value: str | None) -> Cause | None:
    """A cause that this release does not know was written by a newer one, or by hand: a defect, as far as we can say."""
    if value is None:
        return None
    return Cause(value) if value in _CAUSES else Cause.BUG


class Record:
    """Base of what `from_row` makes. CONVERTED: fields whose column holds less than they mean, and what makes them."""

    __slots__ = ()
    CONVERTED: ClassVar[dict[str, Callable[[Any], Any]]] = {}
    _places: ClassVar[tuple[tuple[int, Callable[[Any], Any]], ...]] = ()

    def __init_subclass__(cls) -> None:
        names = [name for name in cls.__annotations__ if name != "CONVERTED"]
        cls._places = tuple((names.index(name), convert) for name, convert in cls.CONVERTED.items())

    @classmethod
    def from_row(cls, row: Sequence[Any], *more: Any) -> Self:
        """row: one value a field, in their order. more: values of the fields behind those."""
        if not cls._places:
            return cls(*row, *more)
        values = [*row, *more]
        for place, convert in cls._places:
            values[place] = convert(values[place])
        return cls(*values)


@dataclass(frozen=True, slots=True)
class Hook:
    """A receiver that hears of a job. endpoint_id: the account's; None for one that the submission names itself."""

    url: str
    events: tuple[str, ...]
    endpoint_id: str | None = None

    @classmethod
    def read(cls, stored: list[dict[str, Any]] | None) -> "tuple[Hook, ...]":
        """As a job's row keeps them."""
        return tuple(cls(each["url"], tuple(each["events"]), each["endpoint_id"]) for each in stored or ())


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
class Job(Record):
    """A job as it was when it was read; who has claimed it writes with its id and its fence.

    fence: grows with every claim; a write that names an older one changes nothing. losses: workers that have died on it.
    probe: its queue is paused, and lets this one job through to find out whether the provider is mended. usd_estimated: what
    its providers were expected to charge; None of jobs from before that was noted.
    """

    CONVERTED: ClassVar = {"state": JobState, "cause": _cause, "webhooks": Hook.read}

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


@dataclass(frozen=True, slots=True)
class Place(Record):
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
class Unit(Record):
    """A paid step of a job. data: small facts that a handler keeps beside it."""

    CONVERTED: ClassVar = {"state": UnitState, "cause": _cause}

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
class NewAsset:
    """A stored object about to become an asset."""

    id: str
    brand_id: str
    asset_type: str
    url: str
    storage_key: str
    sha256: str
    mime_type: str
    size_bytes: int
    job_id: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    thumbnail_url: str | None = None


@dataclass(frozen=True, slots=True)
class Asset(Record):
    """A stored picture or video of a brand."""

    CONVERTED: ClassVar = {"is_selected": bool, "is_favorite": bool}

    id: str
    brand_id: str
    job_id: str | None
    asset_type: str
    url: str
    thumbnail_url: str | None
    storage_key: str
    sha256: str
    mime_type: str
    size_bytes: int
    metadata: dict[str, Any]
    is_selected: bool
    created_at: float
    is_favorite: bool = False


@dataclass(frozen=True, slots=True)
class Event(Record):
    """What a job has published, on its way to the stream. payload: the complete data as sent. queue, user_id: the job's."""

    job_id: str
    seq: int
    event: str
    payload: dict[str, Any]
    queue: str
    user_id: str | None


@dataclass(frozen=True, slots=True)
class StoredEvent(Record):
    """An event as it is read back from a job's history."""

    job_id: str
    seq: int
    event: str
    payload: dict[str, Any]
    at: float


@dataclass(frozen=True, slots=True)
class Brand(Record):
    """A user's brand. details: what the wizard's steps have saved. name_key: what all spellings of its name share."""

    id: str
    user_id: str
    name: str
    vision: str | None
    archetype: str | None
    color_palette: list[str] | None
    logo_style: str | None
    status: str
    details: dict[str, Any]
    created_at: float
    updated_at: float
    name_key: str | None


@dataclass(frozen=True, slots=True)
class DeadLetter(Record):
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
class LogLine(Record):
    """A line of a job's own log."""

    id: int
    job_id: str
    attempt: int
    level: str
    message: str
    fields: dict[str, Any]
    at: float


@dataclass(frozen=True, slots=True)
class NewCall:
    """A call of a provider about to be written down: what was asked, what it cost, and on whose behalf."""

    provider: str
    operation: str
    model: str | None
    units: float
    usd: float
    sandboxed: bool
    ms: int
    outcome: str
    status: int | None
    request_id: str | None
    job_id: str | None = None
    unit: str | None = None
    attempt: int | None = None
    user_id: str | None = None
    queue: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderCall(Record):
    """What a provider was asked. outcome: `ok`, or a cause. ms: how long it took."""

    CONVERTED: ClassVar = {"sandboxed": bool}

    id: int
    job_id: str | None
    unit: str | None
    attempt: int | None
    user_id: str | None
    queue: str | None
    provider: str
    operation: str
    model: str | None
    units: float
    usd: float
    sandboxed: bool
    ms: int
    outcome: str
    status: int | None
    request_id: str | None
    at: float


@dataclass(frozen=True, slots=True)
class Cost(Record):
    """What calls with one key (a kind, provider, user or model) add up to."""

    CONVERTED: ClassVar = {"sandboxed": bool}

    key: str
    sandboxed: bool
    calls: int
    units: float
    usd: float


@dataclass(frozen=True, slots=True)
class LedgerEntry(Record):
    """One movement of a user's credits."""

    id: int
    user_id: str
    job_id: str
    unit: str
    kind: str
    amount: int
    actor: str | None
    reason: str | None
    created_at: float


@dataclass(frozen=True, slots=True)
class Product(Record):
    """A product that a logo can be put on. instructions: what a model is told about it."""

    id: str
    slug: str
    name: str
    category: str
    instructions: str | None
    base_cost_usd: float


@dataclass(frozen=True, slots=True)
class QueueSetting(Record):
    """Whether a queue is paused, and why. probe_at: when it tries its provider again by itself."""

    CONVERTED: ClassVar = {"paused": bool, "cause": _cause}

    queue: str
    paused: bool
    cause: Cause | None
    reason: str | None
    paused_by: str | None
    paused_at: float | None
    probe_at: float | None


@dataclass(frozen=True, slots=True)
class AgentSession(Record):
    """A conversation of the brand wizard. state: what its steps remember."""

    id: str
    user_id: str
    brand_id: str
    step: str
    messages: list[dict[str, Any]]
    turns: int
    cost_usd: float
    state: dict[str, Any]


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


@dataclass(frozen=True, slots=True)
class AbandonedWizard(Record):
    """A wizard that nobody has touched for long. name: the brand's."""

    id: str
    user_id: str
    brand_id: str
    step: str
    name: str


@dataclass(frozen=True, slots=True)
class AuditEntry(Record):
    """Something that was done. key_id, address: with which API key, and from where, as far as it is known."""

    id: int
    actor: str
    action: str
    subject: str
    reason: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    at: float
    key_id: str | None
    address: str | None


@dataclass(frozen=True, slots=True)
class ApiKey(Record):
    """A key that signs somebody in. digest: SHA-256 of its text, in hexadecimal. user_id: whom it acts as."""

    id: str
    digest: str
    name: str
    role: str
    user_id: str
    created_by: str
    created_at: float
    expires_at: float | None
    last_used_at: float | None
    revoked_at: float | None
    revoked_by: str | None


@dataclass(frozen=True, slots=True)
class Endpoint(Record):
    """A receiver of an account. listening_until: until when one counts as there that asks for its messages."""

    CONVERTED: ClassVar = {"events": tuple}

    id: str
    user_id: str
    url: str
    secret: str
    events: tuple[str, ...]
    listening_until: float | None
    created_at: float


@dataclass(frozen=True, slots=True)
class Delivery(Record):
    """One event for one receiver. id: its `webhook-id`. delivery_job: the job that delivers it, once there is one.

    status: of the last answer. error: why the last attempt failed, or why it was dropped.
    """

    CONVERTED: ClassVar = {"state": DeliveryState}

    id: str
    user_id: str
    job_id: str
    endpoint_id: str | None
    url: str
    event: str
    payload: dict[str, Any]
    state: DeliveryState
    attempts: int
    status: int | None
    error: str | None
    delivery_job: str | None
    created_at: float
    attempted_at: float | None
    ended_at: float | None


@dataclass(frozen=True, slots=True)
class Share(Record):
    """A link that shows a job, or pictures, to whoever holds it."""

    CONVERTED: ClassVar = {"asset_ids": tuple}

    id: str
    user_id: str
    brand_id: str | None
    job_id: str | None
    asset_ids: tuple[str, ...]
    created_at: float
    expires_at: float
    revoked_at: float | None
