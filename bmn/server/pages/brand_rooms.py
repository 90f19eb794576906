"""The rooms of a brand's page: what hangs in each, what can be made in it, for how much and in what time."""

from collections.abc import Mapping
from dataclasses import dataclass

from bmn.db import job_store
from bmn.db.engine import Connection
from bmn.db.library import asset_store
from bmn.db.lists.listing import JobFilter, list_jobs
from bmn.format import count, duration
from bmn.schemas.generators import bundles, logos, mockups, videos, wizard
from bmn.schemas.kind import Kind
from bmn.schemas.payloads import JobState
from bmn.settings import Settings
from bmn.work.registry import get_queue


@dataclass(frozen=True, slots=True)
class PageRoom:
    """name: in its address. noun: one of what hangs there. types: of the assets that do; none where words are kept."""

    name: str
    title: str
    noun: str
    kind: Kind
    types: tuple[str, ...] = ()

    def path(self, brand_id: str) -> str:
        """Where it is; the first room is the brand's own address."""
        return f"/g/{brand_id}" if self.name == "logos" else f"/g/{brand_id}/{self.name}"


LOGOS = PageRoom("logos", "Logos", "logo", logos.KIND, ("logo",))
PRODUCTS = PageRoom("products", "Products", "product", mockups.KIND, ("mockup", "social_asset"))
BUNDLES = PageRoom("bundles", "Bundles", "bundle", bundles.KIND, ("bundle",))
FILMS = PageRoom("films", "Films", "film", videos.KIND, ("video", "video_thumbnail"))
WORDS = PageRoom("words", "Words", "step", wizard.KIND)
ROOMS: Mapping[str, PageRoom] = {room.name: room for room in (LOGOS, PRODUCTS, BUNDLES, FILMS, WORDS)}
"""By the name in its address."""
_LOOKED_AT = 50
_CAME_TO_NOTHING = (JobState.FAILED, JobState.CANCELLED)
_ROOM_OF_QUEUE = {room.kind.queue: room for room in ROOMS.values()}


def room_of(queue: str) -> PageRoom:
    """Where what a queue makes is shown; what has no room of its own is kept among the logos."""
    return _ROOM_OF_QUEUE.get(queue, LOGOS)


def types_of(room: PageRoom, counts: Mapping[str, int]) -> tuple[str, ...]:
    """The types that hang in a room. Those of generators without one hang in the first. counts: what the brand has."""
    if room is not LOGOS:
        return room.types
    placed = {each for other in ROOMS.values() for each in other.types}
    return (*room.types, *sorted(set(counts) - placed))


@dataclass(frozen=True, slots=True)
class Offer:
    """What one more costs. each: credits. seconds: what such jobs usually took; None where none was made yet."""

    each: int
    seconds: float | None

    def told(self, number: int = 1) -> str:
        """As it stands on a button: `4 credits · about 10 s`."""
        price = count(self.each * number, "credit")
        return f"{price} · {self.time}" if self.time else price

    @property
    def time(self) -> str:
        """`about 10 s`; empty where nobody knows."""
        return f"about {duration(max(1.0, self.seconds), whole=True)}" if self.seconds is not None else ""


def offer(conn: Connection, settings: Settings, room: PageRoom) -> Offer:
    """What the making of one costs in a room."""
    queue = get_queue(room.kind.queue)
    took = job_store.durations(conn, queue.name)
    return Offer(queue.price(settings), took[len(took) // 2] if took else None)


def product_offer(conn: Connection, settings: Settings, brand_id: str | None) -> Offer | None:
    """What it costs to see the brand's logo on a product; None without a logo, and where that was ordered with it."""
    logo = asset_store.logo_of(conn, brand_id) if brand_id else None
    if logo is None:
        return None
    ordered = list_jobs(conn, JobFilter(brand_id=brand_id, queue=PRODUCTS.kind.queue), limit=_LOOKED_AT).jobs
    done = any(logo.storage_key in str(job.payload["logoUrl"]) for job in ordered if job.state not in _CAME_TO_NOTHING)
    return None if done else offer(conn, settings, PRODUCTS)
