"""A queue, as the engine knows it: a row of figures, a payload, the import path of a handler."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import uuid4

from bmn.db.records import Hook, NewJob
from bmn.db.transitions import MAX_LOSSES
from bmn.errors import NotFound, suggest
from bmn.schemas.payloads import BrandPayload, Payload
from bmn.settings import Settings

DEAD_LETTER = "dead-letter"
"""The queue that RQ and its dashboard show dead letters in; nothing is ever run from it."""

MOST_WORKERS = 16
"""Processes of one queue that a supervisor keeps at most."""

_DAY, _WEEK = 86_400, 604_800


@dataclass(frozen=True, slots=True)
class Terms:
    """When a job is to be done, and before which others; None is what its queue says.

    delay: seconds until it may run. priority: lower goes first. start_within, finish_within: seconds from when it may run;
    a job that has not begun, or not ended, by then is cancelled. replaces: of the same brand and queue, what still waits is
    cancelled in the same transaction. webhook: who hears of it beside the receivers of its user's account.
    """

    delay: float = 0.0
    priority: int | None = None
    start_within: float | None = None
    finish_within: float | None = None
    replaces: bool = False
    webhook: Hook | None = None


AT_ONCE = Terms()


@dataclass(frozen=True, slots=True)
class Keep:
    """How many ended jobs RQ's view keeps, and for how long. count: jobs. age: seconds."""

    count: int
    age: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What the engine has to know of one kind of work.

    handler: import path of a module with `async def run(ctx)`, so that a server dispatches without loading a vendor's SDK.
    slots: jobs one worker process runs at once. timeout: seconds an attempt may take. priority: lower goes first.
    backoff: seconds before the second attempt, doubled for each further one. keep: how many completed jobs, and how many
    failed ones, RQ's view shows. job_type: the word in `generation_jobs`, empty for queues that are no generator.
    credits: what one delivered unit costs, unless a setting says otherwise; None where nothing is charged.
    vendor: import path of the provider's client, where importing it takes long: workers do with the queue's first job.
    process: queues that name the same here share a worker process, since their jobs wait for others most of the time; one
    that names nothing has its own.
    collects: what was ordered is waited for after a cancel; an answer of a conversation is not.
    waits: seconds before each further attempt, where doubling `backoff` is not what is meant.
    providers: who can do it, by their names in `PROVIDERS`; unless a setting gives an order, the first one does.
    start_within, finish_within: deadlines of jobs that are given none, in seconds from when they may run.
    losses: workers that may die on a job before it is a dead letter; more than the usual where a repetition is harmless.
    """

    name: str
    payload: type[Payload]
    handler: str
    slots: int
    timeout: float
    priority: int
    attempts: int
    backoff: float
    keep: tuple[int, int]
    job_type: str = ""
    credits: int | None = None
    vendor: str = ""
    process: str = ""
    collects: bool = True
    waits: tuple[float, ...] = ()
    providers: tuple[str, ...] = ()
    start_within: float | None = None
    finish_within: float | None = None
    losses: int = MAX_LOSSES

    @property
    def keep_completed(self) -> Keep:
        """Completed jobs are shown for a day."""
        return Keep(self.keep[0], _DAY)

    @property
    def keep_failed(self) -> Keep:
        """Failed jobs are shown for a week."""
        return Keep(self.keep[1], _WEEK)

    def units(self, payload: Payload) -> int:
        """How many paid units a payload asks for."""
        return 0 if self.credits is None else payload.units

    def price(self, settings: Settings) -> int:
        """Credits a delivered unit costs its user."""
        return 0 if self.credits is None else settings.credits_of(self.job_type, self.credits)

    def order(self, settings: Settings) -> tuple[str, ...]:
        """Its providers, the one that is asked first at the front; the next one serves where that is out."""
        known = tuple(name for name in settings.order_of(self.name) if name in self.providers)
        return known or self.providers[:1]

    def has_order(self, settings: Settings) -> bool:
        """Whether another provider than its first one may serve it."""
        return len(self.order(settings)) > 1

    def new_id(self) -> str:
        """An id for a job of this queue."""
        return f"{self.name}-{uuid4()}"

    def new_job(
        self,
        payload: Payload,
        *,
        job_id: str | None = None,
        user_id: str | None = None,
        terms: Terms = AT_ONCE,
        credits: int = 0,
        unit_credits: int = 0,
        usd: float = 0.0,
        idempotency_key: str | None = None,
        parent_id: str | None = None,
        group_id: str | None = None,
        request_id: str | None = None,
        trace_parent: str | None = None,
        message: str = "Waiting in line",
    ) -> NewJob:
        """A job of this queue, ready to be stored. user_id: the payload's own, where none is given.

        usd: what its providers are expected to charge.
        """
        start, finish = terms.start_within, terms.finish_within
        return NewJob(
            id=job_id or self.new_id(),
            queue=self.name,
            payload=payload.dump(),
            payload_version=payload.VERSION,
            max_attempts=self.attempts,
            priority=self.priority if terms.priority is None else terms.priority,
            user_id=user_id or getattr(payload, "user_id", None),
            brand_id=payload.brand_id if isinstance(payload, BrandPayload) else None,
            credits=credits,
            unit_credits=unit_credits,
            usd=usd,
            delay=terms.delay,
            start_within=self.start_within if start is None else start,
            finish_within=self.finish_within if finish is None else finish,
            idempotency_key=idempotency_key,
            parent_id=parent_id,
            group_id=group_id,
            request_id=request_id,
            trace_parent=trace_parent,
            message=message,
            webhooks=(terms.webhook,) if terms.webhook else (),
        )


def by_name(queues: Iterable[Queue]) -> dict[str, Queue]:
    """Queues as the engine is handed them."""
    return {queue.name: queue for queue in queues}


def check_name(names: Collection[str], name: str) -> str:
    """A queue's name that is there. Raises NotFound, which lists the names there are."""
    if name not in names:
        raise NotFound(f"There is no queue {name!r}.", hint=suggest(name, "Queues", names))
    return name


def by_process(queues: Iterable[Queue]) -> list[list[str]]:
    """The names of queues, those together that share a worker process."""
    groups: dict[str, list[str]] = {}
    for queue in queues:
        groups.setdefault(queue.process or f"only {queue.name}", []).append(queue.name)
    return list(groups.values())


def find_queue(queues: Mapping[str, Queue], name: str) -> Queue:
    """A queue by its name. Raises NotFound, which lists the names there are."""
    return queues[check_name(queues, name)]
