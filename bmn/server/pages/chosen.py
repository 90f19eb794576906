"""Some of a brand's pictures at once: side by side, in one file, or behind one link."""

import io
import zipfile
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response, StreamingResponse

from bmn.db.engine import Connection
from bmn.db.library import asset_store, brand_store
from bmn.db.records import BrandAssetRow, BrandRow
from bmn.errors import NotFound
from bmn.names import stem_of
from bmn.schemas.base import Id
from bmn.server.access.dependencies import BrandPath, Res, owner_filter
from bmn.server.answers.share_links import share_assets
from bmn.server.pages import pieces
from bmn.server.pages.access import PageRoute, Visitor, VisitorWhoChanges
from bmn.server.pages.gallery_pages import account
from bmn.server.pages.page_actions import SHARED_SECONDS
from bmn.server.pages.rendering import page
from bmn.server.state.resources import Resources
from bmn.storage import Storage

router = APIRouter(include_in_schema=False, route_class=PageRoute)

MOST = 20
_MOST_IN_FILE = 200
Of = Annotated[list[Id], Query(max_length=_MOST_IN_FILE, default_factory=list)]


@router.get("/g/{brand_id}/compare")
async def compare(request: Request, brand_id: BrandPath, res: Res, visitor: Visitor, of: Of) -> Response:
    """Pictures side by side; logos on light, on dark and in place."""
    return await _show(request, res, visitor, brand_id, of[:MOST])


@router.post("/g/{brand_id}/share")
async def share(
    request: Request,
    brand_id: BrandPath,
    res: Res,
    visitor: VisitorWhoChanges,
    of: Annotated[list[Id], Form(max_length=MOST)],
) -> Response:
    """The same, with a link that shows them to anybody for a week."""
    link = await share_assets(res, visitor, brand_id, of, SHARED_SECONDS)
    return await _show(request, res, visitor, brand_id, of, link=link.url)


@router.get("/g/{brand_id}/pictures.zip")
async def pictures_in_one_file(
    brand_id: BrandPath,
    res: Res,
    visitor: Visitor,
    of: Of,
) -> Response:
    """The chosen pictures, or all, under names that say what they are."""

    def read(conn: Connection) -> tuple[BrandRow, list[tuple[str, BrandAssetRow]]]:
        brand = brand_store.get(conn, brand_id, owner_filter(visitor))
        rows = asset_store.list_of_brand(conn, brand_id, limit=_MOST_IN_FILE)[0][::-1]
        chosen = asset_store.some_of_brand(conn, brand_id, of) if of else rows
        return brand, [(_name(conn, res, brand, row), row) for row in chosen]

    brand, named = await res.core.db.read(read)
    if not named:
        raise NotFound("There are no pictures yet.")
    headers = {"Content-Disposition": f'attachment; filename="{_ascii(stem_of(brand.name))}.zip"'}
    return StreamingResponse(_packed(res.core.storage, named), headers=headers, media_type="application/zip")


async def _show(
    request: Request, res: Resources, visitor: Visitor, brand_id: str, of: Sequence[str], *, link: str | None = None
) -> Response:
    def read(conn: Connection) -> dict[str, Any]:
        brand = brand_store.get(conn, brand_id, owner_filter(visitor))
        rows = asset_store.some_of_brand(conn, brand_id, of)
        shown = [pieces.picture(row, res.signer, brand.name, asset_store.number_of(conn, row)) for row in rows]
        return {"account": account(conn, visitor), "brand": brand, "pictures": shown}

    return page(request, "chosen.html", link=link, **await res.core.db.read(read))


def _name(conn: Connection, res: Resources, brand: BrandRow, row: BrandAssetRow) -> str:
    """`acme-coffee/logos/acme-coffee-logo-2-lettermark.png`."""
    shown = pieces.picture(row, res.signer, brand.name, asset_store.number_of(conn, row))
    stem, dot, kind = shown.file.rpartition(".")
    what = f"-{stem_of(shown.caption, most=60)}" if shown.caption else ""
    return f"{stem_of(brand.name)}/{shown.noun}s/{stem}{what}{dot}{kind}"


def _ascii(text: str) -> str:
    return text if text.isascii() else "pictures"


class _Pipe(io.RawIOBase):
    """What a zip writes into; what it has written is taken out piece by piece."""

    def __init__(self) -> None:
        self.written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.written += data
        return len(data)

    def take(self) -> bytes:
        """What came since the last time."""
        taken = bytes(self.written)
        self.written.clear()
        return taken


async def _packed(storage: Storage, named: Sequence[tuple[str, BrandAssetRow]]) -> AsyncIterator[bytes]:
    """One picture in memory at a time. Pictures are compressed already, so they are only put beside each other."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as packed:
        for name, row in named:
            try:
                data = await storage.get(row.storage_key)
            except FileNotFoundError:  # deleted since: the others are no worse for it
                continue
            packed.writestr(name, data)
            yield pipe.take()
    yield pipe.take()
