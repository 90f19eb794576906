"""Bringing ended jobs back: a replay is a new job that names its parent and pays only for what is missing."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from pydantic import ValidationError

from bmn.db import dead_letters, job_store
from bmn.db.accounts import audit_store
from bmn.db.batches import kit_store
from bmn.db.collecting import collector_id
from bmn.db.dead_letters import DeadFilter
from bmn.db.engine import Connection
from bmn.db.records import DeadLetterRow, JobRow, LetterState, NewJob, UnitRow, UnitState
from bmn.db.transitions import Change
from bmn.errors import BmnError, Conflict, NotAllowed, UsageProblem
from bmn.jobs import budgets
from bmn.jobs.core import Core
from bmn.jobs.outages import in_service
from bmn.jobs.queue import Queue, Terms
from bmn.jobs.submission import store_jobs
from bmn.schemas.documents import Misfit
from bmn.schemas.payloads import REPLAYABLE_STATES, TERMINAL_STATES, JobState, Payload
from bmn.schemas.wording import flaws

_FIXED = {"userId", "brandId"}
_NUMBER = re.compile(r"-([0-9]+)$")


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of one replay. job_id: the new job; None where it was refused, and error says why."""

    parent_id: str
    job_id: str | None
    credits: int
    error: str | None = None


async def retry(
    core: Core,
    job_id: str,
    by: str,
    *,
    user_id: str | None = None,
    changes: Mapping[str, object] | None = None,
    reason: str | None = None,
) -> Replay:
    """Makes a new job from an ended one. changes: payload fields to set, validated against today's schema.

    user_id: whose job it has to be; None for an admin. Raises NotFound, Conflict where it is not ended or was replayed
    already, NotAllowed, UsageProblem where the payload no longer fits, InsufficientCredits, and BudgetReached for a user.
    """
    replay, change = await core.db.write(
        lambda conn: replay_job(conn, core, job_id, by, user_id, changes or {}, reason)
    )
    core.outbox.publish(change)
    core.outbox.unbury([job_id])
    return replay


async def replay(
    core: Core, chosen: DeadFilter, by: str, *, limit: int = 1000, reason: str | None = None
) -> list[Replay]:
    """Replays open dead letters one by one: each once, however many people press the key, and as far as it gets."""
    letters = await core.db.read(lambda conn: dead_letters.find(conn, chosen, limit=limit))
    done: list[Replay] = []
    for letter in reversed(letters):  # oldest first
        try:
            done.append(await retry(core, letter.job_id, by, reason=reason))
        except BmnError as problem:
            done.append(Replay(letter.job_id, None, 0, problem.message))
    return done


async def estimate(core: Core, chosen: DeadFilter, *, limit: int = 1000) -> tuple[int, int]:
    """What a replay would bring back: how many jobs, and how many credits they would reserve."""
    return await core.db.read(lambda conn: _estimate(conn, core, chosen, limit))


async def purge(core: Core, chosen: DeadFilter, by: str, *, limit: int = 1000, reason: str | None = None) -> int:
    """Gives open dead letters up; returns how many. Their jobs stay in the list as failed."""
    letters = await core.db.read(lambda conn: dead_letters.find(conn, chosen, limit=limit))
    ids = [letter.job_id for letter in letters]
    purged = await core.db.write(lambda conn: [i for i in ids if purge_letter(conn, i, by, reason)])
    core.outbox.unbury(purged)
    return len(purged)


def purge_letter(conn: Connection, job_id: str, by: str, reason: str | None) -> bool:
    """Gives an open dead letter up, inside the caller's transaction; False where it is open no more."""
    taken = dead_letters.take(conn, job_id, state=LetterState.PURGED, by=by)
    if taken:
        audit_store.note(conn, by, "dlq.purge", job_id, reason=reason)
    return taken


def _estimate(conn: Connection, core: Core, chosen: DeadFilter, limit: int) -> tuple[int, int]:
    letters = dead_letters.find(conn, chosen, limit=limit)
    return len(letters), sum(_cost_of_letter(conn, core, letter) for letter in letters)


def _cost_of_letter(conn: Connection, core: Core, letter: DeadLetterRow) -> int:
    queue = core.queue(letter.queue)
    try:
        payload = queue.payload.model_validate(letter.payload)
    except ValidationError:
        return 0
    return _cost(conn, core, queue, letter.job_id, payload)


def _cost(conn: Connection, core: Core, queue: Queue, job_id: str, payload: Payload) -> int:
    return _missing(conn, queue, job_id, payload) * queue.price(core.settings)


def _missing(conn: Connection, queue: Queue, job_id: str, payload: Payload) -> int:
    """How many units of a payload its job has not delivered."""
    wanted = queue.units(payload)
    return wanted - _delivered(job_store.units(conn, job_id), wanted)


def _delivered(units: Iterable[UnitRow], wanted: int) -> int:
    """How many of the first `wanted` units are there: who asks for fewer now gets these, whatever else was made."""
    saved = [unit.unit for unit in units if unit.state is UnitState.SAVED]
    places = {int(found[1]) if (found := _NUMBER.search(name)) else 0 for name in saved}
    return sum(place < wanted for place in places)


def replay_job(
    conn: Connection,
    core: Core,
    job_id: str,
    by: str,
    user_id: str | None,
    changes: Mapping[str, object],
    reason: str | None,
) -> tuple[Replay, Change]:
    """Makes a new job from an ended one, as `retry` does, inside the caller's transaction. Raises what that raises."""
    parent = job_store.get_job(conn, job_id, user_id, lock=True)
    queue = core.queue(parent.queue)
    _check_ended(conn, parent)
    if changes and user_id is not None and not queue.job_type:
        # Mails, CRM events and thumbnails are ours: their words and addressees are not the user's to choose.
        raise NotAllowed(f"Only an admin changes what a job of {queue.name} does.", hint="Retry it without changes.")
    payload = _payload(queue, parent, changes)
    if was_delivered(queue, job_store.units(conn, job_id)):
        raise Conflict(
            "This job had done what it was paid for before it ended.", hint="Submit it again, to do it once more."
        )
    job = _new_job(conn, core, queue, parent, payload)
    _take_once(conn, job_id, by, job.id)
    made: dict[str, object] = {"job": job.id}
    if user_id is None and parent.user_id:
        wanted = {parent.user_id: budgets.Outlay(job.credits, job.usd)}
        made |= {"pastBudget": True} if budgets.passed_by(conn, core, wanted) else {}
    change = store_jobs(conn, core, parent.user_id, [job], heals=user_id is None)
    if parent.group_id:
        change.kits += kit_store.go_on(conn, parent.group_id)
    audit_store.note(conn, by, "job.replay", job_id, reason=reason, before={"state": parent.state}, after=made)
    return Replay(job_id, job.id, job.credits), change


def _new_job(conn: Connection, core: Core, queue: Queue, parent: JobRow, payload: Payload) -> NewJob:
    """The job that makes what is missing of an ended one."""
    missing = _missing(conn, queue, parent.id, payload)
    price = queue.price(core.settings)
    return queue.new_job(
        payload,
        user_id=parent.user_id,
        terms=Terms(priority=parent.priority, webhook=next((h for h in parent.webhooks if not h.endpoint_id), None)),
        credits=missing * price,
        unit_credits=price if parent.user_id else 0,
        usd=core.work.usd(core.settings, queue.name, payload, missing, in_service(conn, core.settings, queue)),
        parent_id=parent.id,
        group_id=parent.group_id,
        request_id=parent.request_id,
        message="Brought back, waiting in line",
    )


def _check_ended(conn: Connection, parent: JobRow) -> None:
    """Raises Conflict for a job that goes on, went well, or belongs to another one that can be brought back."""
    if parent.collects_id is not None:
        raise Conflict(
            "This job only fetched what another one had paid for; what it could not get was refunded.",
            hint=f"Retry that one: {parent.collects_id}.",
        )
    if parent.state not in REPLAYABLE_STATES:
        raise Conflict(
            f"This job cannot be brought back: it is {parent.state}.", hint=_instead(parent), state=parent.state
        )
    if (collector := _still_collecting(conn, parent)) is not None:
        raise Conflict(
            "What this job had ordered before it was cancelled is still being fetched.",
            hint=f"Retry it when {collector} has ended, so that nothing is paid twice.",
        )


def _take_once(conn: Connection, job_id: str, by: str, new_id: str) -> None:
    """Marks a job as brought back. Raises Conflict where somebody was faster."""
    letter = dead_letters.of_job(conn, job_id)
    if letter is not None and not dead_letters.take(
        conn, job_id, state=LetterState.REPLAYED, by=by, replay_job_id=new_id
    ):
        newest = letter.replay_job_id
        hint = None if newest else "Submit it again, if it is wanted after all."
        raise Conflict(already_resolved(letter), hint=hint, replay=newest)
    if letter is None and (others := job_store.children(conn, job_id)):
        raise Conflict(f"This job was brought back already, as {others[-1]}.", replay=others[-1])


def _still_collecting(conn: Connection, parent: JobRow) -> str | None:
    """The job that collects for a cancelled one, while it does."""
    name = collector_id(parent)
    found = job_store.state_of(conn, name) if parent.state is JobState.CANCELLED else None
    return name if found and found[0] not in TERMINAL_STATES else None


def was_delivered(queue: Queue, units: Iterable[UnitRow]) -> bool:
    """Whether a job has done what it was paid for, such as a step of the wizard, of which no part can be missing."""
    return queue.credits is not None and any(unit.state is UnitState.SAVED and not unit.asset_id for unit in units)


def _instead(parent: JobRow) -> str:
    """What to do with a job that has not failed."""
    if parent.state is JobState.COMPLETED:
        return "It is done; submit it again for more of the kind."
    return "It is not over; it can be followed or cancelled."


def already_resolved(letter: DeadLetterRow) -> str:
    """What has become of a dead letter that is open no more."""
    if letter.state is LetterState.PURGED:
        return f"This dead letter was purged by {letter.resolved_by}."
    return f"Already replayed as {letter.replay_job_id} by {letter.resolved_by}."


def _fields_like(queue: Queue, changes: Mapping[str, object]) -> str:
    """What a mistyped field may have been meant for, or which there are."""
    known = [str(field.alias or name) for name, field in queue.payload.model_fields.items()]
    meant = {near[0] for name in changes if name not in known and (near := get_close_matches(name, known, n=1))}
    if meant:
        return f"Did you mean {' or '.join(sorted(meant))}?"
    return f"It takes {', '.join(sorted(set(known) - _FIXED))}."


def _payload(queue: Queue, parent: JobRow, changes: Mapping[str, object]) -> Payload:
    """The payload of a replay under today's schema. Raises UsageProblem with the difference where it does not fit."""
    fixed = _FIXED & changes.keys()
    if fixed:
        raise UsageProblem(f"{', '.join(sorted(fixed))} cannot be changed.")
    try:
        return queue.payload.model_validate({**parent.payload, **changes})
    except ValidationError as error:
        wrong = flaws(error)
        difference = [
            Misfit(field=flaw.where, problem=flaw.words, value=repr(flaw.value)[:100]).wire() for flaw in wrong
        ]
        fields = ", ".join(flaw.where for flaw in wrong)
        if all(flaw.field in changes for flaw in wrong):
            told = "; ".join(map(str, wrong))
            raise UsageProblem(
                f"These changes do not fit a job of {queue.name}: {told[:500]}.",
                hint=_fields_like(queue, changes),
                misfits=difference,
            ) from error
        raise UsageProblem(
            f"The payload does not fit the schema of {queue.name} any more: {fields}.",
            hint="Send new values for these fields, or submit the job again.",
            misfits=difference,
        ) from error
