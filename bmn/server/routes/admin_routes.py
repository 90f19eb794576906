"""What operators see and do. Every change leaves a row in the audit log."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query

from bmn.db import dead_letters
from bmn.db.accounts import credit_store
from bmn.db.dead_letters import DeadFilter
from bmn.db.engine import Connection
from bmn.db.lists.paging import COUNTED, write_cursor
from bmn.db.operators import queue_store
from bmn.db.records import QueueSettingRow
from bmn.events.audience import credits_updated, system_alert
from bmn.jobs.queue import DEAD_LETTER
from bmn.jobs.registered import registered, serving
from bmn.jobs.replay import estimate, purge, replay
from bmn.schemas import documents
from bmn.schemas.base import Text, when
from bmn.schemas.payloads import JobState
from bmn.schemas.requests import DlqSelection, GrantBody, PauseBody, ReasonBody
from bmn.server.access.asking import AskingRoute
from bmn.server.access.dependencies import By, Caller, Res
from bmn.server.access.refusals import ANY_CALLER, refusals
from bmn.server.access.revealing import Looker
from bmn.server.access.scope import check_words
from bmn.server.answers import operator_views, views
from bmn.server.state.resources import Resources
from bmn.work import cleanup
from bmn.work.registry import ALL_QUEUES, QUEUES, get_queue

router = APIRouter(prefix="/api/v1/admin", tags=["admin"], responses=ANY_CALLER, route_class=AskingRoute)

Words = Annotated[Text | None, Query(max_length=200)]


@router.get("/queues")
async def list_queues(res: Res, principal: Caller) -> documents.Queues:
    """Every queue: what waits, what runs, who works on it, how long it takes."""
    rows = await queue_rows(res)
    return views.shown(documents.Queues(queues=list(rows.values())), principal)


@router.post("/queues/{queue}/pause", responses=refusals(404, 413))
async def pause_queue(queue: str, res: Res, by: By, body: PauseBody | None = None) -> documents.QueueStatus:
    """Its jobs wait, attempt unspent; running ones finish."""
    name, reason = get_queue(queue).name, (body or PauseBody()).reason
    if await res.core.db.write(lambda conn: queue_store.set_paused(conn, name, by=by, reason=reason)):
        data = {"queue": name, "by": str(by), "reason": reason}
        res.core.outbox.send([system_alert("queue-paused", f"The queue {name} was paused.", "warn", data)])
    return (await queue_rows(res))[name]


@router.post("/queues/{queue}/resume", responses=refusals(404, 413))
async def resume_queue(queue: str, res: Res, by: By, body: ReasonBody | None = None) -> documents.QueueStatus:
    """Its jobs are taken again, and those of its providers that are out are asked again at once."""
    name, reason = get_queue(queue).name, (body or ReasonBody()).reason
    await res.core.db.write(lambda conn: queue_store.resume(conn, name, by=by, reason=reason))
    return (await queue_rows(res))[name]


@router.get("/dlq")
async def list_dlq(
    res: Res,
    principal: Looker,
    queue: Words = None,
    cause: Words = None,
    text: Words = None,
    since: Annotated[float | None, Query(gt=0, description="seconds ago at most")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
) -> documents.DeadLetterPage:
    """The open ones, newest first. `total` counts what fits, up to 10,000."""
    check_words(principal, text, None)
    chosen = DeadFilter(queue=queue, cause=cause, text=text, since=time.time() - since if since else None)
    rows, total = await res.core.db.read(
        lambda conn: (
            dead_letters.find(conn, chosen, limit=limit + 1, cursor=cursor),
            dead_letters.count(conn, chosen),
        )
    )
    last = rows[limit - 1] if len(rows) > limit else None
    further = write_cursor(last.created_at, last.id) if last else None
    shown = [operator_views.dead_letter(row) for row in rows[:limit]]
    exact = total <= COUNTED
    page = documents.DeadLetterPage(
        dead_letters=shown, next_cursor=further, total=min(total, COUNTED), total_is_exact=exact
    )
    return views.shown(page, principal)


@router.post("/dlq/replay", responses=refusals(413))
async def replay_dlq(body: DlqSelection, res: Res, principal: Looker, by: By) -> documents.Replays:
    """Each entry once, however many people ask; one that was refused says why. dryRun: only what it would bring."""
    check_words(principal, body.text, None)
    chosen = _selection(body)
    if chosen is None:
        return documents.Replays(replays=[], count=0, estimated_credits=0)
    if body.dry_run:
        count, cost = await estimate(res.core, chosen, limit=body.limit)
        return documents.Replays(replays=[], count=count, estimated_credits=cost)
    done = await replay(res.core, chosen, by, limit=body.limit, reason=body.reason)
    shown = [
        documents.ReplayedLetter(
            id=f"dead-{entry.parent_id}",
            job_id=entry.job_id,
            parent_id=entry.parent_id,
            credits=entry.credits,
            error=entry.error,
        )
        for entry in done
    ]
    return documents.Replays(replays=shown, count=sum(entry.job_id is not None for entry in done))


@router.post("/dlq/purge", responses=refusals(413))
async def purge_dlq(body: DlqSelection, res: Res, principal: Looker, by: By) -> documents.Purged:
    """Gives them up: their jobs stay in the list as failed. dryRun: only how many."""
    check_words(principal, body.text, None)
    chosen = _selection(body)
    if chosen is None:
        return documents.Purged(count=0)
    if body.dry_run:
        count, _ = await estimate(res.core, chosen, limit=body.limit)
        return documents.Purged(count=count)
    return documents.Purged(count=await purge(res.core, chosen, by, limit=body.limit, reason=body.reason))


def _selection(body: DlqSelection) -> DeadFilter | None:
    """None where nothing was named: an empty request must not mean everything."""
    named = body.ids or body.queue or body.cause or body.text or body.since
    if not named and not body.everything:
        return None
    since = time.time() - body.since if body.since else None
    return DeadFilter(tuple(body.ids), body.queue, body.cause, body.text, since)


@router.post("/credits", responses=refusals(404, 413))
async def grant_credits(body: GrantBody, res: Res, by: By) -> documents.Granted:
    """To a user, or to the caller where none is named. 404 for a user who was never seen."""
    user_id = body.user_id or str(by)
    balance = await res.core.db.write(lambda conn: credit_store.grant(conn, user_id, body.amount, by, body.reason))
    res.core.outbox.send([credits_updated(user_id, balance.remaining, balance.used)])
    return documents.Granted(user_id=user_id, credits_remaining=balance.remaining)


async def queue_rows(res: Resources) -> dict[str, documents.QueueStatus]:
    """One row a queue, by name; the dead letters wait in theirs for somebody to bring them back."""
    found = await registered(res.core)

    def read(conn: Connection) -> Any:
        dead = {JobState.QUEUED: queue_store.open_dead_letters(conn)}
        return (
            {**queue_store.counts(conn), DEAD_LETTER: dead},
            queue_store.oldest_waiting(conn),
            queue_store.settings(conn),
            queue_store.percentiles(conn, QUEUES),
        )

    counts, oldest, settings, spans = await res.core.db.read(read)
    return {
        name: _queue_row(
            name,
            counts.get(name, {}),
            oldest.get(name),
            settings.get(name),
            spans.get(name),
            serving(found, name),
        )
        for name in ALL_QUEUES
    }


def _queue_row(
    name: str,
    counts: dict[str, int],
    oldest: float | None,
    setting: QueueSettingRow | None,
    span: tuple[float, float] | None,
    serving: int | None,
) -> documents.QueueStatus:
    delayed = counts.get("delayed", 0)
    return documents.QueueStatus(
        name=name,
        waiting=counts.get(JobState.QUEUED, 0) + counts.get(JobState.RETRYING, 0) - delayed,
        active=counts.get(JobState.ACTIVE, 0),
        delayed=delayed,
        completed=counts.get(JobState.COMPLETED, 0) + counts.get(JobState.PARTIAL, 0),
        failed=counts.get(JobState.FAILED, 0),
        cancelled=counts.get(JobState.CANCELLED, 0),
        workers=serving,
        oldest_wait_seconds=None if oldest is None else round(oldest, 1),
        p50_ms=round(span[0] * 1000) if span else None,
        p95_ms=round(span[1] * 1000) if span else None,
        paused=setting is not None and setting.paused,
        cause=setting.cause if setting else None,
        reason=setting.reason if setting else None,
        paused_by=setting.paused_by if setting else None,
        paused_at=when(setting.paused_at if setting else None),
        tried_again_at=when(setting.probe_at if setting and setting.paused else None),
        next_run_at=when(cleanup.next_run()) if name == "cleanup" else None,
    )
