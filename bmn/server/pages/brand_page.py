"""A brand's page: its look, and a room each for logos, products, bundles, films and words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bmn.db import event_store, job_store
from bmn.db.batches import kit_store
from bmn.db.engine import Connection
from bmn.db.library import asset_store, brand_store, product_store
from bmn.db.lists.listing import JobFilter, list_jobs
from bmn.db.records import BrandRow, JobRow
from bmn.identity.tokens import Principal
from bmn.schemas.generators.bundles import CompositionStyle
from bmn.schemas.generators.videos import VideoStyle
from bmn.schemas.kit_requests import KitBody
from bmn.schemas.look import LogoStyle
from bmn.schemas.payloads import TERMINAL_STATES, JobState
from bmn.server.access.dependencies import BrandPath, Res, fresh_key, owner_filter
from bmn.server.access.revealing import Onlooker
from bmn.server.pages import job_course, pieces, steps
from bmn.server.pages.access import PageRoute
from bmn.server.pages.brand_rooms import LOGOS, PRODUCTS, ROOMS, PageRoom, offer, product_offer, types_of
from bmn.server.pages.gallery_pages import account, lines
from bmn.server.pages.rendering import page
from bmn.server.state.resources import Resources
from bmn.work.kits.plan import plan_of, prices
from bmn.work.looks import look_of

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_PICTURES, _JOBS, _EVENTS = 100, 24, 500
_LIVE = tuple(state for state in JobState if state not in TERMINAL_STATES)
STYLES: dict[str, dict[str, str]] = {
    "bundles": {
        "showcase": "On a podium",
        "lifestyle": "On a table by the window",
        "flatlay": "Laid out, seen from above",
        "grid": "Each in its own field",
    },
    "films": {
        "showcase": "Turns on a podium",
        "unboxing": "Comes out of its box",
        "lifestyle": "A walk around it",
        "minimal": "Stands still, light moves",
    },
}
if set(STYLES["bundles"]) != set(get_args(CompositionStyle)) or set(STYLES["films"]) != set(get_args(VideoStyle)):
    raise ImportError("Each style of bundles and films needs its words here.")
LOGO_STYLES = get_args(LogoStyle)
FIRST_PRODUCTS = ("mug", "t-shirt", "tote-bag")
RoomName = Literal["products", "bundles", "films", "words"]


@dataclass(frozen=True, slots=True)
class RoomLink:
    """A room as the page's navigation shows it. number: how much hangs there; None where words are kept."""

    title: str
    path: str
    number: int | None
    here: bool


@dataclass(frozen=True, slots=True)
class Coming:
    """A picture that is being made. name: of the product or bundle, empty for a logo."""

    job: JobRow
    piece: pieces.Piece
    name: str


@router.get("/g/{brand_id}")
async def first_room(request: Request, brand_id: BrandPath, res: Res, visitor: Onlooker) -> Response:
    """One brand, and its logos."""
    return await _show(request, res, visitor, brand_id, LOGOS)


@router.get("/g/{brand_id}/{room}")
async def other_room(request: Request, brand_id: BrandPath, room: RoomName, res: Res, visitor: Onlooker) -> Response:
    """Another of a brand's rooms."""
    return await _show(request, res, visitor, brand_id, ROOMS[room])


async def _show(request: Request, res: Resources, visitor: Principal, brand_id: str, room: PageRoom) -> Response:
    def read(conn: Connection) -> dict[str, Any]:
        brand = brand_store.get(conn, brand_id, owner_filter(visitor))
        counts = asset_store.counts_of_brand(conn, brand_id)
        logo = asset_store.logo_of(conn, brand_id)
        return {
            "account": account(conn, visitor),
            "brand": brand,
            "look": look_of(conn, brand),
            "logo": pieces.picture(logo, res.signer, brand.name, asset_store.number_of(conn, logo)) if logo else None,
            "doors": [_door(each, room, brand_id, counts) for each in ROOMS.values()],
            "total": sum(counts.values()),
            "pictures": _pictures(conn, res, brand, room, counts),
            "coming": _coming(conn, res, brand, room),
            "jobs": lines(conn, res, JobFilter(brand_id=brand_id, queue=room.kind.queue)),
            "offer": offer(conn, res.settings, room),
            **_more(conn, res, brand, room),
        }

    found = await res.core.db.read(read)
    back = room.path(brand_id)
    return page(request, f"room_{room.name}.html", room=room, back=back, key=fresh_key(), **found)


def _more(conn: Connection, res: Resources, brand: BrandRow, room: PageRoom) -> Mapping[str, object]:
    """What only this room asks for."""
    if room.name == "logos":
        whole = prices(conn, res.settings, plan_of(conn, KitBody(brand_id=brand.id)), brand)
        return {
            "styles": LOGO_STYLES,
            "product_offer": product_offer(conn, res.settings, brand.id),
            "kit_credits": sum(each.found.credits for each in whole),
            "kits": [
                kit for kit in kit_store.listed(conn, brand.user_id, brand_id=brand.id, limit=3) if not kit.ended_at
            ],
        }
    if room.name == "products":
        return {"catalogue": product_store.catalogue(conn), "first": FIRST_PRODUCTS}
    if room.name == "words":
        return {"steps": steps.STEPS, "talks": steps.talks(conn, brand)}
    shown = PRODUCTS
    counts = asset_store.counts_of_brand(conn, brand.id)
    return {"mockups": _pictures(conn, res, brand, shown, counts), "styles": STYLES[room.name]}


def _pictures(
    conn: Connection, res: Resources, brand: BrandRow, room: PageRoom, counts: dict[str, int]
) -> list[pieces.PagePicture]:
    """What hangs in a room: the chosen one first, then favorites, then the newest."""
    found: list[pieces.PagePicture] = []
    for kind in types_of(room, counts):
        rows, _ = asset_store.list_of_brand(conn, brand.id, asset_type=kind, limit=_PICTURES)
        number = counts.get(kind, 0)
        numbers = {row.id: number - place for place, row in enumerate(rows)}
        older = [row for row in asset_store.selected_of_brand(conn, brand.id) if row.asset_type == kind]
        numbers |= {row.id: asset_store.number_of(conn, row) for row in older if row.id not in numbers}
        known = {row.id for row in rows}
        rows = [*(row for row in older if row.id not in known), *rows]
        rows.sort(key=lambda row: (not row.is_selected, not row.is_favorite))
        found += [pieces.picture(row, res.signer, brand.name, numbers[row.id]) for row in rows]
    return found


def _coming(conn: Connection, res: Resources, brand: BrandRow, room: PageRoom) -> list[Coming]:
    """The pictures that a room's jobs are at, oldest job first."""
    found: list[Coming] = []
    running = JobFilter(brand_id=brand.id, queue=room.kind.queue, states=_LIVE)
    for job in reversed(list_jobs(conn, running, limit=_JOBS).jobs):
        far = job_course.shares(event_store.after(conn, job.id, 0, _EVENTS))
        made = asset_store.list_of_job(conn, job.id)
        tiles = pieces.of_job(job, job_store.units(conn, job.id), made, res.signer, brand.name, far)
        found += [Coming(job, tile, job.traits.name) for tile in tiles if tile.state == "coming"]
    return found


def _door(room: PageRoom, here: PageRoom, brand_id: str, counts: dict[str, int]) -> RoomLink:
    number = sum(counts.get(kind, 0) for kind in types_of(room, counts)) if room.types else None
    return RoomLink(room.title, room.path(brand_id), number, room is here)
