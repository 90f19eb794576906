"""Stored objects: for the owner's token, or for a link that was signed here. Everything else is absent."""

import hashlib
import re
from collections.abc import AsyncIterator
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from bmn.db.library import asset_store, brand_store
from bmn.db.records import BrandAssetRow
from bmn.errors import NotFound
from bmn.identity.tokens import Principal
from bmn.mime import mime_of
from bmn.server.access.asking import AskingRoute
from bmn.server.access.dependencies import Res, owner_filter, viewer
from bmn.server.access.refusals import ANY_CALLER, refusals
from bmn.server.access.revealing import Reason, Reveal, onlooker
from bmn.server.edge.conditions import http_date, is_another, is_current, range_asked, wanted
from bmn.server.edge.head import is_head
from bmn.storage import Storage, brand_of, check_key

router = APIRouter(tags=["files"], route_class=AskingRoute)

_ABSENT = "File not found"
_PART_BYTES = 512 * 1024
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; media-src 'self'; img-src 'self'; sandbox"


_BYTES: dict[str, Any] = {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}


@router.get(
    "/files/{key:path}",
    response_class=Response,
    responses={
        200: _BYTES,
        206: {**_BYTES, "description": "The range that was asked for"},
        304: {"description": "The copy of the caller is still good"},
        412: {"description": "What the caller asks for is no more"},
        416: {"description": "There is no such range"},
        **ANY_CALLER,
        **refusals(404),
    },
)
async def read_file(
    key: str,
    request: Request,
    res: Res,
    until: str | None = None,
    signature: str | None = None,
    reveal: Reveal = False,
    reason: Reason = None,
    download: Annotated[str | None, Query(max_length=300)] = None,
) -> Response:
    """A stored object, whole or one range of it: for its owner's token, or for a link that was signed here.

    download: the name to save it under; without one a browser shows a picture, whatever the link says.
    """
    brand_id = _brand_of(key)
    if res.signer.allows(key, until, signature):
        await res.limit.check_view(f"link/{hashlib.sha256(key.encode()).hexdigest()}", request.scope)
    else:
        await _require_owner(res, await onlooker(request, await viewer(request), reveal, reason), brand_id)
    storage = res.core.storage
    try:
        size = await storage.head(key)
        beginning = await storage.part(key, 0, min(size, _PART_BYTES))
    except FileNotFoundError:
        raise NotFound(_ABSENT) from None
    row = await res.core.db.read(lambda conn: asset_store.by_key(conn, key))
    kind = mime_of(beginning)
    headers = _headers(row, beginning, size, _disposition(kind, download))
    known = (headers.get("ETag", ""), headers.get("Last-Modified", ""))
    if is_another(request.headers, *known):
        return Response(status_code=412, headers=headers)
    if is_current(request.headers, *known):
        return Response(status_code=304, headers=headers)
    headers["Accept-Ranges"] = "bytes"
    try:
        status, first, end = wanted(None if is_head(request) else range_asked(request.headers, *known), size)
    except ValueError:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    if status == 206:
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - first)
    return StreamingResponse(_pieces(storage, key, beginning, first, end), status, headers, kind)


def _brand_of(key: str) -> str:
    """Raises NotFound for a key of nothing that is stored."""
    try:
        return brand_of(check_key(key))
    except ValueError:
        raise NotFound(_ABSENT) from None


def _headers(row: BrandAssetRow | None, beginning: bytes, size: int, disposition: str) -> dict[str, str]:
    headers = {
        "Cache-Control": "private, max-age=3600, immutable",
        "Content-Disposition": disposition,
        "Content-Security-Policy": _POLICY,
        "Cross-Origin-Resource-Policy": "cross-origin",  # a front end on another origin shows our pictures
    }
    if digest := row.sha256 if row is not None else _digest(beginning, size):
        headers["ETag"] = f'"{digest}"'
    if row is not None:
        headers["Last-Modified"] = http_date(row.created_at)
    return headers


def _disposition(kind: str, file: str | None) -> str:
    """What a browser does with it: shows it, or saves it under a name, which here is one part of a path and nothing else."""
    if file is None:
        return "inline" if kind.startswith(("image/", "video/")) else "attachment"
    name = re.sub(r"[\x00-\x1f\x7f/\\]+", "-", file).strip(" .-") or "download"
    plain = re.sub(r'[^ -~]|["%]', "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"


def _digest(beginning: bytes, size: int) -> str:
    """Of what has no row, such as a thumbnail; empty for what was not read whole."""
    return hashlib.sha256(beginning).hexdigest() if len(beginning) == size else ""


async def _pieces(storage: Storage, key: str, beginning: bytes, first: int, end: int) -> AsyncIterator[bytes]:
    """A piece at a time, as the client takes them: many who ask for a film and do not read it must not fill our memory."""
    if first < len(beginning):
        yield beginning[first:end]
    at = max(first, len(beginning))
    while at < end:
        yield await storage.part(key, at, min(at + _PART_BYTES, end))
        at += _PART_BYTES


async def _require_owner(res: Res, principal: Principal, brand_id: str) -> None:
    owner = await res.core.db.read(lambda conn: brand_store.owner(conn, brand_id))
    if owner is None or owner_filter(principal) not in (None, owner):
        raise NotFound(_ABSENT)
