"""Stored objects: for the owner's token, or for a link that was signed here. Everything else is absent."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bmn.auth import Principal
from bmn.db import assets, brands
from bmn.errors import NotFound
from bmn.server.dependencies import Res, identify
from bmn.storage import brand_of, check_key

router = APIRouter(tags=["files"])

_ABSENT = "File not found"
# What the first bytes of our own objects may be; anything else is handed out as a download of unknown kind.
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; media-src 'self'; img-src 'self'; sandbox"


@router.get("/files/{key:path}", response_class=Response)
async def read_file(
    key: str, request: Request, res: Res, until: str | None = None, signature: str | None = None
) -> Response:
    try:
        brand_id = brand_of(check_key(key))
    except ValueError:
        raise NotFound(_ABSENT) from None
    if not res.signer.allows(key, until, signature):
        await _require_owner(res, await identify(request), brand_id)
    try:
        data = await res.core.storage.get(key)
    except FileNotFoundError:
        raise NotFound(_ABSENT) from None
    row = await res.core.db.read(lambda conn: assets.by_key(conn, key))
    kind = mime_of(data)
    headers = {
        "Cache-Control": "private, max-age=3600, immutable",
        "Content-Disposition": "inline" if kind.startswith(("image/", "video/")) else "attachment",
        "Content-Security-Policy": _POLICY,
        "Cross-Origin-Resource-Policy": "cross-origin",  # a front end on another origin shows our pictures
    }
    if row is not None:
        headers["ETag"] = f'"{row["sha256"]}"'
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
    return Response(data, media_type=kind, headers=headers)


async def _require_owner(res: Res, principal: Principal, brand_id: str) -> None:
    owner = await res.core.db.read(lambda conn: brands.owner(conn, brand_id))
    if owner is None or (owner != principal.user_id and not principal.is_admin):
        raise NotFound(_ABSENT)


def mime_of(data: bytes) -> str:
    """The type of an object by its bytes, since a name or a header can lie."""
    for start, kind in _SIGNATURES:
        if data.startswith(start):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp":
        return "video/mp4"
    return "application/octet-stream"
