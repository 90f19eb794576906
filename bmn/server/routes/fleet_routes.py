"""The whole service at a glance, and orders to its workers: to drain, and how many of a queue to keep."""

from typing import Any

from fastapi import APIRouter

from bmn.db import call_store, job_store
from bmn.db.engine import Connection
from bmn.db.operators import alert_store, worker_store
from bmn.db.sums import activity
from bmn.db.sums.rollup import HOUR, MINUTE
from bmn.jobs import fleet, probes
from bmn.jobs.registered import WorkerRecord, registered
from bmn.schemas import documents
from bmn.schemas.base import when
from bmn.schemas.payloads import JobState
from bmn.schemas.requests import DrainBody, ScaleBody
from bmn.server.access.asking import AskingRoute
from bmn.server.access.dependencies import By, Caller, JobPath, Res
from bmn.server.access.refusals import ANY_CALLER, refusals
from bmn.server.answers import operator_views, views
from bmn.server.routes.admin_routes import queue_rows
from bmn.work.queue_names import known_queue
from bmn.work.registry import QUEUES

router = APIRouter(prefix="/api/v1/admin", tags=["admin"], responses=ANY_CALLER, route_class=AskingRoute)

_MINUTES = 30


@router.get("/overview")
async def overview(res: Res, principal: Caller) -> documents.Overview:
    """Queues, workers, open alerts, what ended in the last minutes and what was spent: one answer for a screen."""
    found = await registered(res.core)

    def read(conn: Connection) -> Any:
        ended = activity.lately(conn, HOUR)
        return worker_store.held(conn), alert_store.listed(conn), ended, call_store.spent(conn, HOUR)

    held, open_alerts, ended, usd = await res.core.db.read(read)
    rows = await queue_rows(res)
    return views.shown(
        documents.Overview(
            queues=list(rows.values()),
            workers=[worker_status(worker, held) for worker in found or []],
            redis=found is not None,
            alerts=[operator_views.alert(row) for row in open_alerts],
            ended=_by_minute(ended, failed=False),
            failed=_by_minute(ended, failed=True),
            usd_hour=round(usd, 6),
            usd_hour_sandboxed=round(max(0.0, sum(row.usd for row in ended) - usd), 6),
            usd_limit=res.settings.bmn_alert_usd_per_hour,
        ),
        principal,
    )


def _by_minute(rows: list[activity.Activity], *, failed: bool) -> list[int]:
    """Jobs that ended, by the minute, oldest first; the last one is not over yet."""
    buckets = sorted({row.bucket for row in rows})
    last = buckets[-1] if buckets else 0.0
    counted = [0] * _MINUTES
    for row in rows:
        place = _MINUTES - 1 - round((last - row.bucket) / MINUTE)
        if place >= 0 and (row.state == JobState.FAILED or not failed):
            counted[place] += row.jobs
    return counted


@router.get("/workers")
async def list_workers(res: Res, principal: Caller) -> documents.Workers:
    """redis: false where Redis is away, and nobody can say who is there."""
    found = await registered(res.core)
    held = await res.core.db.read(worker_store.held)
    return documents.Workers(workers=[worker_status(worker, held) for worker in found or []], redis=found is not None)


@router.post("/workers/drain", responses=refusals(404, 413))
async def drain_workers(body: DrainBody, res: Res, by: By) -> documents.Workers:
    """They take no further job, finish what they have within `seconds`, hand the rest on and are not started again.

    Answers with those that were told, at once: `GET /workers` shows them as `draining`, and then no more.
    """
    told = await fleet.drain(res.core, body.name, host=body.host, seconds=body.seconds, by=by, reason=body.reason)
    held = await res.core.db.read(worker_store.held)
    return documents.Workers(workers=[worker_status(worker, held) for worker in told], redis=True)


@router.post("/workers/scale", responses=refusals(404, 413))
async def scale_workers(body: ScaleBody, res: Res, by: By) -> documents.Scaled:
    """Each supervisor that serves the queue keeps so many workers of it, until it is started again.

    Answers at once, with the workers that there are now: `GET /workers` shows those to come.
    """
    queue = known_queue(body.queue)
    told, now = await fleet.scale(res.core, queue, body.count, host=body.host, by=by, reason=body.reason)
    held = await res.core.db.read(worker_store.held)
    return documents.Scaled(
        queue=queue, count=body.count, supervisors=told, workers=[worker_status(worker, held) for worker in now]
    )


@router.get("/jobs/{job_id}/calls", responses=refusals(404))
async def list_calls(job_id: JobPath, res: Res, principal: Caller) -> documents.ProviderCalls:
    """What providers were asked for a job, what they answered, and by which id they know it."""
    job, found = await res.core.db.read(lambda conn: (job_store.get_job(conn, job_id), call_store.of_job(conn, job_id)))
    shown = [
        documents.ProviderCallRecord(
            unit=call.unit,
            attempt=call.attempt,
            provider=call.provider,
            operation=call.operation,
            model=call.model,
            outcome=call.outcome,
            status=call.status,
            ms=call.ms,
            usd=call.usd,
            sandboxed=call.sandboxed,
            request_id=call.request_id,
            at=when(call.at),
        )
        for call in found
    ]
    return documents.ProviderCalls(job_id=job.id, queue_name=job.queue, calls=shown)


@router.post("/probes", responses=refusals(413))
async def send_probes(res: Res, by: By) -> documents.Probes:
    """One job that costs nothing and asks nobody for each worker of each queue; `GET /jobs/{id}` tells how it ended."""
    sent = await probes.send(res.core, by)
    shown = [
        documents.ProbeRecord(
            queue=each.queue, worker=each.worker, host=each.host, job_id=each.job_id, paused=each.paused
        )
        for each in sent
    ]
    served = {each.queue for each in sent}
    return documents.Probes(probes=shown, unserved=[name for name in QUEUES if name not in served])


def worker_status(worker: WorkerRecord, held: dict[str, list[str]]) -> documents.WorkerStatus:
    """One worker and the jobs whose lease it holds."""
    return documents.WorkerStatus(
        name=worker.name,
        queue=",".join(worker.queues),
        host=worker.host,
        pid=worker.pid,
        state=worker.state,
        release=worker.release,
        supervisor=worker.family or None,
        jobs=held.get(worker.name, []),
        memory_bytes=worker.memory_bytes,
        started_at=worker.started_at,
        heartbeat_at=worker.heartbeat_at,
    )
