"""Style sheet, scripts, typeface and drawings: read once, addressed by their content, so that browsers keep them."""

import hashlib
import re
from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import Response

from bmn.errors import NotFound

router = APIRouter(include_in_schema=False)

KINDS = {
    "heading.woff2": "font/woff2",
    "icon.svg": "image/svg+xml",
    "tee.svg": "image/svg+xml",
    "live.js": "text/javascript",
    "clock.js": "text/javascript",
    "notice.js": "text/javascript",
    "look.js": "text/javascript",
    "page.css": "text/css",
    "rooms.css": "text/css",
    "operators.css": "text/css",
}


def _address(name: str, data: bytes) -> str:
    return f"/static/{name}?v={hashlib.sha256(data).hexdigest()[:12]}"


def _read() -> dict[str, bytes]:
    """Each file by its name; a style sheet names others by their addresses."""
    found = {name: (files("bmn.server.pages") / "static" / name).read_bytes() for name in KINDS}

    def addressed(named: re.Match[str]) -> str:
        return f"url({_address(named[1], found[named[1]])})"

    for name in [name for name in found if name.endswith(".css")]:
        found[name] = re.sub(r"url\(([a-z.0-9]+)\)", addressed, found[name].decode()).encode()
    return found


_CONTENT = _read()


def address_of(name: str) -> str:
    """Where a page finds one of these files; a changed file has another address."""
    return _address(name, _CONTENT[name])


@router.get("/static/{name}")
async def static(name: str) -> Response:
    """A file of the pages."""
    if name not in KINDS:
        raise NotFound("No such file")
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(_CONTENT[name], media_type=KINDS[name], headers=headers)
