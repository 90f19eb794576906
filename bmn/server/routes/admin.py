"""What operators see and do. Every change leaves a row in the audit log."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from bmn.db import credits, dead_letters, queues, workers
from bmn.db.dead_letters import DeadFilter
from bmn.db.engine import Connection
from bmn.db.paging import write_cursor
from bmn.events.audience import credits_updated, system_alert
from bmn.jobs.replay import estimate, purge, replay
from bmn.jobs.sweeper import next_cleanup
from bmn.schemas.base import Text
from bmn.schemas.payloads import JobState
from bmn.schemas.requests import DlqSelection, GrantBody, PauseBody
from bmn.server import views
from bmn.server.dependencies import Admin, Res
from bmn.server.resources import Resources
from bmn.server.workers import registered, serving
from bmn.work.registry import ALL_QUEUES, DEAD_LETTER, get_queue

router = APIRouter(prefix="/api/v1/admin", tags=["admin"])

Words = Annotated[Text | None, Query(max_length=200)]


@router.get("/queues")
async def list_queues(res: Res, principal: Admin) -> JSONResponse:
    rows = await _queue_rows(res)
    return JSONResponse({"queues": list(rows.values())})


@router.post("/queues/{queue}/pause")
async def pause_queue(queue: str, res: Res, principal: Admin, body: PauseBody | None = None) -> JSONResponse:
    """Its jobs wait, attempt unspent; running ones finish."""
    name, reason = get_queue(queue).name, (body or PauseBody()).reason
    if await res.core.db.write(lambda conn: queues.set_paused(conn, name, by=principal.user_id, reason=reason)):
        data = {"queue": name, "by": principal.user_id, "reason": reason}
        res.core.outbox.send([system_alert("queue-paused", f"The queue {name} was paused.", "warn", data)])
    return JSONResponse((await _queue_rows(res))[name])


@router.post("/queues/{queue}/resume")
async def resume_queue(queue: str, res: Res, principal: Admin) -> JSONResponse:
    name = get_queue(queue).name
    await res.core.db.write(lambda conn: queues.set_running(conn, name, by=principal.user_id))
    return JSONResponse((await _queue_rows(res))[name])


@router.get("/workers")
async def list_workers(res: Res, principal: Admin) -> JSONResponse:
    """redis: false where Redis is away, and nobody can say who is there."""
    found = await registered(res.core)
    held = await res.core.db.read(workers.held)
    shown = [
        {
            "name": worker.name,
            "queue": ",".join(worker.queues),
            "host": worker.host,
            "pid": worker.pid,
            "state": worker.state,
            "jobs": held.get(worker.name, []),
            "memoryBytes": worker.memory_bytes,
            "startedAt": worker.started_at,
            "heartbeatAt": worker.heartbeat_at,
        }
        for worker in found or []
    ]
    return JSONResponse({"workers": shown, "redis": found is not None})


@router.get("/dlq")
async def list_dlq(
    res: Res,
    principal: Admin,
    queue: Words = None,
    cause: Words = None,
    text: Words = None,
    since: Annotated[float | None, Query(gt=0, description="seconds ago at most")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
) -> JSONResponse:
    """The open ones, newest first. `total` counts all that fit."""
    chosen = DeadFilter(queue=queue, cause=cause, text=text, since=time.time() - since if since else None)
    rows, total = await res.core.db.read(
        lambda conn: (
            dead_letters.find(conn, chosen, limit=limit + 1, cursor=cursor),
            dead_letters.count(conn, chosen),
        )
    )
    last = rows[limit - 1] if len(rows) > limit else None
    further = write_cursor(last["created_at"], last["id"]) if last else None
    shown = [views.dead_letter(row) for row in rows[:limit]]
    return JSONResponse({"deadLetters": shown, "nextCursor": further, "total": total})


@router.post("/dlq/replay")
async def replay_dlq(body: DlqSelection, res: Res, principal: Admin) -> JSONResponse:
    """Each entry once, however many people ask; one that was refused says why. dryRun: only what it would bring."""
    chosen = _selection(body)
    if chosen is None:
        return JSONResponse({"replays": [], "count": 0, "estimatedCredits": 0})
    if body.dry_run:
        count, cost = await estimate(res.core, chosen, limit=body.limit)
        return JSONResponse({"replays": [], "count": count, "estimatedCredits": cost})
    done = await replay(res.core, chosen, principal.user_id, limit=body.limit)
    shown = [
        {
            "id": f"dead-{entry.parent_id}",
            "jobId": entry.job_id,
            "parentId": entry.parent_id,
            "credits": entry.credits,
            "error": entry.error,
        }
        for entry in done
    ]
    return JSONResponse({"replays": shown, "count": sum(entry.job_id is not None for entry in done)})


@router.post("/dlq/purge")
async def purge_dlq(body: DlqSelection, res: Res, principal: Admin) -> JSONResponse:
    """Gives them up: their jobs stay in the list as failed. dryRun: only how many."""
    chosen = _selection(body)
    if chosen is None:
        return JSONResponse({"count": 0})
    if body.dry_run:
        count, _ = await estimate(res.core, chosen, limit=body.limit)
        return JSONResponse({"count": count})
    return JSONResponse({"count": await purge(res.core, chosen, principal.user_id, limit=body.limit)})


def _selection(body: DlqSelection) -> DeadFilter | None:
    """None where nothing was named: an empty request must not mean everything."""
    named = body.ids or body.queue or body.cause or body.text or body.since
    if not named and not body.everything:
        return None
    since = time.time() - body.since if body.since else None
    return DeadFilter(tuple(body.ids), body.queue, body.cause, body.text, since)


@router.post("/credits")
async def grant_credits(body: GrantBody, res: Res, principal: Admin) -> JSONResponse:
    """To a user, or to the caller where none is named. 404 for a user who was never seen."""
    user_id = body.user_id or principal.user_id
    balance = await res.core.db.write(
        lambda conn: credits.grant(conn, user_id, body.amount, principal.user_id, body.reason)
    )
    res.core.outbox.send([credits_updated(user_id, balance.remaining, balance.used)])
    return JSONResponse({"userId": user_id, "creditsRemaining": balance.remaining})


async def _queue_rows(res: Resources) -> dict[str, dict[str, Any]]:
    """One row a queue, by name; the dead letters wait in theirs for somebody to bring them back."""
    found = await registered(res.core)

    def read(conn: Connection) -> Any:
        dead = {JobState.QUEUED: queues.open_dead_letters(conn)}
        return (
            {**queues.counts(conn), DEAD_LETTER: dead},
            queues.oldest_waiting(conn),
            queues.settings(conn),
            queues.percentiles(conn),
        )

    counts, oldest, settings, spans = await res.core.db.read(read)
    return {
        name: _queue_row(
            name,
            counts.get(name, {}),
            oldest.get(name),
            settings.get(name) or {},
            spans.get(name),
            serving(found, name),
        )
        for name in ALL_QUEUES
    }


def _queue_row(
    name: str,
    counts: dict[str, int],
    oldest: float | None,
    settings: dict[str, Any],
    span: tuple[float, float] | None,
    serving: int | None,
) -> dict[str, Any]:
    delayed = counts.get("delayed", 0)
    return {
        "name": name,
        "waiting": counts.get(JobState.QUEUED, 0) + counts.get(JobState.RETRYING, 0) - delayed,
        "active": counts.get(JobState.ACTIVE, 0),
        "delayed": delayed,
        "completed": counts.get(JobState.COMPLETED, 0) + counts.get(JobState.PARTIAL, 0),
        "failed": counts.get(JobState.FAILED, 0),
        "cancelled": counts.get(JobState.CANCELLED, 0),
        "workers": serving,
        "oldestWaitSeconds": None if oldest is None else round(oldest, 1),
        "p50Ms": round(span[0] * 1000) if span else None,
        "p95Ms": round(span[1] * 1000) if span else None,
        "paused": bool(settings.get("paused")),
        "cause": settings.get("cause"),
        "reason": settings.get("reason"),
        "pausedBy": settings.get("paused_by"),
        "pausedAt": views.when(settings.get("paused_at")),
        "nextRunAt": views.when(next_cleanup()) if name == "cleanup" else None,
    }
