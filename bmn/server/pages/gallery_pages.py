"""The pages one looks at: everything of a user, and a job. `brand_page.py` has a brand's."""

from dataclasses import dataclass
from typing import Any, get_args

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from bmn.db import event_store, job_store
from bmn.db.accounts import credit_store
from bmn.db.engine import Connection
from bmn.db.library import asset_store, brand_store
from bmn.db.lists.listing import JobFilter, list_jobs
from bmn.db.records import BrandRow, JobRow
from bmn.errors import NotFound
from bmn.format import count, duration
from bmn.identity.rights import Right
from bmn.identity.tokens import Principal
from bmn.jobs.replay import was_delivered
from bmn.schemas.look import LogoStyle
from bmn.schemas.payloads import TERMINAL_STATES, WAITING_STATES, JobState
from bmn.server.access.dependencies import JobPath, Res, fresh_key
from bmn.server.access.revealing import Onlooker
from bmn.server.answers import views
from bmn.server.answers.why import Facts, collected, explain, look_into
from bmn.server.pages import job_course, page_words, pieces
from bmn.server.pages.access import PageRoute, Visitor
from bmn.server.pages.brand_rooms import LOGOS, offer, product_offer, room_of
from bmn.server.pages.rendering import page
from bmn.server.pages.told import Saying
from bmn.server.state.resources import Resources
from bmn.server.usecases.watched import note_watched
from bmn.work.registry import get_queue

router = APIRouter(include_in_schema=False, route_class=PageRoute)

Content = dict[str, Any]

_BRANDS, _JOBS, _STORY = 24, 12, 2000
_STYLES = get_args(LogoStyle)


@dataclass(frozen=True, slots=True)
class GalleryJob:
    """A job in a list. live: it goes on, so the page follows it."""

    id: str
    kind: str
    brand: str
    state: str
    state_word: str
    progress: int
    message: str
    created_at: float
    seq: int
    live: bool
    pictures: list[pieces.PagePicture]


@router.get("/")
async def home(request: Request, res: Res, visitor: Visitor) -> Response:
    """The visitor's brands and newest jobs."""

    def read(conn: Connection) -> Content:
        rows, _ = brand_store.list_of_user(conn, visitor.user_id, limit=_BRANDS)
        return {
            "account": account(conn, visitor),
            "brands": [{"row": row, "cover": _cover(conn, res, row)} for row in rows],
            "jobs": lines(conn, res, JobFilter(user_id=visitor.user_id, queues=tuple(page_words.KINDS))),
            "offer": offer(conn, res.settings, LOGOS),
        }

    return page(request, "home.html", styles=_STYLES, key=fresh_key(), **await res.core.db.read(read))


@router.get("/g")
async def gallery() -> Response:
    """Leads old links home."""
    return RedirectResponse("/", 303)


@router.get("/g/job/{job_id}")
async def job_page(request: Request, job_id: JobPath, res: Res, visitor: Onlooker) -> Response:
    """One job: its pictures as they come, and its story."""
    return await show_job(request, res, visitor, job_id)


async def show_job(
    request: Request, res: Resources, visitor: Principal, job_id: str, *, link: str | None = None
) -> Response:
    """link: a shared link that was just made. Raises NotFound."""
    facts = await look_into(res, job_id, visitor)
    if not facts.whole:
        raise NotFound("Job not found")
    job, cause = facts.job, explain(facts).cause
    if job.state in TERMINAL_STATES:
        await note_watched(res.core.redis, job_id, visitor, job.user_id)

    found = await res.core.db.read(lambda conn: _course_of(conn, res, visitor, facts))
    return page(
        request,
        "job.html",
        job=job,
        kind=page_words.KINDS.get(job.queue, "Job"),
        state_word=page_words.STATES[job.state],
        live=job.state not in TERMINAL_STATES,
        why=_in_words(facts, cause, found["pieces"]),
        repeatable=page_words.can_be_repeated(job, cause) and not _nothing_is_missing(facts),
        newest=facts.replays[-1] if facts.replays else None,
        sandboxed=bool(facts.calls) and all(call.sandboxed for call in facts.calls),
        credits_told=page_words.credits_told(job),
        span=duration,
        room=room_of(job.queue),
        next_in=max(0.0, job.run_at - facts.now) if job.state is JobState.RETRYING else None,
        link=link,
        back=f"/g/job/{job_id}",
        key=fresh_key(),
        **found,
    )


def _course_of(conn: Connection, res: Resources, visitor: Principal, facts: Facts) -> Content:
    job = facts.job
    told = event_store.after(conn, job.id, 0, _STORY)
    name = _brand_name(conn, job)
    expected = views.expected(job_store.durations(conn, job.queue))
    return {
        "account": account(conn, visitor),
        "brand_name": name,
        "pieces": pieces.of_job(job, facts.units, facts.assets, res.signer, name, job_course.shares(told)),
        "attempts": job_course.attempts(told),
        "left": job_course.time_left(job, expected, facts.now),
        "product_offer": product_offer(conn, res.settings, job.brand_id),
        "story": page_words.story(told),
        "said": [Saying.of(row.payload).content for row in told if row.event == "agent:message"],
        "expected": expected,
    }


def _nothing_is_missing(facts: Facts) -> bool:
    """Whether there is nothing to start again: it was already, all is here or being collected, or it did what was paid."""
    if facts.replays or facts.job.collects_id or collected(facts):
        return True
    return was_delivered(get_queue(facts.job.queue), facts.units)


def _in_words(facts: Facts, cause: str | None, asked: list[pieces.Piece]) -> str | None:
    """What is the matter, where something is."""
    job = facts.job
    if job.state in WAITING_STATES:
        if facts.paused is not None:
            return page_words.reason_to_wait(cause)
        if facts.workers == 0:
            return "Nobody is working on such jobs right now. Yours waits; nothing is lost."
        if job.state is JobState.RETRYING:
            return page_words.reason_before_retry(cause)
        if facts.position:
            return f"{count(facts.position, 'job')} before yours."
        return "Yours is next."
    if job.state is JobState.PARTIAL and not asked:  # a step of the wizard, at its limit
        return job.message or ""
    if job.state is JobState.PARTIAL:
        return f"{len(facts.assets)} of {len(asked)} are here. {page_words.reason(cause)}"
    if job.state is JobState.FAILED:
        return page_words.reason(cause)
    return None


def account(conn: Connection, visitor: Principal) -> Content:
    balance = credit_store.balance(conn, visitor.user_id)
    return {"email": visitor.email, "admin": visitor.may(Right.REVEAL), "credits": balance.remaining}


def _brand_name(conn: Connection, job: JobRow) -> str:
    return brand_store.names(conn, [job.brand_id]).get(job.brand_id, "")


def _cover(conn: Connection, res: Resources, brand: BrandRow) -> pieces.PagePicture | None:
    """The chosen logo, else the newest."""
    chosen = [row for row in asset_store.selected_of_brand(conn, brand.id) if row.asset_type == "logo"]
    logos = chosen or asset_store.list_of_brand(conn, brand.id, asset_type="logo", limit=1)[0]
    best = logos[0] if logos else None
    return pieces.picture(best, res.signer, brand.name, 1) if best else None


def lines(conn: Connection, res: Resources, chosen: JobFilter) -> list[GalleryJob]:
    rows = list_jobs(conn, chosen, limit=_JOBS).jobs
    names = brand_store.names(conn, {row.brand_id for row in rows})
    return [_line(conn, res, row, names.get(row.brand_id, "")) for row in rows]


def _line(conn: Connection, res: Resources, row: JobRow, brand_name: str) -> GalleryJob:
    made = asset_store.list_of_job(conn, row.id)
    return GalleryJob(
        id=row.id,
        kind=page_words.KINDS[row.queue],
        brand=brand_name,
        state=row.state,
        state_word=page_words.STATES[row.state],
        progress=row.progress,
        message=row.message or "",
        created_at=row.created_at,
        seq=row.last_seq,
        live=row.state not in TERMINAL_STATES,
        pictures=pieces.in_order(made, res.signer, brand_name),
    )
