"""Every change of a job's state, each one transaction: the row, its event, the credits and what follows from it.

    queued ──> active ──> completed | partial | failed | cancelled
                 │  ▲
                 ▼  │
               retrying (or queued again: lost, handed on, waiting for its provider)

Every function of an executor writes with the fence of the job it holds, and returns None where another executor has it by
now: nothing was written then. Nothing leaves a terminal state; a replay is a new job.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Double, Integer, Row, bindparam, case, func, insert, or_, select, update

from bmn.db import claims, collecting, event_store
from bmn.db.accounts import credit_store
from bmn.db.accounts.credit_store import CreditsRow
from bmn.db.batches.kit_store import KitRow
from bmn.db.collecting import NewLease, Ordered
from bmn.db.event_store import stamp
from bmn.db.hooks import webhook_store
from bmn.db.prepared import Prepared
from bmn.db.records import BrandAssetRow, DeadLetterRow, EventRow, JobRow, UnitState
from bmn.db.tables import brand_assets, db_now, dead_letters, is_running, is_waiting, job_units, jobs
from bmn.errors import CAUSES, OUTAGES, Cause, told
from bmn.format import count
from bmn.schemas.base import when
from bmn.schemas.events import JobCancelled, JobComplete, JobEvent, JobFailed, JobProgress, Progress
from bmn.schemas.payloads import JobState
from bmn.schemas.results import AssetResult, AssetRow, AssetsResult, JobResult, LogosResult, WizardResult

MAX_LOSSES = 3
"""Workers that may die on one job, unless its queue says otherwise; the third loss makes it a dead letter."""

BY_DEADLINE = "deadline"
"""Who has cancelled a job that missed a deadline; everybody else who can has a uuid."""


@dataclass(slots=True)
class Change:
    """What a transition has to publish once it is committed.

    queued: (queue, job id) of jobs that may run now; delayed: of those that may later, and when. run_at: when this one
    may, where it waits for that. dead: the dead letter, where the job became one.
    fence: the row's, by which later events are known from earlier ones. collector: where the executor of a cancelled job
    goes on with what that had ordered, the job which it now has. kits: those that go on with it.
    """

    job_id: str
    state: JobState
    fence: int = 0
    events: list[EventRow] = field(default_factory=list)
    balances: list[CreditsRow] = field(default_factory=list)
    assets: list[tuple[str, BrandAssetRow]] = field(default_factory=list)
    queued: list[tuple[str, str]] = field(default_factory=list)
    dead: DeadLetterRow | None = None
    collector: JobRow | None = None
    delayed: list[tuple[str, str, float]] = field(default_factory=list)
    kits: list[KitRow] = field(default_factory=list)
    run_at: float = 0.0


def highest(column: Any, value: Any) -> Any:
    """The bar never falls, in whatever order two words about it arrive."""
    return case((column > value, column), else_=value)


# Statements are built once: building one costs more than the database needs to run it. Plain values come at the call.
_held = (
    update(jobs)
    .where(jobs.c.id == bindparam("of_job"), jobs.c.fence == bindparam("held"), is_running)
    .values(last_seq=jobs.c.last_seq + 1)
    .returning(*(jobs.c[name] for name in (
        "id", "queue", "user_id", "brand_id", "parent_id", "collects_id", "group_id", "state", "fence", "attempt",
        "last_seq", "progress", "message", "run_at", "cause", "error", "credits_refunded", "webhooks",
    )))
)  # fmt: skip
_HELD = Prepared(_held)
_WANTED = jobs.c.cancel_requested_at.is_(None)
_LATER = db_now() + bindparam("delay", type_=Double)
_PROGRESS = Prepared(_held.values(progress=highest(jobs.c.progress, bindparam("percent", type_=Integer))))
_END = Prepared(_held.values(completed_at=db_now(), credits_refunded=jobs.c.credits_reserved - jobs.c.credits_charged))
_RETRY = Prepared(_held.where(_WANTED).values(run_at=_LATER))
_back = _held.where(_WANTED).values(run_at=_LATER, attempt=jobs.c.attempt - 1)
_WAIT = Prepared(_back)
_LIMITED = Prepared(_back.values(limited_since=func.coalesce(jobs.c.limited_since, db_now())))
_LOSE = Prepared(_held.values(losses=jobs.c.losses + 1, attempt=jobs.c.attempt - 1, run_at=db_now()))
_AT_CANCEL = Prepared(
    select(
        jobs.c.credits_reserved, jobs.c.credits_charged, jobs.c.cancelled_by, jobs.c.started_at, jobs.c.start_by
    ).where(jobs.c.id == bindparam("of_job"))
)
_DELIVERED = Prepared(
    select(brand_assets)
    .join(job_units, job_units.c.asset_id == brand_assets.c.id)
    .where(job_units.c.job_id == bindparam("of_job"), job_units.c.state == UnitState.SAVED)
    .order_by(job_units.c.unit)
)
_NOT_FOR_EVER = OUTAGES | {Cause.PROVIDER_RATE_LIMITED}
_OPEN: dict[str, Any] = {"lease_owner": None, "lease_until": None}


def _update(conn: Connection, statement: Prepared, held: JobRow, values: Mapping[str, object]) -> Row[Any] | None:
    """None: another executor has the job by now, or what the statement asks for beside is not so."""
    return statement.first(conn, {"of_job": held.id, "held": held.fence, **values})


def progress(conn: Connection, held: JobRow, shown: Progress) -> Change | None:
    """The bar never falls."""
    values = {"percent": round(shown.percent), "stage": shown.status, "message": shown.message}
    job = _update(conn, _PROGRESS, held, values)
    return _with_event(conn, job, progress_event(job, shown)) if job else None


def progress_event(job: Row[Any], shown: Progress, asset: AssetRow | None = None) -> JobProgress:
    """What is shown of a job, whose row has the bar as it stands. asset: what was just saved."""
    return JobProgress(
        **stamp(job),
        status=shown.status,
        progress=job.progress,
        message=shown.message,
        step=shown.step,
        tool_name=shown.tool_name,
        logo_index=shown.logo_index,
        attempt=job.attempt,
        asset=asset,
        preview=shown.preview,
    )


def record(conn: Connection, held: JobRow, event: Callable[..., JobEvent]) -> Change | None:
    """An event that changes no state: a tool's error, a message of the agent. event: its model, with all but the stamp."""
    job = _update(conn, _HELD, held, {})
    return _with_event(conn, job, event(**stamp(job))) if job else None


def _with_event(conn: Connection, job: Row[Any], event: JobEvent) -> Change:
    webhook_store.follow(conn, job, event)
    return Change(job.id, JobState(job.state), job.fence, [event_store.add(conn, job, event)])


def end(
    conn: Connection,
    held: JobRow,
    state: JobState,
    *,
    message: str,
    event: Callable[[Row[Any]], JobEvent],
    result: JobResult | None = None,
    error: str | None = None,
    cause: Cause | None = None,
) -> Change | None:
    """The terminal transition: state, refund of what was not delivered, dead letter, terminal event.

    message: what the row says at the end. event: makes the terminal event from the ended row.
    """
    values: dict[str, Any] = {
        **_OPEN,
        "state": state,
        "stage": state,
        "message": message,
        "result": result.dump() if result else None,
        "error": error,
        "cause": cause,
    }
    if state in (JobState.COMPLETED, JobState.PARTIAL):
        values["progress"] = 100
    job = _update(conn, _END, held, values)
    return _ended(conn, held, job, event(job)) if job else None


def complete(
    conn: Connection,
    held: JobRow,
    message: str,
    result: JobResult,
    *,
    partial: bool = False,
    step: str | None = None,
    error: str | None = None,
    cause: Cause | None = None,
) -> Change | None:
    """Delivered. partial: some of it was refused or failed for good. step: of the wizard. error, cause: of what failed."""

    def event(job: Row[Any]) -> JobComplete:
        return JobComplete(
            **stamp(job), status="complete", progress=100, message=message, result=result, partial=partial, step=step
        )

    state = JobState.PARTIAL if partial else JobState.COMPLETED
    return end(conn, held, state, message=message, event=event, result=result, error=error, cause=cause)


def _ended(conn: Connection, held: JobRow, job: Row[Any], event: JobEvent) -> Change:
    change = _with_event(conn, job, event)
    if job.user_id and (back := credit_store.refund(conn, job.user_id, job.id, job.credits_refunded)):
        change.balances.append(back)
    if job.collects_id:
        change.balances += collecting.close_collected(conn, job.id, job.collects_id, job.user_id)
    elif job.state == JobState.FAILED and CAUSES[Cause(job.cause)].dead_letter:
        change.dead = _bury(conn, held, job)
    return change


def _bury(conn: Connection, held: JobRow, job: Row[Any]) -> DeadLetterRow:
    replays = 0
    if job.parent_id:
        query = select(dead_letters.c.replays).where(dead_letters.c.job_id == job.parent_id)
        replays = (conn.execute(query).scalar() or 0) + 1
    values = {
        "id": f"dead-{job.id}"[:128],
        "job_id": job.id,
        "queue": job.queue,
        "user_id": job.user_id,
        "cause": job.cause,
        "error": job.error or "",
        "attempts": job.attempt,
        "replays": replays,
    }
    row = conn.execute(insert(dead_letters).values(values).returning(*dead_letters.c)).one()
    return DeadLetterRow.from_row(row, job.brand_id, held.payload)


def retry(
    conn: Connection, held: JobRow, *, delay: float, cause: Cause, error: str, retries_left: int
) -> Change | None:
    """This attempt failed, another follows in `delay` seconds; none where a cancel was asked for meanwhile.

    error: for operators; users are told what its cause says.
    """
    text = CAUSES[cause].told_before_retry
    values = {"state": JobState.RETRYING, "stage": "retrying", "error": error, "cause": cause, "message": text}
    job = _update(conn, _RETRY, held, {**_OPEN, **values, "delay": delay})
    if job is None:
        return cancel(conn, held)
    event = JobFailed(
        **stamp(job),
        error=text,
        retries_left=retries_left,
        cause=cause,
        retry_at=int(job.run_at * 1000),
        progress=job.progress,
    )
    change = _with_event(conn, job, event)
    change.run_at = job.run_at
    return change


def wait(conn: Connection, held: JobRow, *, delay: float, cause: Cause | None, message: str) -> Change | None:
    """Back in line with the attempt unspent: asked to slow down, queue paused, or handed to another worker."""
    values = {"state": JobState.QUEUED, "stage": "waiting", "message": message, "cause": cause}
    statement = _LIMITED if cause in _NOT_FOR_EVER else _WAIT
    job = _update(conn, statement, held, {**_OPEN, **values, "delay": delay})
    if job is None:
        return cancel(conn, held)
    change = _with_event(conn, job, _waiting(job))
    change.run_at = job.run_at
    if delay == 0:
        change.queued.append((job.queue, job.id))
    return change


def _waiting(job: Row[Any]) -> JobProgress:
    return JobProgress(**stamp(job), status="waiting", progress=job.progress, message=job.message)


def hand_on(conn: Connection, held: JobRow) -> Change | None:
    """Its worker is about to end: another one goes on where this one stopped."""
    return wait(conn, held, delay=0, cause=None, message="Moving to another worker")


def lose(conn: Connection, held: JobRow, *, most: int = MAX_LOSSES) -> Change | None:
    """The worker of a job is gone: back in line, attempt unspent. most: the loss that makes it a dead letter."""
    before = conn.execute(select(jobs.c.losses, jobs.c.cancel_requested_at).where(jobs.c.id == held.id)).first()
    if before is None:
        return None
    if before.cancel_requested_at is not None:
        return cancel(conn, held)
    if before.losses + 1 >= most:
        conn.execute(
            update(jobs).where(jobs.c.id == held.id, jobs.c.fence == held.fence).values(losses=before.losses + 1)
        )
        return fail(conn, held, Cause.WORKER_KILLED, f"{before.losses + 1} workers died on this job.")
    message = "Its worker was lost; another one goes on."
    values = {"state": JobState.QUEUED, "stage": "waiting", "cause": Cause.WORKER_LOST, "message": message}
    job = _update(conn, _LOSE, held, {**_OPEN, **values})
    if job is None:
        return None
    change = _with_event(conn, job, _waiting(job))
    change.queued.append((job.queue, job.id))
    return change


def fail(conn: Connection, held: JobRow, cause: Cause, error: str) -> Change | None:
    """No further attempt. A job that delivered something ends `partial`, its units are kept and charged.

    error: for operators; users are told what its cause says.
    """
    text = told(cause, error)
    delivered = delivered_assets(conn, held.id)
    if delivered:
        message = f"{len(delivered)} finished, the rest failed: {text}"
        result = result_of(held, delivered)
        return complete(conn, held, message, result, partial=True, error=error, cause=cause)

    def event(job: Row[Any]) -> JobFailed:
        return JobFailed(**stamp(job), error=text, retries_left=0, cause=cause, progress=job.progress)

    return end(conn, held, JobState.FAILED, message=text, event=event, error=error, cause=cause)


def cancel(conn: Connection, held: JobRow, lease: NewLease | None = None) -> Change | None:
    """Ends a job on request: what was finished or ordered is charged, the rest refunded.

    lease: of the executor, where it goes on with the calls that are under way, as `Change.collector` says.
    """
    if not collecting.hold_row(conn, held, jobs.c.fence == held.fence, is_running):
        return None
    ordered = collecting.charge_ordered(conn, held, lease)
    said = _last_words(conn, held, ordered)
    change = end(
        conn,
        held,
        JobState.CANCELLED,
        message=said.message,
        event=_cancelled,
        result=said.result,
        cause=said.cause,
    )
    return _with_ordered(change, ordered, lease) if change else None


def _with_ordered(change: Change, ordered: Ordered, lease: NewLease | None) -> Change:
    change.balances[:0] = ordered.balances
    if ordered.event:
        change.events.append(ordered.event)
    if ordered.job and lease:
        change.collector = ordered.job
    elif ordered.job:
        change.queued.append((ordered.job.queue, ordered.job.id))
    return change


@dataclass(frozen=True, slots=True)
class _LastWords:
    """What a cancelled job says of what it had finished and ordered, and the finished as its result."""

    message: str
    result: JobResult | None
    cause: Cause


def _last_words(
    conn: Connection, held: JobRow, ordered: Ordered, by: str | None = None, why: str | None = None
) -> _LastWords:
    """by: who cancels, where nobody has before. why: for what, where that is neither a wish nor a deadline."""
    row = _AT_CANCEL.one(conn, {"of_job": held.id})
    late = (row.cancelled_by or by) == BY_DEADLINE
    if late:
        not_begun = row.start_by is not None and row.started_at is None
        why = "it had not begun by its deadline" if not_begun else "it was not done by its deadline"
    charged = row.credits_charged
    message = cancel_message(charged, row.credits_reserved - charged, ordered.units, why)
    kept = delivered_assets(conn, held.id)
    result: JobResult | None = result_of(held, kept) if kept else None
    if ordered.shown and (shown := ordered.shown.data.get("result")):
        result = WizardResult.model_validate(shown)
    return _LastWords(message, result, Cause.DEADLINE if late else Cause.CANCELLED)


def cancel_message(charged: int, refunded: int, ordered: int, why: str | None = None) -> str:
    """What a cancel costs, in figures. ordered: units that the provider had accepted and that are still to arrive."""
    head = f"Cancelled: {why}." if why else "Cancelled."
    if not charged and not refunded:
        return head
    back = f"{count(refunded, 'credit')} refunded" if refunded else "nothing to refund"
    if not charged:
        return f"{head} Nothing was charged, {back}."
    text = f"{head} {count(charged, 'credit')} charged for what was made or ordered, {back}."
    if ordered:
        text += f" {ordered} ordered before {'is' if ordered == 1 else 'are'} still to come, and will be in the brand."
    return text


def _cancelled(job: Row[Any]) -> JobCancelled:
    cause = Cause.DEADLINE if job.cause == Cause.DEADLINE else None
    return JobCancelled(**stamp(job), status="cancelled", message=job.message, cause=cause)


def cancel_waiting(conn: Connection, held: JobRow, by: str | None = None, why: str | None = None) -> Change | None:
    """Cancels a job that no worker has. None: one has it, or it has ended.

    by: None where somebody has asked before. why: the end of a sentence for its user, where it is not their wish.
    """
    if not collecting.hold_row(conn, held, is_waiting):
        return None
    ordered = collecting.charge_ordered(conn, held, None)
    said = _last_words(conn, held, ordered, by, why)
    statement = (
        update(jobs)
        .where(jobs.c.id == held.id, is_waiting)
        .values(
            **_OPEN,
            state=JobState.CANCELLED,
            stage="cancelled",
            message=said.message,
            result=said.result.dump() if said.result else None,
            cause=said.cause,
            cancelled_by=func.coalesce(jobs.c.cancelled_by, by),
            cancel_requested_at=func.coalesce(jobs.c.cancel_requested_at, db_now()),
            completed_at=db_now(),
            fence=jobs.c.fence + 1,
            last_seq=jobs.c.last_seq + 1,
            credits_refunded=jobs.c.credits_reserved - jobs.c.credits_charged,
        )
        .returning(*jobs.c)
    )
    job = conn.execute(statement).first()
    return _with_ordered(_ended(conn, held, job, _cancelled(job)), ordered, None) if job else None


def cancel_overdue(conn: Connection, held: JobRow) -> tuple[Change | None, bool]:
    """Cancels a job that has missed a deadline; where a worker has it, that one is asked. Second: whether it was."""
    if not collecting.hold_row(conn, held, or_(*claims.LATE)):
        return None, False
    if change := cancel_waiting(conn, held, BY_DEADLINE):
        return change, False
    return None, ask_to_cancel(conn, held.id, BY_DEADLINE)


def ask_to_cancel(conn: Connection, job_id: str, by: str) -> bool:
    """Sets the durable flag that the worker's next renewal reads; whoever asked first stays. False: it is not active."""
    statement = (
        update(jobs)
        .where(jobs.c.id == job_id, is_running)
        .values(
            cancel_requested_at=func.coalesce(jobs.c.cancel_requested_at, db_now()),
            cancelled_by=func.coalesce(jobs.c.cancelled_by, by),
        )
    )
    return conn.execute(statement).rowcount == 1


def delivered_assets(conn: Connection, job_id: str) -> list[BrandAssetRow]:
    """The saved assets of a job's units, inherited ones included, in the order of the units."""
    return [BrandAssetRow.from_row(row) for row in _DELIVERED.all(conn, {"of_job": job_id})]


def result_of(job: JobRow, delivered: Sequence[BrandAssetRow]) -> JobResult:
    """A generator's result: one `asset`, or, of a job whose payload has a `count`, all of them beside it."""
    shown = [asset_row(asset) for asset in delivered]
    if job.collects_id is None and (wanted := job.payload.get("count")) is not None:
        return LogosResult(logos=shown, generated=len(shown), requested=wanted)
    return AssetResult(asset=shown[0]) if len(shown) == 1 else AssetsResult(assets=shown)


def asset_row(asset: BrandAssetRow) -> AssetRow:
    """A saved asset as results carry it."""
    return AssetRow(
        id=asset.id,
        brand_id=asset.brand_id,
        job_id=asset.job_id,
        asset_type=asset.asset_type,
        url=asset.url,
        thumbnail_url=asset.thumbnail_url,
        mime_type=asset.mime_type,
        metadata=asset.metadata,
        is_selected=asset.is_selected,
        created_at=when(asset.created_at),
    )
