"""The door of everything below /admin: our own pages for operators, and RQ's dashboard at /admin/queues, to look at only.

rq-dashboard has no sign-in, changes state on GET, unpickles what it reads and prints some of it unescaped. So: a gate
before it that lets a signed-in admin look at known pages, JSON for everything it reads, and its templates mended on the way.
Jobs are brought back and cancelled through our own rows; a requeue in RQ would go past them.
"""

import asyncio
import posixpath
import re
import secrets
from typing import Any
from urllib.parse import unquote

import redis
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bmn.errors import NotAllowed
from bmn.logs import get_logger
from bmn.server.access.permissions import ROUTES, require
from bmn.server.edge.asgi import begins_answer, given_headers, is_http, is_websocket, path_of, raw_path_of
from bmn.server.pages.absent import nothing_here
from bmn.server.pages.access import sign_in_page
from bmn.server.state.resources import Resources
from bmn.settings import Settings
from bmn.work.registry import ALL_QUEUES

log = get_logger(__name__)

PREFIX = "/admin/queues"
_READ_ONLY = (
    "This dashboard only shows. RQ is a view of our jobs, so nothing is deleted, emptied or requeued here.\n"
    "Use `bmn jobs retry`, `bmn jobs cancel`, `bmn jobs dlq replay` and `bmn queues pause`.\n"
)
_CHANGES = re.compile(r"/requeue(/|$)|/(delete|empty|compact)$")
_QUEUE = f"(?:{'|'.join(map(re.escape, ALL_QUEUES))})"
_REGISTRY = "(?:queued|scheduled|deferred|started|finished|failed|canceled)"
_LIST = rf"{_QUEUE}/{_REGISTRY}/[1-9][0-9]{{0,2}}/(?:asc|dsc)/[1-9][0-9]{{0,5}}"
_JOB = "[A-Za-z0-9_-]{1,128}"
# Our own pages, which are routes like any other; what each asks for is the routes' business.
_OWN = re.compile(r"/admin(?:/(?:jobs|dlq|users|audit|bulk|queue|alerts|events)(?:/[A-Za-z0-9_-]{1,128}){0,2})?")
# Everything there is to see of RQ. Whatever else rq-dashboard answers to is not reached.
_PAGES = re.compile(
    r"/|/favicon\.ico|/static/favicon\.ico|/static/(?:css|js)/[a-z0-9.-]+"
    r"|/0/(?:view(?:/(?:queues|workers|jobs))?)?|/0/data/(?:queues|workers)\.json"
    rf"|/0/view/jobs/{_LIST}|/0/data/jobs/{_LIST}\.json|/0/view/job/{_JOB}|/0/data/job/{_JOB}\.json"
)
_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class AdminUi:
    """Wraps the HTTP app: paths below /admin are its own, in whatever disguise they come."""

    def __init__(self, app: ASGIApp, resources: Resources) -> None:
        self._app = app
        self._resources = resources
        self._dashboard: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not (is_http(scope) or is_websocket(scope)) or not is_admin_path(path_of(scope)):
            await self._app(scope, receive, send)
        elif is_websocket(scope):
            await send({"type": "websocket.close", "code": 1008})
        elif (refusal := await self._refusal(Request(scope, receive))) is not None:
            await refusal(scope, receive, send)
        elif _is_own(scope):
            await self._app(scope, receive, send)
        else:
            await self._show(scope, receive, send)

    async def _refusal(self, request: Request) -> Response | None:
        """Why a request reaches neither our pages nor the dashboard; None where it does."""
        try:
            principal = await self._resources.sessions.find(request)
        except (redis.RedisError, OSError):
            return PlainTextResponse("Redis is away, and with it who is signed in. `bmn doctor` says more.\n", 503)
        if principal is None:
            return sign_in_page(request)
        own = _is_own(request.scope)
        try:
            require(principal, ROUTES["GET /admin" if own else f"GET {PREFIX}"])
        except NotAllowed as refused:
            return PlainTextResponse(f"{refused.message}\n{refused.hint}\nRun `bmn admin open`.\n", 403)
        if own:
            return None
        path = path_of(request.scope)
        if request.method not in ("GET", "HEAD") or _CHANGES.search(path):
            return PlainTextResponse(_READ_ONLY, 405, {"Allow": "GET, HEAD"})
        rest = path.removeprefix(PREFIX) or "/"
        if _is_plain(request.scope) and path.startswith(PREFIX) and _PAGES.fullmatch(rest):
            return None
        return nothing_here(request, "The operators' pages begin at /admin.")

    async def _show(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._dashboard is None:
            self._dashboard = await asyncio.to_thread(_open, self._resources.settings)
        nonce = secrets.token_urlsafe(16)
        path = f"{PREFIX}/" if path_of(scope) == PREFIX else path_of(scope)

        async def sealed(message: Message) -> None:
            if begins_answer(message):
                headers = MutableHeaders(raw=given_headers(message))
                headers["Content-Security-Policy"] = _POLICY.format(nonce=nonce)
            await send(message)

        await self._dashboard({**scope, "path": path, "root_path": PREFIX, "nonce": nonce}, receive, sealed)


def _open(settings: Settings) -> Any:
    """With the first look at it, since it brings a framework of its own."""
    from bmn.server.operators.rq_dashboard import open_dashboard

    return open_dashboard(settings)


def _is_own(scope: Scope) -> bool:
    return _is_plain(scope) and _OWN.fullmatch(path_of(scope)) is not None


def _is_plain(scope: Scope) -> bool:
    """Whether a path was asked for as it is read, in no disguise."""
    return raw_path_of(scope) == path_of(scope).encode()


def is_admin_path(path: str) -> bool:
    """Whether a path could be taken for one below /admin, by anybody who reads paths more kindly than we do."""
    if "admin" not in path.lower() and "%" not in path:
        return False
    plain = unquote(unquote(path)).replace("\\", "/").lower()
    first = posixpath.normpath(f"/{plain.lstrip('/')}").split("/")[1]
    return first.partition(";")[0].strip(". \t\x00") == "admin"
