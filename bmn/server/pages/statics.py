"""The style sheet, the script and the icon: read once, addressed by their content, so that browsers keep them."""

import hashlib
from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import Response

from bmn.errors import NotFound

router = APIRouter(include_in_schema=False)

_KINDS = {"page.css": "text/css", "live.js": "text/javascript", "icon.svg": "image/svg+xml"}
_CONTENT = {name: (files("bmn.server.pages") / "static" / name).read_bytes() for name in _KINDS}


def address_of(name: str) -> str:
    """Where a page finds one of these files; a changed file has another address."""
    return f"/static/{name}?v={hashlib.sha256(_CONTENT[name]).hexdigest()[:12]}"


@router.get("/static/{name}")
async def static(name: str) -> Response:
    """A file of the pages."""
    if name not in _KINDS:
        raise NotFound("No such file")
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(_CONTENT[name], media_type=_KINDS[name], headers=headers)
