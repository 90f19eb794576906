"""`jobs why`: in plain words, why a job is where it is, whose fault it is, what it cost, what is kept, what to do."""

import math
import time
from dataclasses import dataclass

from bmn.db import call_store, job_store
from bmn.db.collecting import collector_id
from bmn.db.engine import Connection
from bmn.db.library import asset_store
from bmn.db.operators import queue_store
from bmn.db.records import BrandAssetRow, JobRow, ProviderCallRow, QueueSettingRow, UnitRow, UnitState
from bmn.errors import CAUSES, OUTAGES, Cause
from bmn.format import count, duration
from bmn.identity.rights import Right
from bmn.identity.tokens import Principal
from bmn.jobs.budgets import BUDGET
from bmn.jobs.registered import registered, serving
from bmn.jobs.replay import was_delivered
from bmn.schemas import documents
from bmn.schemas.payloads import WAITING_STATES, JobState
from bmn.server.access.dependencies import is_operator, owner_filter
from bmn.server.state.resources import Resources
from bmn.work.registry import get_queue

_REFUSED = 400
"""A status from here on says that a call failed; where a lower one failed, its answer was of no use."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known. paused: the queue's settings, if it is paused. workers: how many serve it; None where Redis cannot say.

    said: the provider's own words about the last failure; for operators alone, as a pause's reason is. whole: with what may
    hold a user's words. candid: whether it may be said what an operator has to mend: to one, or in development.
    """

    job: JobRow
    units: list[UnitRow]
    assets: list[BrandAssetRow]
    calls: list[ProviderCallRow]
    replays: list[str]
    position: int
    paused: QueueSettingRow | None
    workers: int | None
    now: float
    operator: bool
    candid: bool
    whole: bool
    said: str | None


async def look_into(res: Resources, job_id: str, principal: Principal) -> Facts:
    """Gathers what is to be explained. Raises NotFound."""
    operator, user_id = is_operator(res, principal), owner_filter(principal, Right.SEE)
    found = await registered(res.core)
    now = time.time()

    def read(conn: Connection) -> Facts:
        job = job_store.get_job(conn, job_id, user_id)
        whole = owner_filter(principal) in (None, job.user_id)
        return Facts(
            job=job,
            units=job_store.units(conn, job_id),
            assets=asset_store.list_of_job(conn, job_id),
            calls=call_store.of_job(conn, job_id),
            replays=job_store.children(conn, job_id),
            position=job_store.position(conn, job) if job.state in WAITING_STATES else 0,
            paused=queue_store.get_pause(conn, job.queue),
            workers=serving(found, job.queue),
            now=now,
            operator=operator,
            candid=operator or not res.settings.is_production,
            whole=whole,
            said=job_store.last_said(conn, job_id) if operator and whole else None,
        )

    return await res.core.db.read(read)


def explain(facts: Facts) -> documents.Why:
    """Five lines, ready to print: headline, cause, money, kept, and what to try."""
    job = facts.job
    command, advice = _advice(facts)
    return documents.Why(
        job_id=job.id,
        state=job.state,
        headline=_headline(facts),
        cause=_cause(facts),
        cause_text=_cause_text(facts),
        money=_money(facts),
        kept=_kept(facts),
        advice=documents.Advice(command=command, text=advice),
    )


def _headline(facts: Facts) -> str:
    job, spent = facts.job, _span(facts)
    attempts = count(job.attempt, "attempt")
    if job.losses:  # also of a job that is done: its time is not its own fault
        attempts += f" ({count(job.losses, 'worker')} lost)"
    texts = {
        JobState.QUEUED: _queued(facts),
        JobState.ACTIVE: f"running, attempt {job.attempt} of {job.max_attempts}, {job.progress} % done",
        JobState.RETRYING: f"trying again {_until(job.run_at - facts.now)}, after {attempts}",
        JobState.COMPLETED: f"done after {attempts}, {spent}",
        JobState.PARTIAL: f"partly done after {attempts}, {spent}",
        JobState.FAILED: f"failed after {attempts}, {spent}",
        JobState.CANCELLED: f"cancelled after {spent}",
    }
    return texts[job.state]


def _queued(facts: Facts) -> str:
    job = facts.job
    if job.started_at is None and job.run_at > facts.now + 1:
        return f"planned, begins {_until(job.run_at - facts.now)}"
    since = job.run_at if job.started_at is None else job.queued_at
    return f"waiting for {duration(facts.now - since, whole=True)}"


def _cause(facts: Facts) -> Cause | None:
    if facts.job.state in WAITING_STATES:
        if facts.paused is not None:
            return facts.paused.cause
        if facts.workers is None:
            return Cause.REDIS
    return facts.job.cause or next((unit.cause for unit in facts.units if unit.cause), None)


def _cause_text(facts: Facts) -> str:
    job = facts.job
    if job.state in WAITING_STATES and (waiting := _waiting(facts)):
        return waiting
    if job.state == JobState.ACTIVE and job.collects_id and not job.cause:
        return f"Nothing is wrong: it fetches what {job.collects_id} had ordered before it was cancelled."
    if job.state == JobState.ACTIVE:
        return "Nothing is wrong: it is being worked on." if not job.cause else _failure(facts)
    if job.state == JobState.COMPLETED:
        lost = any(unit.ambiguous for unit in facts.units)
        return "It is done: what got no answer was asked for once more." if lost else "Nothing is wrong."
    return _failure(facts)


def _waiting(facts: Facts) -> str:
    job, queue = facts.job, facts.job.queue
    if facts.paused is not None:
        by_itself = facts.paused.probe_at is not None
        if by_itself and facts.paused.cause is not None and not facts.operator:
            return CAUSES[facts.paused.cause].told_while_waiting  # the reason has the provider's words
        if facts.paused.cause in OUTAGES and facts.paused.probe_at is not None:
            again = _until(facts.paused.probe_at - facts.now)
            return f"{facts.paused.reason} The queue {queue} tries it again {again}, and goes on when it is well."
        by_hand = facts.paused.paused_by not in (None, "", "system", BUDGET)  # `bmn audit` says whose
        who = " by hand" if by_hand else ""
        reason = f": {facts.paused.reason}" if facts.paused.reason else "."
        return f"The queue {queue} is paused{who}{reason}"
    if facts.workers is None:
        return "Redis does not answer. The job waits in the records, where workers look for it; nothing is lost."
    if facts.workers == 0:
        return f"No worker serves the queue {queue}."
    if job.state == JobState.RETRYING or job.cause:
        return _failure(facts)
    if job.run_at > facts.now + 1:
        return f"It was asked to start {_until(job.run_at - facts.now)}."
    if facts.position:
        return f"{facts.position} job{'s are' if facts.position != 1 else ' is'} ahead of it in the queue {queue}."
    return f"It is next in the queue {queue}."


def _failure(facts: Facts) -> str:
    cause = _cause(facts)
    if cause is None:
        return (facts.job.error if facts.whole else None) or "No cause was recorded."
    text = _missed(facts.job) if cause is Cause.DEADLINE else CAUSES[cause].told
    failed = [call for call in facts.calls if _has_failed(call)]
    if failed:
        last = failed[-1]
        asked = [
            call for call in facts.calls if call.provider == last.provider
        ]  # another one may have served beside it
        status = f", the last with status {last.status}" if last.status and last.status >= _REFUSED else ""
        text += f" {sum(map(_has_failed, asked))} of {len(asked)} calls to {last.provider} failed{status}."
    return f"{text} It said: {facts.said}" if facts.said else text


def _has_failed(call: ProviderCallRow) -> bool:
    return call.outcome not in ("ok", "cancelled")


def _missed(job: JobRow) -> str:
    """Which deadline passed, and where the job was by then."""
    told = CAUSES[Cause.DEADLINE].told
    if job.started_at is None and job.start_by is not None:
        return f"{told} It was to begin within {duration(job.start_by - job.run_at)}, and no worker had come to it."
    if job.finish_by is not None:
        allowed = duration(job.finish_by - job.created_at)
        stood = "had not begun" if job.started_at is None else f"was at {job.progress} %"
        return f"{told} It was to be done {allowed} after it was submitted, and {stood}."
    return told


def _money(facts: Facts) -> str:
    job = facts.job
    if job.collects_id:
        return f"Free of charge: what it fetches was paid for with {job.collects_id}."
    held = job.credits_reserved - job.credits_charged - job.credits_refunded
    reserved = job.credits_reserved
    parts = [f"reserved {count(reserved, 'credit')}, charged {job.credits_charged}"]
    parts.append(f"refunded {job.credits_refunded}")
    if held > 0:
        parts.append(f"{held} still held")
    ambiguous = sum(unit.ambiguous for unit in facts.units)
    sandboxed = bool(facts.calls) and all(call.sandboxed for call in facts.calls)
    charge = "$0.00 (sandbox)" if sandboxed else f"${job.cost_usd:.2f}"
    if job.usd_estimated and not sandboxed:
        charge += f" of ${job.usd_estimated:.2f} expected"
    text = f"{', '.join(parts)}. Providers' charge {charge}."
    if ambiguous:
        text += f" {count(ambiguous, 'paid request')} got no answer and may have been billed twice."
    return text[0].upper() + text[1:]


def _kept(facts: Facts) -> str:
    if not facts.assets:
        to_come = _to_come(facts) or not _ended(facts)
        return "Nothing has been delivered yet." if to_come else "Nothing was delivered."
    kinds: dict[str, int] = {}
    for asset in facts.assets:
        kinds[asset.asset_type] = kinds.get(asset.asset_type, 0) + 1
    return ", ".join(count(number, kind) for kind, number in kinds.items())


# Where the same once more would end the same way: what to look at before anything else.
_LOOK_FIRST = {
    Cause.BAD_INPUT: "show",
    Cause.MODERATED: "show",
    Cause.SCHEMA_CHANGED: "show",
    Cause.WORKER_KILLED: "logs",
    Cause.BUG: "logs",
}


def _to_come(facts: Facts) -> bool:
    """Whether something of it was ordered before a cancel, and charged, and is still being collected."""
    return any(unit.credits and unit.state is not UnitState.SAVED for unit in facts.units)


def collected(facts: Facts) -> tuple[str, str] | None:
    """Of a cancelled job that had ordered something; None where there is something to start again."""
    job = facts.job
    if _to_come(facts):
        return f"bmn jobs watch {collector_id(job)}", "It fetches what was ordered and paid for before the cancel."
    if facts.assets and job.credits_charged == job.credits_reserved:
        return f"bmn jobs show {job.id}", "Nothing of it is missing: all had been ordered before the cancel."
    return None


def _advice(facts: Facts) -> tuple[str, str]:
    job = facts.job
    if facts.replays:
        return f"bmn jobs show {facts.replays[-1]}", "It was started again already; this is the newest run."
    if job.state in WAITING_STATES:
        if facts.paused is not None and facts.paused.cause in OUTAGES:
            return f"bmn jobs watch {job.id}", "Wait; it goes on by itself, attempt unspent."
        if facts.paused is not None:
            return f"bmn queues resume {job.queue}", _mending(facts, facts.paused)
        if facts.workers == 0:
            return f"bmn worker {job.queue}", "Start a worker; the job goes on by itself."
        if facts.workers is None:
            return "bmn doctor", "It says what is wrong with Redis; the job goes on by itself."
    if not _ended(facts):
        return f"bmn jobs watch {job.id}", "Wait; or stop it with `bmn jobs cancel`."
    if job.state == JobState.COMPLETED:
        return f"bmn jobs show {job.id}", "Nothing to do."
    if job.collects_id:
        return f"bmn jobs show {job.collects_id}", "The job it fetched for; what it could not get was refunded."
    if job.state == JobState.CANCELLED and (ordered := collected(facts)):
        return ordered
    cause = _cause(facts)
    if cause in _LOOK_FIRST:
        return f"bmn jobs {_LOOK_FIRST[cause]} {job.id}", CAUSES[cause].advice
    if cause is Cause.WEBHOOK_FAILED:
        return "bmn webhooks deliveries", CAUSES[cause].advice
    if was_delivered(get_queue(job.queue), facts.units):
        return f"bmn jobs show {job.id}", "It has done what it was paid for; submit a new job to go on."
    return f"bmn jobs retry {job.id}", "Pays only for what is missing." if facts.assets else "Starts it again."


def _mending(facts: Facts, paused: QueueSettingRow) -> str:
    """What lets a paused queue go on."""
    if facts.candid and paused.cause is not None and CAUSES[paused.cause].pauses_queue:
        return CAUSES[paused.cause].advice.replace("QUEUE", facts.job.queue)
    return "For an operator, when the reason is fixed; nothing is lost meanwhile."


def _ended(facts: Facts) -> bool:
    return facts.job.completed_at is not None


def _span(facts: Facts) -> str:
    """How long it ran: to the tenth once it has ended, as every other place says it."""
    end = facts.job.completed_at or facts.now
    return duration(end - (facts.job.started_at or facts.job.queued_at), whole=not _ended(facts))


def _until(seconds: float) -> str:
    return "now" if seconds <= 0 else f"in {duration(math.ceil(seconds), whole=True)}"
