"""The pages one looks at: everything of a user, a brand, a job."""

from dataclasses import dataclass
from typing import Any, get_args

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from bmn.db import assets, brands, credits, jobs
from bmn.db import events as job_events
from bmn.db.engine import Connection
from bmn.db.lists.listing import JobFilter, list_jobs
from bmn.db.records import Asset, Brand, Job
from bmn.format import count, spoken
from bmn.identity.rights import Right
from bmn.identity.tokens import Principal
from bmn.jobs.replay import was_delivered
from bmn.schemas.generators.logos import LogoStyle
from bmn.schemas.payloads import TERMINAL_STATES, WAITING_STATES, JobState
from bmn.server import views
from bmn.server.dependencies import BrandPath, JobPath, Res, fresh_key, owner_filter
from bmn.server.pages import pieces, words
from bmn.server.pages.access import PageRoute, Visitor
from bmn.server.pages.rendering import page
from bmn.server.resources import Resources
from bmn.server.why import Facts, collected, explain, look_into
from bmn.work.defaults import brand_defaults
from bmn.work.registry import get_queue

router = APIRouter(include_in_schema=False, route_class=PageRoute)

Content = dict[str, Any]

_BRANDS, _JOBS, _PICTURES, _STORY = 24, 12, 100, 2000
_STYLES = get_args(LogoStyle)


@dataclass(frozen=True, slots=True)
class Line:
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
    pictures: list[pieces.Picture]


@router.get("/")
async def home(request: Request, res: Res, visitor: Visitor) -> Response:
    """The visitor's brands and newest jobs."""

    def read(conn: Connection) -> Content:
        rows, _ = brands.list_of_user(conn, visitor.user_id, limit=_BRANDS)
        return {
            "account": _account(conn, visitor),
            "brands": [{"row": row, "cover": _cover(conn, res, row)} for row in rows],
            "jobs": _lines(conn, res, JobFilter(user_id=visitor.user_id, queues=tuple(words.KINDS))),
        }

    return page(request, "home.html", styles=_STYLES, key=fresh_key(), **await res.core.db.read(read))


@router.get("/g")
async def gallery() -> Response:
    """Leads old links home."""
    return RedirectResponse("/", 303)


@router.get("/g/{brand_id}")
async def brand_page(request: Request, brand_id: BrandPath, res: Res, visitor: Visitor) -> Response:
    """One brand: its pictures and its jobs."""

    def read(conn: Connection) -> Content:
        brand = brands.get(conn, brand_id, owner_filter(visitor))
        newest, _ = assets.list_of_brand(conn, brand_id, limit=_PICTURES)
        numbers = _numbers(newest, assets.counts_of_brand(conn, brand_id))
        chosen = assets.selected_of_brand(conn, brand_id)  # they may be older than any that is shown
        numbers |= {row.id: assets.number_of(conn, row) for row in chosen if row.id not in numbers}
        found = [*chosen, *(row for row in newest if not row.is_selected)]
        return {
            "account": _account(conn, visitor),
            "brand": brand,
            "look": brand_defaults(brand),
            "pictures": [pieces.picture(row, res.signer, brand.name, numbers[row.id]) for row in found],
            "jobs": _lines(conn, res, JobFilter(brand_id=brand_id, queues=tuple(words.KINDS))),
        }

    return page(request, "brand.html", styles=_STYLES, key=fresh_key(), **await res.core.db.read(read))


@router.get("/g/job/{job_id}")
async def job_page(request: Request, job_id: JobPath, res: Res, visitor: Visitor) -> Response:
    """One job: its pictures as they come, and its story."""
    return await show_job(request, res, visitor, job_id)


async def show_job(
    request: Request, res: Resources, visitor: Principal, job_id: str, *, link: str | None = None
) -> Response:
    """link: a shared link that was just made. Raises NotFound."""
    facts = await look_into(res, job_id, visitor)
    job, cause = facts.job, explain(facts).cause

    def read(conn: Connection) -> Content:
        told = job_events.after(conn, job_id, 0, _STORY)
        name = _brand_name(conn, job)
        return {
            "account": _account(conn, visitor),
            "brand_name": name,
            "pieces": pieces.of_job(job, facts.units, facts.assets, res.signer, name),
            "story": words.story(told),
            "said": [row.payload["content"].replace("**", "") for row in told if row.event == "agent:message"],
            "expected": views.expected(jobs.durations(conn, job.queue)),
        }

    found = await res.core.db.read(read)
    return page(
        request,
        "job.html",
        job=job,
        kind=words.KINDS.get(job.queue, "Job"),
        state_word=words.STATES[job.state],
        live=job.state not in TERMINAL_STATES,
        why=_in_words(facts, cause, found["pieces"]),
        repeatable=words.can_be_repeated(job, cause) and not _nothing_is_missing(facts),
        newest=facts.replays[-1] if facts.replays else None,
        sandboxed=bool(facts.calls) and all(call.sandboxed for call in facts.calls),
        credits_told=words.credits_told(job),
        span=spoken,
        link=link,
        back=f"/g/job/{job_id}",
        key=fresh_key(),
        **found,
    )


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
            return words.reason_to_wait(cause)
        if facts.workers == 0:
            return "Nobody is working on such jobs right now. Yours waits; nothing is lost."
        if job.state is JobState.RETRYING:
            return words.reason_before_retry(cause)
        if facts.position:
            return f"{count(facts.position, 'job')} before yours."
    if job.state is JobState.PARTIAL and not asked:  # a step of the wizard, at its limit
        return job.message or ""
    if job.state is JobState.PARTIAL:
        return f"{len(facts.assets)} of {len(asked)} are here. {words.reason(cause)}"
    if job.state is JobState.FAILED:
        return words.reason(cause)
    return None


def _account(conn: Connection, visitor: Principal) -> Content:
    balance = credits.balance(conn, visitor.user_id)
    return {"email": visitor.email, "admin": visitor.may(Right.REVEAL), "credits": balance.remaining}


def _brand_name(conn: Connection, job: Job) -> str:
    return brands.names(conn, [job.brand_id]).get(job.brand_id, "")


def _cover(conn: Connection, res: Resources, brand: Brand) -> pieces.Picture | None:
    """The chosen logo, else the newest."""
    chosen = [row for row in assets.selected_of_brand(conn, brand.id) if row.asset_type == "logo"]
    logos = chosen or assets.list_of_brand(conn, brand.id, asset_type="logo", limit=1)[0]
    best = logos[0] if logos else None
    return pieces.picture(best, res.signer, brand.name, 1) if best else None


def _numbers(newest: list[Asset], counts: dict[str, int]) -> dict[str, int]:
    """Each asset's number among all of its kind, the oldest first. counts: how many there are of each kind."""
    left = dict(counts)
    numbers: dict[str, int] = {}
    for row in newest:
        numbers[row.id] = left[row.asset_type]
        left[row.asset_type] -= 1
    return numbers


def _lines(conn: Connection, res: Resources, chosen: JobFilter) -> list[Line]:
    rows = list_jobs(conn, chosen, limit=_JOBS).jobs
    names = brands.names(conn, {row.brand_id for row in rows})
    return [_line(conn, res, row, names.get(row.brand_id, "")) for row in rows]


def _line(conn: Connection, res: Resources, row: Job, brand_name: str) -> Line:
    made = assets.list_of_job(conn, row.id)
    return Line(
        id=row.id,
        kind=words.KINDS[row.queue],
        brand=brand_name,
        state=row.state,
        state_word=words.STATES[row.state],
        progress=row.progress,
        message=row.message or "",
        created_at=row.created_at,
        seq=row.last_seq,
        live=row.state not in TERMINAL_STATES,
        pictures=pieces.in_order(made, res.signer, brand_name),
    )
