"""Templates to answers: escaped, under a policy that runs our own script only, and never kept by a cache."""

from collections.abc import Hashable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from bmn.format import count, price
from bmn.server.pages import page_words
from bmn.server.pages.statics import address_of
from bmn.server.state.resources import Resources
from bmn.settings import Settings

_templates = Environment(
    loader=PackageLoader("bmn.server.pages"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)
_templates.globals["static"] = address_of
_templates.filters.update(
    ago=page_words.ago,
    calm=page_words.calm,
    day=page_words.day,
    stamp=page_words.stamp,
    moment=page_words.moment,
    count=count,
    money=price,
)


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page. values: what its template asks for; `account` is the signed-in caller's, or None."""
    resources: Resources = request.app.state.resources
    return rendered(resources.settings, template, status, **values)


def rendered(settings: Settings, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """The same for who has no request."""
    return HTMLResponse(_written(template, not settings.is_production, values), status, _headers(settings))


def unsigned(settings: Settings, template: str, status: int, **values: Hashable) -> HTMLResponse:
    """A page that needs no token. Anybody may ask for it without end, so it is written once for each of its few texts."""
    written = _written_once(template, not settings.is_production, tuple(values.items()))
    return HTMLResponse(written, status, _headers(settings))


def _written(template: str, development: bool, values: Mapping[str, object]) -> str:
    return _templates.get_template(template).render({"account": None, "development": development, **values})


@lru_cache(maxsize=64)
def _written_once(template: str, development: bool, values: tuple[tuple[str, Hashable], ...]) -> bytes:
    return _written(template, development, dict(values)).encode()


def _headers(settings: Settings) -> dict[str, str]:
    return {"Content-Security-Policy": _policy(settings), "Cache-Control": "no-store"}


@lru_cache(maxsize=8)
def _policy_for(*origins: str) -> str:
    sources = " ".join(("'self'", *sorted({origin for origin in origins if origin})))
    return (
        f"default-src 'none'; img-src {sources}; media-src {sources}; font-src 'self'; style-src 'self'; script-src 'self'; "
        "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def _policy(settings: Settings) -> str:
    """Pictures come from the address we call ourselves, which may be another name of this host, or from the bucket."""
    return _policy_for(_origin(settings.public_address), _origin(settings.public_base_url))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
