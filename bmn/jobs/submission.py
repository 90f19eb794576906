"""Accepting work: ownership, credits, rows and events in one transaction; Redis hears of it afterwards."""

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, cast
from uuid import UUID, uuid4

from bmn.db import job_store, transitions, unit_store
from bmn.db.accounts import credit_store, idempotency
from bmn.db.engine import Connection, IntegrityError
from bmn.db.hooks import webhook_store
from bmn.db.library import brand_store
from bmn.db.operators import queue_store
from bmn.db.records import NewJob
from bmn.db.transitions import Change
from bmn.errors import OUTAGES, NotFound, TryLater
from bmn.format import duration
from bmn.jobs import budgets
from bmn.jobs.core import Core
from bmn.jobs.outages import in_service
from bmn.jobs.queue import AT_ONCE, Queue, Terms
from bmn.observability import current_parent
from bmn.schemas.payloads import JobState, Payload

Plan = Callable[[Connection], Sequence[Payload]]
"""Makes payloads inside the transaction that stores them, out of the records as they are then."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One accepted job. generation_job_id: its uuid, the key of `generation_jobs`. credits: what was reserved.

    warning: why it will have to wait, where that is known already; or that its key has been used, and how to go on.
    ended: how a job ended that the key stood for before, where it did not deliver.
    replaced: the jobs that were cancelled for it, as its terms asked.
    again: its key had been used, and nothing was started now; not kept with the answer, which releases before it read.
    """

    job_id: str
    generation_job_id: str
    queue: str
    credits: int
    warning: str | None = None
    ended: JobState | None = None
    replaced: list[str] = field(default_factory=list)
    again: bool = False

    def kept(self) -> dict[str, object]:
        """What is stored under its key."""
        return {name: value for name, value in asdict(self).items() if name != "again"}


@dataclass(frozen=True, slots=True)
class Idempotent:
    """A caller's key, and what it stands for: the same key with another body is a conflict."""

    key: str
    request_hash: str

    @classmethod
    def of(cls, key: str, body: Any) -> "Idempotent":
        """The key together with a digest of the body."""
        return cls(key, hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest())


def uuid_of(job_id: str) -> str:
    """The uuid at the end of a job's id; the id itself for the sweeper's own."""
    try:
        return str(UUID(job_id[-36:]))
    except ValueError:
        return job_id


def warning(conn: Connection, queue: str) -> str | None:
    """What the user of a paused queue is told at once; None for a queue that runs."""
    paused = queue_store.get_pause(conn, queue)
    if paused is None:
        return None
    why = "Provider degraded" if paused.cause in OUTAGES else "This kind of work is paused"
    return f"{why}: the job waits until that is over; nothing is lost."


def check_ready(core: Core) -> None:
    """Raises TryLater before anything is stored where Redis is away for long, or full."""
    away = core.health.down_for()
    if away > core.settings.bmn_redis_down_seconds:
        raise TryLater(
            "The queue cannot be reached.", retry_after=10, hint="Nothing was stored or charged.", code="queue_down"
        )
    if core.health.full:
        raise TryLater("The queue is full.", retry_after=30, hint="Nothing was stored or charged.", code="queue_full")


async def answered(core: Core, user_id: str, idempotent: Idempotent) -> list[Submission] | None:
    """The answer that a key got before; None for a new one. Raises Conflict for a used key with another body."""
    return await core.db.read(lambda conn: _answered(conn, user_id, idempotent))


_WAITS = (0.0, 0.2, 0.8)


async def has_answer(core: Core, user_id: str, key: str) -> bool:
    """Whether a key has been answered. The first request with it may be stored at this moment: it gets a second."""
    for wait in _WAITS:
        await asyncio.sleep(wait)
        if await core.db.read(lambda conn: idempotency.is_kept(conn, user_id, key)):
            return True
    return False


@dataclass(frozen=True, slots=True)
class _Order:
    """What the jobs of one submission have in common. maker: the provider that serves their queue now."""

    core: Core
    queue: Queue
    user_id: str | None
    maker: str | None
    idempotency_key: str | None
    request_id: str | None
    terms: Terms
    job_id: str | None
    trace_parent: str | None = field(default_factory=current_parent)

    def jobs(self, payloads: Sequence[Payload]) -> list[NewJob]:
        group = str(uuid4()) if len(payloads) > 1 else None
        return [self._job(payload, group) for payload in payloads]

    def _job(self, payload: Payload, group: str | None) -> NewJob:
        queue, settings, delay = self.queue, self.core.settings, self.terms.delay
        units, price = queue.units(payload), queue.price(settings) if self.user_id else 0
        return queue.new_job(
            payload,
            job_id=self.job_id,
            user_id=self.user_id,
            terms=self.terms,
            credits=units * price,
            unit_credits=price,
            usd=self.core.work.usd(settings, queue.name, payload, units, self.maker),
            idempotency_key=self.idempotency_key,
            group_id=group,
            request_id=self.request_id,
            trace_parent=self.trace_parent,
            message=f"Begins in {duration(delay)}" if delay else "Waiting in line",
        )


async def _maker(core: Core, queue: Queue) -> str | None:
    """Which of several providers does it now; None where there is one."""
    if not queue.has_order(core.settings):
        return None
    return await core.db.read(lambda conn: in_service(conn, core.settings, queue))


async def submit(
    core: Core,
    user_id: str | None,
    queue_name: str,
    payloads: Sequence[Payload] | Plan,
    *,
    idempotent: Idempotent | None = None,
    request_id: str | None = None,
    terms: Terms = AT_ONCE,
    job_id: str | None = None,
) -> list[Submission]:
    """Stores jobs of one queue, all or none, and returns them. The same idempotency key gives the same answer.

    user_id: who pays; None for work of our own. Raises NotFound for a brand that is not theirs, InsufficientCredits,
    BudgetReached, Conflict for a used key with another body, TryLater. job_id: a caller's own id, of which there is one job
    at most.
    """
    check_ready(core)
    queue = core.queue(queue_name)
    maker = await _maker(core, queue)
    order = _Order(core, queue, user_id, maker, idempotent.key if idempotent else None, request_id, terms, job_id)
    # Where nothing has to be read, here and not in the writer's thread, whose time is everybody's.
    ready = [] if callable(payloads) else order.jobs(payloads)

    def plan(conn: Connection) -> list[NewJob]:
        return order.jobs(payloads(conn)) if callable(payloads) else ready

    def store(conn: Connection) -> tuple[list[Submission], list[Change]]:
        return _store(conn, core, user_id, plan, idempotent, job_id, replaces=terms.replaces)

    try:
        answer, changes = await core.db.write(store)
    except IntegrityError:
        # The same key or id was stored a moment ago: this time it is found.
        answer, changes = await core.db.write(store)
    for change in changes:
        core.outbox.publish(change, None if change.state is JobState.QUEUED else queue_name)
    return answer


def _store(
    conn: Connection,
    core: Core,
    user_id: str | None,
    plan: Callable[[Connection], list[NewJob]],
    idempotent: Idempotent | None,
    job_id: str | None,
    *,
    replaces: bool,
) -> tuple[list[Submission], list[Change]]:
    """The answer, and what is to be published; nothing where it was stored before."""
    if idempotent and user_id and (found := _answered(conn, user_id, idempotent)):
        return found, []
    planned = plan(conn)
    answer = [_submission(job) for job in planned]
    if job_id and job_store.exists(conn, job_id):
        return answer, []
    if user_id:
        for brand_id in {job.brand_id for job in planned if job.brand_id}:
            if brand_store.owner(conn, brand_id) != user_id:
                raise NotFound("Brand not found")
    near = budgets.nearly_spent(conn, core, user_id, planned) if user_id else None
    paused = " ".join(filter(None, (warning(conn, planned[0].queue), near))) or None
    replaced = _cancel_replaced(conn, user_id, planned) if replaces and user_id else []
    gone = [change.job_id for change in replaced]
    answer = [replace(job, warning=paused, replaced=gone) for job in answer]
    if idempotent and user_id:
        # First of all, so that a second request with this key waits here for the first, and then finds its answer.
        kept_answer = [submission.kept() for submission in answer]
        idempotency.keep(conn, user_id, idempotent.key, idempotent.request_hash, kept_answer)
    return answer, [*replaced, store_jobs(conn, core, user_id, planned)]


def _cancel_replaced(conn: Connection, user_id: str, planned: Sequence[NewJob]) -> list[Change]:
    """Cancels what still waits for the same brands and work; first, so that what it had reserved is there again."""
    changes = []
    for queue, brand_id in {(job.queue, job.brand_id): None for job in planned if job.brand_id}:
        for old in job_store.replaceable(conn, user_id, brand_id, queue):
            if change := transitions.cancel_waiting(conn, old, user_id, "a newer one takes its place"):
                changes.append(change)
    return changes


def store_jobs(
    conn: Connection, core: Core, user_id: str | None, planned: Sequence[NewJob], *, heals: bool = False
) -> Change:
    """Reserves what the jobs cost and stores them, inside the caller's transaction: the one door for whatever costs credits.

    heals: an operator brings them back, which no budget of their user refuses. Raises InsufficientCredits, BudgetReached.
    """
    if user_id and not heals:
        budgets.admit(conn, core, user_id, planned)
    return store_admitted(conn, user_id, planned)


def store_admitted(conn: Connection, user_id: str | None, planned: Sequence[NewJob]) -> Change:
    """As `store_jobs`, for what no budget has to let in. Raises InsufficientCredits."""
    change = Change(planned[0].id, JobState.QUEUED)
    if user_id:
        balance = credit_store.reserve(conn, user_id, sum(job.credits for job in planned))
        if balance:
            change.balances.append(balance)
    receivers = webhook_store.hooks_of(conn, user_id) if user_id else ()
    for job in planned:
        if receivers:
            job = replace(job, webhooks=(*job.webhooks, *receivers))
        change.events.append(job_store.insert_job(conn, job))
        if user_id:
            credit_store.note_reservation(conn, user_id, job.id, job.credits)
        if job.parent_id:
            unit_store.inherit(conn, job.parent_id, job.id)
        if job.delay:
            change.delayed.append((job.queue, job.id, time.time() + job.delay))
        else:
            change.queued.append((job.queue, job.id))
    return change


def _answered(conn: Connection, user_id: str, idempotent: Idempotent) -> list[Submission] | None:
    kept = idempotency.find(conn, user_id, idempotent.key, idempotent.request_hash)
    return kept and [_repeated(conn, Submission(**entry, again=True)) for entry in cast(list[dict[str, Any]], kept)]


def _repeated(conn: Connection, kept: Submission) -> Submission:
    """The answer that a key got before; where its job has failed since, it says so, for nothing was started now."""
    found = job_store.state_of(conn, kept.job_id)
    if found is None or found[0] not in (JobState.FAILED, JobState.CANCELLED):
        return kept
    state = found[0]
    again = job_store.children(conn, kept.job_id)
    told = f"This idempotency key belongs to job {kept.job_id}, which has {_PAST[state]}; nothing new was started."
    retried = f"That job was started again as {again[-1]}; send" if again else "Retry that job, or send"
    return replace(kept, ended=state, warning=f"{told} {retried} a fresh key to submit it again.")


_PAST = {JobState.FAILED: "failed", JobState.CANCELLED: "been cancelled"}


def _submission(job: NewJob) -> Submission:
    return Submission(job.id, uuid_of(job.id), job.queue, job.credits)


async def dispatch(
    core: Core,
    queue_name: str,
    data: Mapping[str, object],
    *,
    priority: int | None = None,
    delay: float = 0.0,
    start_within: float | None = None,
    finish_within: float | None = None,
    job_id: str | None = None,
) -> Submission:
    """The plain way in for our own code: validates (pydantic's ValidationError) and stores. The same job_id is one job.

    delay: seconds until it may run. start_within, finish_within: its deadlines, in seconds from then.
    """
    payload = core.queue(queue_name).payload.model_validate(data)
    terms = Terms(delay, priority, start_within, finish_within)
    (accepted,) = await submit(core, None, queue_name, [payload], terms=terms, job_id=job_id)
    return accepted
