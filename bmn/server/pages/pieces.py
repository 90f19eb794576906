"""What a page shows of rows: one tile per picture asked for, whether it is there, on its way, or will never come."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bmn.db.records import BrandAssetRow, JobRow, UnitRow, UnitState
from bmn.errors import Cause
from bmn.names import stem_of
from bmn.schemas.generators import KIND_OF
from bmn.schemas.payloads import JobState
from bmn.schemas.provenance import provenance_of
from bmn.server.pages import page_words
from bmn.signing import Signer

_NOUNS = {"social_asset": "post", "video_thumbnail": "still"}
_WAITS = {JobState.QUEUED: "Waiting in line", JobState.RETRYING: "Waits for the next attempt"}
_NUMBER = re.compile(r"-([0-9]+)$")


@dataclass(frozen=True, slots=True)
class PagePicture:
    """A stored picture or video. url: whole. file: its name on disk. download: where it is saved under that name.

    thumbnail: small; where there is none, the whole picture, and nothing for a video. origin: who made it; empty: unknown.
    """

    id: str
    number: int
    brand_id: str
    noun: str
    url: str
    download: str
    thumbnail: str
    file: str
    caption: str
    alt: str
    origin: str
    chosen: bool
    favorite: bool
    is_video: bool
    is_logo: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """One tile. state: `ready`, `coming`, `refused` or `missing`. text: said where there is no picture.

    share: how far one that is being made has come, in percent.
    """

    number: int
    state: str
    text: str
    picture: PagePicture | None = None
    share: int | None = None


def picture(row: BrandAssetRow, signer: Signer, brand_name: str, number: int) -> PagePicture:
    """A stored asset as pages show it."""
    asset_type = row.asset_type
    noun = _NOUNS.get(asset_type, asset_type)
    kind = row.mime_type.partition("/")[2]
    variation = row.traits.variation or row.traits.product
    provenance = provenance_of(row.metadata)
    url = signer.signed(row.url)
    file = f"{stem_of(brand_name)}-{noun}-{number}.{'jpg' if kind == 'jpeg' else kind}"
    return PagePicture(
        id=row.id,
        number=number,
        brand_id=row.brand_id,
        noun=noun,
        url=url,
        download=signer.download(row.url, file),
        thumbnail=_thumbnail(row, signer, url),
        file=file,
        caption=variation,
        alt=f"{noun.capitalize()} {number} of {brand_name}{f': {variation}' if variation else ''}",
        origin=provenance.told() if provenance else "",
        chosen=row.is_selected,
        favorite=row.is_favorite,
        is_video=row.mime_type.startswith("video/"),
        is_logo=row.asset_type == "logo",
    )


def _thumbnail(row: BrandAssetRow, signer: Signer, url: str) -> str:
    if row.thumbnail_url:
        return signer.signed(row.thumbnail_url)
    return "" if row.mime_type.startswith("video/") else url


def in_order(rows: Sequence[BrandAssetRow], signer: Signer, brand_name: str) -> list[PagePicture]:
    """The pictures of one job, each with the number it has on the job's own page."""
    places = [place if row.traits.index is None else row.traits.index for place, row in enumerate(rows)]
    numbered = sorted(zip(places, rows, strict=True), key=lambda entry: entry[0])
    return [picture(row, signer, brand_name, place + 1) for place, row in numbered]


def of_job(
    job: JobRow,
    units: Sequence[UnitRow],
    assets: Sequence[BrandAssetRow],
    signer: Signer,
    brand_name: str,
    shares: Mapping[int, int],
) -> list[Piece]:
    """The tiles of a job, in the order of their numbers; none of a job that makes texts. shares: see `course.shares`."""
    if not _asked(job) and not assets:
        return []
    by_id = {row.id: row for row in assets}
    by_slot = {_slot(unit, position): unit for position, unit in enumerate(units)}
    tiles: list[Piece] = []
    for slot in range(max([_asked(job), *(slot + 1 for slot in by_slot)])):
        unit = by_slot.get(slot)
        row = by_id.pop(unit.asset_id or "", None) if unit else None
        if row is not None:
            tiles.append(Piece(slot + 1, "ready", "", picture(row, signer, brand_name, slot + 1)))
        else:
            tiles.append(_without_picture(slot + 1, job, unit, shares.get(slot, 0)))
    for row in by_id.values():
        tiles.append(Piece(len(tiles) + 1, "ready", "", picture(row, signer, brand_name, len(tiles) + 1)))
    return tiles


def _slot(unit: UnitRow, position: int) -> int:
    match = _NUMBER.search(unit.unit)
    return min(int(match[1]), 31) if match else position


def _asked(job: JobRow) -> int:
    """How many pictures were asked for; none of a job that makes texts."""
    kind = KIND_OF.get(job.queue)
    if kind is None or not kind.asset_type:
        return 0
    wanted = job.traits.count
    return wanted if wanted is not None and 1 <= wanted <= 8 else 1


def _without_picture(number: int, job: JobRow, unit: UnitRow | None, share: int) -> Piece:
    if unit is not None and unit.state is UnitState.FAILED:
        refused = unit.cause == Cause.MODERATED
        return Piece(number, "refused" if refused else "missing", f"{page_words.reason(unit.cause)} Not charged.")
    if job.completed_at is None:
        if job.state is not JobState.ACTIVE:
            return Piece(number, "coming", _WAITS[job.state])
        return Piece(number, "coming", "Being drawn", share=share)
    if unit is not None and unit.credits:
        return Piece(number, "coming", "Ordered before the cancel, on its way")
    return Piece(number, "missing", "Not made, and not charged.")
