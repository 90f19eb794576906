"""Acting on many jobs: chosen once, then one after the other, by whoever has the sweeper's lock, until all have an outcome.

A process that dies loses nothing: an outcome is committed together with what was done, and the next one goes on with the
jobs that have none.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from bmn.db import dead_letters, job_store
from bmn.db.accounts import audit_store
from bmn.db.accounts.audit_store import Actor
from bmn.db.batches import bulk_store, kit_store
from bmn.db.batches.bulk_store import Action, Bulk, BulkItemRow
from bmn.db.batches.kit_store import KitRow
from bmn.db.engine import Connection, is_passing
from bmn.db.transitions import Change
from bmn.errors import BmnError, Conflict, InsufficientCredits
from bmn.events.audience import kit_updated
from bmn.jobs.cancellation import check_open, request_cancel, tell_worker
from bmn.jobs.core import Core
from bmn.jobs.replay import already_resolved, purge_letter, replay_job
from bmn.logs import get_logger

log = get_logger(__name__)

_AT_ONCE = 20  # jobs a transaction takes up at most
_STEP_SECONDS = 0.02  # for so long it goes on with the next; others write meanwhile
_LOOK_SECONDS = 0.5  # a longer wait for a rate is looked at again, since somebody may have paused or changed it


@dataclass(frozen=True, slots=True)
class _Did:
    """What one job's transaction has to publish. queue: the job's own, where its place in line changes.

    kit: one that has ended with it.
    """

    item: BulkItemRow
    change: Change | None = None
    queue: str | None = None
    tell: bool = False
    unbury: bool = False
    kit: KitRow | None = None


@dataclass(slots=True)
class _Step:
    did: list[_Did] = field(default_factory=list)
    ended: str | None = None


async def work(core: Core, go_on: Callable[[], bool] = lambda: True) -> None:
    """Carries out every action that runs, side by side, until none is left. go_on: whether it is still ours to do."""
    while go_on():
        due = await core.db.read(bulk_store.running)
        if not due:
            return
        ready = [bulk_id for bulk_id, wait in due if wait <= 0]
        for bulk_id in ready:
            await _carry_on(core, bulk_id)
        if not ready:
            await asyncio.sleep(min(_LOOK_SECONDS, *(max(wait, 0.001) for _, wait in due)))


async def _carry_on(core: Core, bulk_id: str) -> None:
    step = await core.db.write(partial(_step, core=core, bulk_id=bulk_id))
    for did in step.did:
        if did.change is not None:
            core.outbox.publish(did.change, did.queue)
        if did.tell:
            await tell_worker(core, did.item.job_id)
    core.outbox.send([kit_updated(did.kit) for did in step.did if did.kit is not None])
    core.outbox.unbury([did.item.job_id for did in step.did if did.unbury])
    if step.ended:
        log.info("bulk action ended", bulk_id=bulk_id, state=step.ended)


def _step(conn: Connection, core: Core, bulk_id: str) -> _Step:
    """Acts on the next jobs, each in a savepoint of its own, and writes down what became of them."""
    bulk = bulk_store.hold(conn, bulk_id)
    if bulk is None:
        return _Step()
    if (why := bulk_store.failures_stop(conn, bulk)) is not None:
        bulk_store.change_state(conn, bulk_id, "stopped", among=("running",), message=why)
        return _Step(ended="stopped")
    if not (most := bulk_store.allowed(bulk, _AT_ONCE)):
        return _Step()  # somebody was faster
    wanted = bulk_store.next_items(conn, bulk_id, most)
    if not wanted:
        bulk_store.change_state(conn, bulk_id, "done", among=("running",))
        return _Step(ended="done")
    step, until = _Step(), time.monotonic() + _STEP_SECONDS
    for item in wanted:
        step.did.append(_act(conn, core, bulk, item))
        if time.monotonic() > until:
            break
    bulk_store.note_outcomes(conn, bulk, [did.item for did in step.did])
    return step


def _act(conn: Connection, core: Core, bulk: Bulk, item: BulkItemRow) -> _Did:
    try:
        with conn.begin_nested():
            return _ACTS[bulk.action](conn, core, bulk, replace(item, state="done"))
    except BmnError as refusal:
        return _Did(replace(item, state="refused", detail=_reason(refusal)))
    except Exception as error:
        if is_passing(error):
            raise
        log.exception("a job of a bulk action", bulk_id=bulk.id, job_id=item.job_id)
        return _Did(replace(item, state="refused", detail=f"A defect of ours: {type(error).__name__}."))


def _reason(refusal: BmnError) -> str:
    if isinstance(refusal, InsufficientCredits):
        return f"{refusal.message}: it takes {refusal.required}, and its user has {refusal.available}."
    return refusal.message


def _actor(bulk: Bulk) -> Actor:
    return Actor(bulk.asked_by, key_id=bulk.key_id, address=bulk.address, on_behalf_of=bulk.on_behalf_of)


def _retry(conn: Connection, core: Core, bulk: Bulk, item: BulkItemRow) -> _Did:
    by, owner = _actor(bulk), bulk.owner_id
    made, change = replay_job(conn, core, item.job_id, by, owner, bulk.changes, bulk.reason)
    done = replace(item, new_job_id=made.job_id, credits=made.credits, detail="Started again.")
    return _Did(done, change, unbury=True)


def _cancel(conn: Connection, core: Core, bulk: Bulk, item: BulkItemRow) -> _Did:
    job = job_store.get_job(conn, item.job_id, bulk.owner_id)
    check_open(job)
    change, asked = request_cancel(conn, job, _actor(bulk), bulk.reason)
    if change is None and not asked:
        raise Conflict("This job ended before the cancel reached it.")
    kit = kit_store.end_cancelled(conn, job.group_id) if job.group_id and _is_of_group_alone(bulk) else None
    if change is None:
        return _Did(replace(item, detail="Its worker is asked to stop."), tell=True, kit=kit)
    ended = job_store.get_job(conn, job.id)
    done = replace(item, credits=ended.credits_refunded, detail=ended.message)
    return _Did(done, change, queue=job.queue, kit=kit)


def _is_of_group_alone(bulk: Bulk) -> bool:
    """Whether an action is for all of a group, so that a kit which it is goes no further."""
    return "groupId" in bulk.selection and bulk.selection.keys() <= {"action", "groupId", "user", "all"}


def _purge(conn: Connection, core: Core, bulk: Bulk, item: BulkItemRow) -> _Did:
    if not purge_letter(conn, item.job_id, _actor(bulk), bulk.reason):
        letter = dead_letters.of_job(conn, item.job_id)
        raise Conflict(already_resolved(letter) if letter else "This dead letter is gone.")
    return _Did(replace(item, detail="Given up."), unbury=True)


_ACTS: dict[Action, Callable[[Connection, Core, Bulk, BulkItemRow], _Did]] = {
    "retry": _retry,
    "replay": _retry,
    "cancel": _cancel,
    "purge": _purge,
}


def note_start(conn: Connection, bulk_id: str, by: str, action: Action, total: int, reason: str | None) -> None:
    """Writes into the audit log who began an action."""
    audit_store.note(conn, by, "bulk.start", bulk_id, reason=reason, after={"action": action, "jobs": total})
