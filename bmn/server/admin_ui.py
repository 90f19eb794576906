"""The queues' dashboard at /admin/queues: rq-dashboard as a view for admins, and nothing but a view.

rq-dashboard has no sign-in, changes state on GET, unpickles what it reads and prints some of it unescaped. So: a gate
before it that lets a signed-in admin look at known pages, JSON for everything it reads, and its templates mended on the way.
Jobs are brought back and cancelled through our own rows; a requeue in RQ would go past them.
"""

import posixpath
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import flask
import jinja2
import redis
from a2wsgi import WSGIMiddleware
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker import Worker
from rq_dashboard import web
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bmn.broker.connection import connect_sync
from bmn.logs import get_logger
from bmn.server.dependencies import ADMINS_ONLY
from bmn.server.pages.access import sign_in_page
from bmn.server.resources import Resources
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
_LIST = rf"{_QUEUE}/{_REGISTRY}/[1-9]\d{{0,2}}/(?:asc|dsc)/[1-9]\d{{0,5}}"
_JOB = "[A-Za-z0-9_-]{1,128}"
# Everything there is to see. Whatever else rq-dashboard answers to is not reached.
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
        if scope["type"] not in ("http", "websocket") or not is_admin_path(scope["path"]):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif (refusal := await self._refusal(Request(scope, receive))) is not None:
            await refusal(scope, receive, send)
        else:
            await self._show(scope, receive, send)

    async def _refusal(self, request: Request) -> Response | None:
        """Why a request does not reach the dashboard; None where it does."""
        try:
            principal = await self._resources.sessions.find(request)
        except (redis.RedisError, OSError):
            return PlainTextResponse("Redis is away, and with it the view of the queues.\n", 503)
        if principal is None:
            return sign_in_page(request)
        if not principal.is_admin:
            return PlainTextResponse(f"{ADMINS_ONLY}\nRun `bmn admin open`.\n", 403)
        path: str = request.scope["path"]
        if request.method not in ("GET", "HEAD") or _CHANGES.search(path):
            return PlainTextResponse(_READ_ONLY, 405, {"Allow": "GET, HEAD"})
        plain = request.scope.get("raw_path", path.encode()).split(b"?")[0] == path.encode()
        rest = path.removeprefix(PREFIX) or "/"
        if plain and path.startswith(PREFIX) and _PAGES.fullmatch(rest):
            return None
        return PlainTextResponse("There is no such page. The queues are at /admin/queues\n", 404)

    async def _show(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._dashboard is None:
            dashboard: Any = _create_dashboard(self._resources.settings)
            self._dashboard = WSGIMiddleware(dashboard, workers=4)
        nonce = secrets.token_urlsafe(16)
        path = f"{PREFIX}/" if scope["path"] == PREFIX else scope["path"]

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                headers["Content-Security-Policy"] = _POLICY.format(nonce=nonce)
            await send(message)

        await self._dashboard({**scope, "path": path, "root_path": PREFIX, "nonce": nonce}, receive, sealed)


def is_admin_path(path: str) -> bool:
    """Whether a path could be taken for one below /admin, by anybody who reads paths more kindly than we do."""
    if "admin" not in path.lower() and "%" not in path:
        return False
    plain = unquote(unquote(path)).replace("\\", "/").lower()
    first = posixpath.normpath(f"/{plain.lstrip('/')}").split("/")[1]
    return first.partition(";")[0].strip(". \t\x00") == "admin"


class _JsonJob(Job):
    """Whoever can write to Redis could otherwise run code here: a pickle runs what it likes."""

    @classmethod
    def fetch(cls, id: str, connection: Any = None, serializer: Any = None) -> Any:
        return super().fetch(id, connection=connection, serializer=JSONSerializer)


class _JsonWorker(Worker):
    @classmethod
    def all(cls, connection: Any = None, *_: Any, **__: Any) -> Any:
        return super().all(connection=connection, job_class=_JsonJob, serializer=JSONSerializer)


def _create_dashboard(settings: Settings) -> flask.Flask:
    connection = connect_sync(settings.redis_address)
    web.config.serializer = JSONSerializer
    web.Job, web.Worker = _JsonJob, _JsonWorker
    web.from_url = lambda *_, **__: (None, connection)  # it would open a pool of its own at every request
    app = flask.Flask("rq_dashboard", static_folder=str(Path(web.__file__).parent / "static"))
    app.config.update(RQ_DASHBOARD_REDIS_URL=("redis",), RQ_DASHBOARD_DISABLE_DELETE=True, DEPRECATED_OPTIONS=[])
    app.redis_conn = connection  # type: ignore[attr-defined]
    app.register_blueprint(web.blueprint)
    app.jinja_env.autoescape = True  # Flask leaves the included scripts out
    app.jinja_env.loader = _MendingLoader(jinja2.PackageLoader("rq_dashboard"))
    app.context_processor(lambda: {"nonce": flask.request.environ["asgi.scope"]["nonce"]})
    app.register_error_handler(NoSuchJobError, _no_such_job)
    app.register_error_handler(Exception, _unreadable)
    return app


def _no_such_job(_error: Exception) -> tuple[str, int]:
    return "RQ does not know this job any more. `bmn jobs show` does.", 404


def _unreadable(error: Exception) -> tuple[str, int]:
    log.warning("an entry in Redis cannot be shown", error=repr(error)[:300])
    return "This cannot be read: it is not an entry of ours, or Redis is away.", 500


class _MendingLoader(jinja2.BaseLoader):
    """rq-dashboard's templates: values escaped where the browser fills them in, scripts named to the policy, no buttons."""

    _RAW = re.compile(r"<%=(?!\s*\$\('<div/>'\)\.text)")  # those that escape by themselves stay as they are
    _HIDDEN = (
        "#requeue-job-btn, #requeue-all-btn, #compact-btn, [data-role=requeue-job-btn] { display: none !important }"
    )
    _NOTE = (
        '<p class="alert alert-secondary">A view of the queues: nothing is changed here. Bring jobs back with '
        "<code>bmn jobs retry</code>, stop them with <code>bmn jobs cancel</code>.</p>"
    )

    def __init__(self, inner: jinja2.BaseLoader) -> None:
        self._inner = inner

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        source, file, fresh = self._inner.get_source(environment, template)
        if template.endswith(".html"):
            source = self._RAW.sub("<%-", source)
            source = source.replace('<script type="text/javascript">', '<script nonce="{{ nonce }}">')
            source = source.replace("</head>", f"<style>{self._HIDDEN}</style></head>")
            source = source.replace('<div class="container">', f'<div class="container">{self._NOTE}', 1)
        return source, file, fresh
