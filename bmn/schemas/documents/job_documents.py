"""Jobs as the API answers them: in a list, in full, explained, accepted, shared."""

from typing import Annotated, Any, Literal

from pydantic import Field

from bmn.schemas.documents.access_documents import AuditRecord
from bmn.schemas.documents.brand_documents import Asset
from bmn.schemas.documents.document import INTERNAL, PERSONAL, PERSONAL_FACTS, Document, Time, absent
from bmn.schemas.payloads import JobState
from bmn.schemas.traits import JobTraits


class Job(Document):
    """One job in a list.

    job_id: `{queue}-{uuid4}`. progress: percent. last_seq: the number of its last event. result: what was saved, the
    database's rows. cost_usd: what providers charged; with sandboxed, what they would have charged. usd_estimated: what they
    were expected to charge at submission, the sandbox nothing; null where that was not noted.
    start_by, finish_by: its deadlines, where it has any. generation_job_id, job_type: of generators only.
    collects_id: the cancelled job whose ordered pictures this one collects.
    """

    job_id: str
    queue_name: str
    state: JobState
    attempt: int
    max_attempts: int
    losses: int
    progress: int
    stage: str | None
    message: Annotated[str | None, PERSONAL]
    error: Annotated[str | None, PERSONAL]
    cause: str | None
    partial: bool
    brand_id: str | None
    brand_name: Annotated[str | None, PERSONAL]
    user_id: str | None
    parent_id: str | None
    group_id: str | None
    request_id: str | None
    last_seq: int
    cancel_requested: bool
    credits_reserved: int
    credits_charged: int
    credits_refunded: int
    cost_usd: float
    usd_estimated: float | None
    sandboxed: bool
    result: Annotated[dict[str, Any] | None, PERSONAL]
    created_at: Time
    queued_at: Time
    run_at: Time
    started_at: Time | None
    completed_at: Time | None
    start_by: Time | None = absent()
    finish_by: Time | None = absent()
    collects_id: str | None = absent()
    generation_job_id: str | None = absent()
    job_type: str | None = absent()


class JobPage(Document):
    """One page of jobs, newest first. total: how many fit the filter, on all pages, counted up to 10,000.

    total_is_exact: false where there are more. searched_to: where `text` was looked for, and only the newest of the jobs
    were read: the time one came to; `next_cursor` goes on from there, even after an empty page.
    """

    jobs: list[Job]
    next_cursor: str | None
    total: int
    total_is_exact: bool
    searched_to: Time | None


class JobGroup(Document):
    """Jobs that have something in common. key: a cause, queue, user's id, or when an hour begins; `-`: they have none.

    credits: what was charged. usd: what providers charged; those of the sandbox nothing. credits_reserved, usd_estimated:
    what both were expected to be when the jobs were submitted. Probes of `doctor --deep` are no such jobs.
    """

    key: str
    jobs: int
    credits: int
    credits_reserved: int
    usd: float
    usd_estimated: float


class JobGroups(Document):
    """Jobs by what they have in common, the largest group first, of hours the newest; two hundred at most.

    searched_to: where more than 10,000 jobs fit, the time of the oldest that was counted.
    """

    by: Literal["cause", "queue", "user", "hour"]
    groups: list[JobGroup]
    searched_to: Time | None


class Expected(Document):
    """How long jobs of this queue took lately: the median, the ninetieth percentile, out of how many."""

    p50_ms: int
    p90_ms: int
    samples: int


class TimelineEvent(Document):
    """One event of a job as it was stored. data: the event's fields, as Socket.IO sends them."""

    seq: int
    event: str
    at: Time
    data: Annotated[dict[str, Any], PERSONAL_FACTS]


class Unit(Document):
    """One paid unit of a job: a picture, a film, an agent's turn. ambiguous: it may have been billed once more."""

    unit: str
    state: str
    provider: str | None
    credits: int
    cost_usd: float
    cause: str | None
    error: Annotated[str | None, PERSONAL]
    ambiguous: bool
    asset_id: str | None
    updated_at: Time


class JobRecord(Job):
    """Everything known about one job. replays: the jobs that brought it back. position: how many wait before it.

    collector_job_id: of a cancelled job, the one that fetches what had been ordered and paid for before; absent without one.
    acts: what people did to it, oldest first; for operators.
    """

    payload: Annotated[dict[str, Any], PERSONAL]
    timeline: list[TimelineEvent]
    units: list[Unit]
    assets: Annotated[list[Asset], PERSONAL]
    replays: list[str]
    position: int | None = absent()
    collector_job_id: str | None = absent()
    expected: Expected | None = absent()
    acts: Annotated[list[AuditRecord] | None, INTERNAL] = absent()

    @property
    def traits(self) -> JobTraits:
        """What its payload says of it."""
        return JobTraits.of(self.payload)


class Advice(Document):
    """What to do about a job: a command, and why that one."""

    command: str
    text: str


class Why(Document):
    """Why a job is where it is, in plain words, line by line."""

    job_id: str
    state: JobState
    headline: str
    cause: str | None
    cause_text: Annotated[str, INTERNAL]
    money: str
    kept: str
    advice: Advice = Field(alias="try")


class LogLine(Document):
    """One line of a job's log. id: grows; ask for what follows it with `after`."""

    id: int
    at: Time
    level: str
    message: Annotated[str, PERSONAL]
    attempt: int
    fields: Annotated[dict[str, Any], PERSONAL_FACTS]


class JobLogs(Document):
    """A job's log lines, oldest first."""

    logs: list[LogLine]


class Cancellation(Document):
    """What became of a request to cancel. state: `cancelled`, `finishing`, or `no worker acknowledged`.

    credits_charged: for what was finished or ordered. credits_refunded: the rest. Both null until a worker answers.
    collector_job_id: the job that collects what had been ordered; its pictures arrive as `asset:new`.
    """

    job_id: str
    state: str
    message: str
    credits_charged: int | None = None
    credits_refunded: int | None = None
    collector_job_id: str | None = None


class Retried(Document):
    """The job that replays an ended one. credits: what it reserved."""

    job_id: str
    parent_id: str
    queue_name: str
    credits: int
    message: str


class SharedAsset(Document):
    """A picture of a shared job."""

    id: str
    type: str
    url: str
    thumbnail_url: str | None
    created_at: Time


class SharedJob(Document):
    """What a shared link shows: nothing about the job's owner or its cost."""

    job_id: str
    queue_name: str
    state: JobState
    progress: int
    brand_name: str | None
    created_at: Time
    assets: list[SharedAsset]


class Submitted(Document):
    """The 202 of a generator. warning: why the job will have to wait, where that is known already.

    ended: `failed` or `cancelled`, where the idempotency key belongs to a job that ended so; nothing new was started.
    replaced: the jobs that were cancelled for it, where the body says `replaces`.
    """

    job_id: str
    generation_job_id: str
    queue_name: str
    message: str
    warning: str | None = absent()
    ended: JobState | None = absent()
    replaced: list[str] | None = absent()


class MockupJob(Document):
    """The job that makes the mockup of one product."""

    product_id: str
    job_id: str
    queue_name: str


class MockupsSubmitted(Document):
    """The 202 of mockups: one job a product. ended: as of one generator's; of the first that did not deliver."""

    jobs: list[MockupJob]
    message: str
    warning: str | None = absent()
    ended: JobState | None = absent()
    replaced: list[str] | None = absent()


class Accepted(Document):
    """The 202 of a mail or a CRM event."""

    job_id: str
    queue_name: str
    message: str


class Estimate(Document):
    """A dry run: what a submission would ask for and cost. waiting: jobs before it. warning: why it would have to wait.

    expected: absent where too few have ended to tell. attempt_seconds: after which an attempt is given up.
    """

    prompts: list[str]
    credits: int
    credits_available: int
    usd: float
    sandboxed: bool
    waiting: int
    warning: str | None = absent()
    expected: Expected | None = absent()
    attempt_seconds: float | None = absent()
