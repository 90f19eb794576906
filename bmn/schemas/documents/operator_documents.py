"""What operators see: queues, workers, dead letters, health; and the sign-in link."""

from typing import Annotated, Literal

from bmn.schemas.documents.document import INTERNAL, PERSONAL, Document, Time, absent


class QueueStatus(Document):
    """One queue. workers: null while Redis cannot say. cause, reason, paused_by: of a queue that is paused.

    tried_again_at: when a queue that has paused itself lets one job through, to see whether its provider is back.
    """

    name: str
    waiting: int
    active: int
    delayed: int
    completed: int
    failed: int
    cancelled: int
    workers: int | None
    oldest_wait_seconds: float | None
    p50_ms: int | None
    p95_ms: int | None
    paused: bool
    cause: str | None
    reason: Annotated[str | None, INTERNAL]
    paused_by: str | None
    paused_at: Time | None
    tried_again_at: Time | None
    next_run_at: Time | None


class Queues(Document):
    """Every queue, the dead letters last."""

    queues: list[QueueStatus]


class WorkerStatus(Document):
    """One worker. state: `idle`, `busy`, `draining` or `lost`. jobs: the ones whose lease it holds.

    release: of bmn that it runs. supervisor: what the workers that one program keeps have in common. Both null where it
    does not say so.
    """

    name: str
    queue: str
    host: str | None
    pid: int | None
    state: str | None
    release: str | None
    supervisor: str | None
    jobs: list[str]
    memory_bytes: int | None
    started_at: Time | None
    heartbeat_at: Time | None


class Workers(Document):
    """Every registered worker. redis: false where Redis is away and nobody can say who is there."""

    workers: list[WorkerStatus]
    redis: bool


class Scaled(Document):
    """Who was asked to keep `count` workers of a queue. supervisors: each by its own name. workers: of theirs, before."""

    queue: str
    count: int
    supervisors: list[str]
    workers: list[WorkerStatus]


class AlertRecord(Document):
    """Something that is or was wrong. subject: the queue, cause or host concerned. resolved_at: null while it lasts.

    changed_at: when something else came to be behind it, such as another cause of a pause; null if never.
    muted_until: of its kind. next_step: the command that whoever reads it needs.
    """

    id: int
    kind: str
    subject: str
    severity: Literal["warn", "error"]
    message: Annotated[str, INTERNAL]
    opened_at: Time
    changed_at: Time | None
    resolved_at: Time | None
    acknowledged_at: Time | None
    acknowledged_by: str | None
    acknowledged_reason: Annotated[str | None, INTERNAL]
    muted_until: Time | None
    next_step: str


class AlertMute(Document):
    """A kind of alert that nobody is told of until then."""

    kind: str
    muted_by: str
    reason: Annotated[str | None, INTERNAL]
    muted_at: Time
    until: Time


class AlertMutes(Document):
    """What is muted now, by kind."""

    mutes: list[AlertMute]


class Alerts(Document):
    """Alerts, the newest first, and the kinds that are muted."""

    alerts: list[AlertRecord]
    mutes: list[AlertMute]


class ProbeRecord(Document):
    """A job that costs nothing, for one worker of a queue. job_id: null where the queue is paused and none was sent."""

    queue: str
    worker: str
    host: str | None
    job_id: str | None
    paused: bool


class Probes(Document):
    """The probes that were sent; unserved: queues that no worker serves."""

    probes: list[ProbeRecord]
    unserved: list[str]


class ProviderCallRecord(Document):
    """What a provider was asked for a job. outcome: `ok`, or a cause. request_id: by which the provider knows it."""

    unit: str | None
    attempt: int | None
    provider: str
    operation: str
    model: str | None
    outcome: str
    status: int | None
    ms: int
    usd: float
    sandboxed: bool
    request_id: str | None
    at: Time


class ProviderCalls(Document):
    """The newest two hundred calls of a job, oldest first."""

    job_id: str
    queue_name: str
    calls: list[ProviderCallRecord]


class Overview(Document):
    """The whole service for one screen. redis: as in `Workers`. ended, failed: jobs by the minute, the last half hour,
    oldest first. usd_hour: what real providers were paid in the last hour; usd_hour_sandboxed: what the sandbox's calls
    would have cost. usd_limit: above which an alert opens.
    """

    queues: list[QueueStatus]
    workers: list[WorkerStatus]
    redis: bool
    alerts: list[AlertRecord]
    ended: list[int]
    failed: list[int]
    usd_hour: float
    usd_hour_sandboxed: float
    usd_limit: float


class DeadLetter(Document):
    """A job that failed for good and that somebody can mend. state: `open`, `replayed` or `purged`."""

    id: str
    job_id: str
    queue_name: str
    user_id: str | None
    cause: str
    error: Annotated[str, PERSONAL]
    attempts: int
    replays: int
    state: str
    replay_job_id: str | None
    resolved_by: str | None
    resolved_at: Time | None
    created_at: Time


class DeadLetterPage(Document):
    """One page of open dead letters, newest first. total: how many fit, up to 10,000; total_is_exact: no more do."""

    dead_letters: list[DeadLetter]
    next_cursor: str | None
    total: int
    total_is_exact: bool


class ReplayedLetter(Document):
    """What became of one dead letter. job_id: the new job; null where it was refused, and error says why."""

    id: str
    job_id: str | None
    parent_id: str
    credits: int
    error: str | None


class Replays(Document):
    """What a replay did; after a dry run, what it would do. count: how many jobs came back."""

    replays: list[ReplayedLetter]
    count: int
    estimated_credits: int | None = absent()


class Purged(Document):
    """How many dead letters were given up, or, after a dry run, would be."""

    count: int


class Check(Document):
    """One dependency. error: what is wrong with it; remedy: what mends it. The other fields belong to one or the other.

    degraded: queues that have paused themselves, and the cause. stand_ins: queues whose first provider is out, and which
    one does their work meanwhile.
    """

    ok: bool
    kind: str | None = absent()
    memory_share: float | None = absent()
    evicts_nothing: bool | None = absent()
    count: int | None = absent()
    waiting_without_worker: list[str] | None = absent()
    degraded: dict[str, str] | None = absent()
    stand_ins: dict[str, str] | None = absent()
    error: str | None = absent()
    remedy: str | None = absent()
    ms: float


class Checks(Document):
    """One entry a dependency."""

    database: Check
    redis: Check
    storage: Check
    workers: Check
    providers: Check


class Health(Document):
    """Whether requests can be served: not while the status is `down`."""

    status: Literal["ok", "degraded", "down"]
    version: str
    checks: Checks


class Liveness(Document):
    """The process answers. home: the BMN_HOME that it runs in; of a development server, to this machine alone."""

    status: Literal["ok"]
    version: str
    home: str | None = absent()


class SignInLink(Document):
    """An address that signs a browser in, once."""

    url: str
    expires_at: Time
