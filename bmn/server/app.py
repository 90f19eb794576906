"""The server: HTTP and sockets on one port, and how its process starts and stops."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from bmn import __version__, observability
from bmn.lifeline import end_when_told
from bmn.logs import get_logger
from bmn.server.edge.asgi import path_of
from bmn.server.edge.connections import allow_many, descriptors, guarded_by
from bmn.server.edge.error_handlers import add_error_handlers
from bmn.server.edge.gate import Gate
from bmn.server.edge.head import Head
from bmn.server.edge.middleware import Edge
from bmn.server.edge.redirects import OwnRedirects
from bmn.server.operators import ROUTERS as OPERATORS
from bmn.server.operators.admin_ui import AdminUi
from bmn.server.pages import ROUTERS as PAGES
from bmn.server.pages.absent import absent
from bmn.server.routes import (
    admin_routes,
    alert_routes,
    brand_routes,
    bulk_routes,
    estimate_routes,
    event_routes,
    file_routes,
    fleet_routes,
    generation_routes,
    health_routes,
    job_event_routes,
    job_routes,
    key_routes,
    kit_routes,
    me_routes,
    record_routes,
    share_routes,
    webhook_routes,
)
from bmn.server.sockets import MESSAGE_BYTES, SOCKET_PATH, create_socket_app
from bmn.server.state.resources import Resources
from bmn.server.state.snapshot import Snapshot
from bmn.settings import Settings, check_start
from bmn.settings.running import ProcessPlace

log = get_logger(__name__)

_ROUTERS = (
    generation_routes,
    estimate_routes,
    kit_routes,
    job_routes,
    job_event_routes,
    brand_routes,
    record_routes,
    event_routes,
    bulk_routes,
    admin_routes,
    alert_routes,
    fleet_routes,
    key_routes,
    me_routes,
    webhook_routes,
    share_routes,
    file_routes,
    health_routes,
)
LISTEN_BACKLOG = 2048
_TAKEN_AT_ONCE = 2
_GRACE_SECONDS = 10
_DATE_SECONDS = 1.0
_OWN_FILES = 256  # descriptors that are no connection of a client
_HEALTH_SECONDS = 1.0
_SCRAPE_SECONDS = 10.0  # half of what Prometheus leaves between two scrapes by default

_EXPOSED_HEADERS = [
    "X-Request-ID",
    "Preference-Applied",
    "Retry-After",
    "RateLimit-Policy",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
]


class Application:
    """The ASGI app. api: the HTTP half, for its OpenAPI document. resources: what it holds while it runs.

    gate: counts the connections of the server that it runs in. place: which of several processes at one address it is.
    """

    def __init__(self, settings: Settings, place: ProcessPlace | None = None) -> None:
        check_start(settings)
        self.place = place or ProcessPlace()
        self.resources = Resources(settings, self.place)
        self.resources.health = Snapshot(partial(health_routes.check_health, self.resources), _HEALTH_SECONDS)
        self.resources.scrape = Snapshot(partial(health_routes.render_metrics, self.resources), _SCRAPE_SECONDS)
        self.sockets = create_socket_app(self.resources, polling=self.place.of == 1)
        self.api = _create_api(self.resources, self._lifespan)
        # CORS is answered here for HTTP and by the socket server for its own path; twice would double the headers.
        inner = CORSMiddleware(
            OwnRedirects(Head(self.api)),
            allow_origins=settings.origins,
            allow_methods=["HEAD", *sorted({name for route in self.api.routes for name in _methods(route)})],
            allow_headers=[
                "Authorization",
                "Content-Type",
                "Idempotency-Key",
                "Last-Event-ID",
                "Prefer",
                "X-Request-ID",
            ],
            expose_headers=_EXPOSED_HEADERS,
            max_age=600,
        )
        most = min(settings.bmn_connections, max(descriptors() - _OWN_FILES, 1))
        self.gate = Gate(most, settings.bmn_connections_per_address, settings.bmn_trusted_proxies)
        secure = settings.public_address.startswith("https://")
        edge = partial(Edge, metrics=self.resources.metrics, secure=secure)
        self._http: ASGIApp = edge(inner, max_body=settings.bmn_max_body_bytes)
        self._sockets: ASGIApp = edge(self.sockets, max_body=MESSAGE_BYTES, route=SOCKET_PATH)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        below = path_of(scope).startswith(SOCKET_PATH)
        await (self._sockets if below else self._http)(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        await self.resources.open()
        try:
            await self.sockets.start()
            try:
                yield
            finally:
                await self.sockets.stop()
        finally:
            await self.resources.close()


def create_app(settings: Settings, place: ProcessPlace | None = None) -> Application:
    """Nothing is opened before the lifespan starts. Raises Misconfigured where production must not start."""
    return Application(settings, place)


def _methods(route: BaseRoute) -> set[str]:
    """What a route of the API answers."""
    is_api = isinstance(route, APIRoute) and route.path.startswith("/api/")
    return set(route.methods or ()) if is_api and isinstance(route, APIRoute) else set()


def _create_api(resources: Resources, lifespan: Any) -> FastAPI:
    app = FastAPI(
        title="bmn",
        version=__version__,
        description="Makes brands with AI: durable jobs, watched live, billed once.",
        lifespan=lifespan,
        openapi_url=None,  # with its page of our own, which has no script from elsewhere, in pages/reference.py
    )
    app.state.resources = resources
    app.add_middleware(AdminUi, resources=resources)
    add_error_handlers(app)
    app.add_exception_handler(404, absent)
    # In one list: an included router tries all its routes for every request of another's, and twice for its own.
    for router in (*(module.router for module in _ROUTERS), *PAGES, *OPERATORS):
        app.router.routes += router.routes
    _describe(app)
    return app


def _describe(app: FastAPI) -> None:
    """Adds to the OpenAPI document what FastAPI cannot know: how callers sign in, and that a bad request is a 400."""

    def openapi() -> dict[str, object]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            schema.setdefault("components", {})["securitySchemes"] = {"bearer": bearer}
            schema["security"] = [{"bearer": []}]
            for operation in (each for path in schema["paths"].values() for each in path.values()):
                operation["responses"].pop("422", None)
            for unused in ("HTTPValidationError", "ValidationError"):
                schema["components"]["schemas"].pop(unused, None)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


class _Server(uvicorn.Server):
    """Ends streams and sockets before it waits for connections, which would not end by themselves in its time.

    uvicorn wakes ten times a second to see whether it is to end; this one is woken for it.
    """

    def __init__(self, config: uvicorn.Config, app: Application, ready: Callable[[], None]) -> None:
        self._ending = False
        self._end: Callable[[], object] | None = None
        super().__init__(config)
        self._app = app
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for sock in sockets or ():
            sock.listen(LISTEN_BACKLOG)  # again: uvicorn has told the kernel how many this process takes at once
        self._ready()
        self._watching = asyncio.create_task(self._app.gate.watch(), name="gate")

    @property
    def should_exit(self) -> bool:
        """Set by uvicorn's handlers of signals, and by whoever runs a server in a thread."""
        return self._ending

    @should_exit.setter
    def should_exit(self, value: bool) -> None:
        self._ending = value
        if value and self._end is not None:
            with suppress(RuntimeError):  # the loop is closed: it has ended
                self._end()

    async def main_loop(self) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        self._end = lambda: loop.call_soon_threadsafe(ended.set)
        while not await self.on_tick(0):  # which renews the date that answers carry
            with suppress(TimeoutError):
                async with asyncio.timeout(_DATE_SECONDS):
                    await ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()  # first, so that nobody comes back to us
        self._app.resources.begin_to_stop()
        await self._app.sockets.stop()
        await super().shutdown(sockets)
        self._watching.cancel()


def create_server(app: Application, ready: Callable[[], None] = lambda: None) -> uvicorn.Server:
    """uvicorn around the app, set up as this server needs it. ready: called when connections are taken."""
    settings = app.resources.settings
    http, ws = guarded_by(app.gate)
    config = uvicorn.Config(
        app,
        http=http,
        ws=ws,
        ws_per_message_deflate=False,
        ws_max_size=MESSAGE_BYTES,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        workers=1,  # else WEB_CONCURRENCY says it, which hosts set for programs of other kinds
        timeout_keep_alive=int(settings.bmn_keep_alive_seconds),
        timeout_graceful_shutdown=_GRACE_SECONDS,
        # How many connections are taken at once. Several processes at one socket take few, so that each gets its share.
        backlog=LISTEN_BACKLOG if app.place.of == 1 else _TAKEN_AT_ONCE,
        proxy_headers=bool(settings.bmn_trusted_proxies),
        forwarded_allow_ips=[str(net) for net in settings.bmn_trusted_proxies],
    )
    logging.getLogger("uvicorn.access").disabled = True  # it writes queries, and ours does not
    return _Server(config, app, ready)


def run(
    settings: Settings, sock: socket.socket, place: ProcessPlace | None = None, ready: Callable[[], None] = lambda: None
) -> None:
    """Serves on a bound socket, alone or beside other processes, until SIGTERM or SIGINT, then returns: a process that ends
    this way exits with 0. ready: called when connections are taken.

    The address must be known beforehand (`settings.public_address`), since it stands in the links that are handed out.
    """
    observability.configure(settings, "api")
    allow_many()
    server = create_server(create_app(settings, place), ready)
    end_when_told(server.handle_exit)
    asyncio.run(server.serve([sock]))
