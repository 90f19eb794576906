"""`/admin/jobs/{id}`: everything about one job: its time, its attempts, its calls, what it cost, and what to do about it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from bmn.db import call_store, dead_letters, event_store, job_store
from bmn.db.engine import Connection
from bmn.db.library import asset_store, brand_store
from bmn.db.records import LetterState, ProviderCallRow
from bmn.errors import CAUSES, Cause
from bmn.jobs.outages import in_service
from bmn.schemas.payloads import REPLAYABLE_STATES, TERMINAL_STATES
from bmn.schemas.requests import ReasonBody, RetryBody
from bmn.server.access.dependencies import By, JobPath, Res, owner_filter
from bmn.server.access.revealing import Onlooker
from bmn.server.operators.frame import Why, show
from bmn.server.pages import job_course, page_words, pieces
from bmn.server.pages.access import PageRoute, PayingVisitor
from bmn.server.pages.job_course import Attempt
from bmn.server.routes import job_routes
from bmn.server.state.resources import Resources
from bmn.work.estimates import job_cost

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_EVENTS = 5000
_LANE = 1000.0  # the width of the drawing


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a lane. kind: `wait`, `run`, `failed`, `ok` or `bad`."""

    x: float
    width: float
    kind: str
    told: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One line of the drawing."""

    name: str
    stretches: list[Stretch]


@dataclass(frozen=True, slots=True)
class Inside:
    """What the job's own document has not. said: the provider's words; for who may read them."""

    calls: list[ProviderCallRow]
    attempts: list[Attempt]
    worker: str | None
    said: str | None
    is_dead: bool
    created_at: float
    started_at: float | None
    ended_at: float | None


@router.get("/admin/jobs/{job_id}")
async def show_job(request: Request, job_id: JobPath, res: Res, visitor: Onlooker) -> Response:
    """One job."""
    record = await job_routes.show(job_id, res, visitor, Response())
    whole = owner_filter(visitor) in (None, record.user_id)
    inside = await res.core.db.read(lambda conn: _look(conn, job_id, whole=whole))
    cause = Cause(record.cause) if record.cause else None
    return show(
        request,
        visitor,
        "job.html",
        "jobs",
        job=record,
        live=record.state not in TERMINAL_STATES,
        why=await job_routes.why(job_id, res, visitor),
        log=(await job_routes.logs(job_id, res, visitor)).logs,
        inside=inside,
        whole=whole,
        lanes=_lanes(inside, time.time()),
        pictures=await _pictures(res, job_id) if whole else [],
        expected_usd=await res.core.db.read(
            lambda conn: job_cost(
                res.settings,
                record.queue_name,
                job_store.get_job(conn, job_id).payload,
                in_service(conn, res.settings, res.core.queue(record.queue_name)),
            )
        ),
        repeatable=record.state in REPLAYABLE_STATES and not record.replays and not record.collects_id,
        advice=CAUSES[cause].advice if cause else "",
        state_word=page_words.STATES[record.state],
    )


@router.post("/admin/jobs/{job_id}/retry")
async def retry(request: Request, job_id: JobPath, res: Res, visitor: PayingVisitor, reason: Why) -> Response:
    """Brings an ended job back."""
    again = await job_routes.retry_job(job_id, request, res, visitor, RetryBody(reason=reason))
    return RedirectResponse(f"/admin/jobs/{again.job_id}", 303)


@router.post("/admin/jobs/{job_id}/cancel")
async def cancel(job_id: JobPath, res: Res, visitor: PayingVisitor, by: By, reason: Why) -> Response:
    """Stops a job."""
    await job_routes.cancel_job(job_id, res, visitor, by, ReasonBody(reason=reason))
    return RedirectResponse(f"/admin/jobs/{job_id}", 303)


def _look(conn: Connection, job_id: str, *, whole: bool) -> Inside:
    row = job_store.get_job(conn, job_id)
    letter = dead_letters.of_job(conn, job_id)
    return Inside(
        calls=call_store.of_job(conn, job_id),
        attempts=job_course.attempts(event_store.after(conn, job_id, 0, _EVENTS)),
        worker=row.lease_owner,
        said=job_store.last_said(conn, job_id) if whole else None,
        is_dead=letter is not None and letter.state == LetterState.OPEN,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.completed_at,
    )


async def _pictures(res: Resources, job_id: str) -> list[pieces.PagePicture]:
    def read(conn: Connection) -> list[pieces.PagePicture]:
        made = asset_store.list_of_job(conn, job_id)
        names = brand_store.names(conn, {row.brand_id for row in made})
        return pieces.in_order(made, res.signer, names.get(made[0].brand_id, "")) if made else []

    return await res.core.db.read(read)


def _lanes(inside: Inside, now: float) -> list[Lane]:
    """When it waited, when it ran, and when each paid step asked its provider, on one scale."""
    first, last = inside.created_at, max(inside.ended_at or now, inside.created_at + 0.001)

    def stretch(begin: float, end: float, kind: str, told: str) -> Stretch:
        x = _LANE * (max(begin, first) - first) / (last - first)
        width = max(3.0, _LANE * (min(end, last) - max(begin, first)) / (last - first))
        return Stretch(round(min(x, _LANE - width), 1), round(width, 1), kind, told)

    began = inside.started_at or last
    own = [stretch(first, began, "wait", f"waited {began - first:.1f} s")]
    for one in inside.attempts:
        end = one.ended or last
        kind = "failed" if one.state == "failed" else "run"
        own.append(stretch(one.began, end, kind, f"attempt {one.number}: {one.state}, {end - one.began:.1f} s"))
    return [Lane("Job", own), *_calls(inside.calls, stretch)]


def _calls(calls: Sequence[ProviderCallRow], stretch: Callable[[float, float, str, str], Stretch]) -> list[Lane]:
    lanes: dict[str, list[Stretch]] = {}
    for call in calls:
        kind = "ok" if call.outcome == "ok" else "bad"
        told = f"{call.operation}: {call.outcome}{f' {call.status}' if call.status else ''}, {call.ms} ms"
        made = stretch(call.at - call.ms / 1000, call.at, kind, told)
        lanes.setdefault(call.unit or call.operation, []).append(made)
    return [Lane(name, found) for name, found in lanes.items()]
