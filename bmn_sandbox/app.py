"""The provider sandbox: one ASGI application that speaks every vendor's wire on one port.

Control routes are under `/_sandbox/`; everything else is a vendor's. A vendor is a module with PROVIDER (its name in
faults and in the ledger), `routes(sandbox)` whose route names are the fault operations, and `error_body(status)`.
"""

import ipaddress
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import uvicorn
from pydantic import BaseModel, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bmn_sandbox import anthropic, bfl, gohighlevel, google, google_video, jwks, openai, resend, s3
from bmn_sandbox.faults import FaultRule
from bmn_sandbox.state import Sandbox
from bmn_sandbox.transport import guarded


class Vendor(Protocol):
    PROVIDER: str

    def routes(self, sandbox: Sandbox) -> list[Route]: ...

    def error_body(self, status: int) -> dict[str, Any]: ...


VENDORS: tuple[Vendor, ...] = (bfl, openai, google, google_video, anthropic, resend, gohighlevel, s3, jwks)
CONTROLS = (resend.control_routes, jwks.control_routes)  # what some vendors add under `/_sandbox/`


class LimitRule(BaseModel):
    """How many calls a vendor takes in how many seconds."""

    provider: str
    calls: int = Field(ge=1)
    seconds: float = Field(1.0, gt=0)


def create_app(state_dir: Path, *, speed: float = 1.0) -> Starlette:
    """The sandbox as an ASGI application.

    state_dir: where its ledger, tasks and pictures are kept, so that they outlive a restart.
    speed: scales every wait; 1.0 is like the real vendors, 0 instant.
    """
    sandbox = Sandbox(state_dir, speed)
    vendor_routes = [
        guarded(route, sandbox, vendor.PROVIDER, vendor.error_body)
        for vendor in VENDORS
        for route in vendor.routes(sandbox)
    ]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        sandbox.store.close()

    extra_controls = [route for routes in CONTROLS for route in routes(sandbox)]
    controls = [_for_programs(route) for route in (*_control_routes(sandbox), *extra_controls)]
    app = Starlette(routes=[*controls, *vendor_routes], lifespan=lifespan)
    app.state.sandbox = sandbox
    return app


def run(host: str, port: int, state_dir: Path, speed: float = 1.0) -> None:
    """Serves the sandbox until it is told to stop. Blocks."""
    app = create_app(state_dir, speed=speed)
    uvicorn.run(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=1)


def _control_routes(sandbox: Sandbox) -> list[Route]:
    names = {vendor.PROVIDER for vendor in VENDORS}

    async def overview(_request: Request) -> JSONResponse:
        return JSONResponse(
            {
                "sandbox": "bmn",
                "providers": sorted(names),
                "speed": sandbox.speed,
                "uptimeSeconds": round(time.time() - sandbox.started, 1),
                "faults": sandbox.faults.listing(),
                "billed": sandbox.ledger.totals(),
            }
        )

    async def health(_request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    async def add_fault(request: Request) -> JSONResponse:
        try:
            rule = FaultRule.model_validate_json(await request.body())
        except ValidationError as error:
            return _problem(_readable(error))
        if rule.provider not in {*names, "*"}:
            return _problem(f"provider: {rule.provider!r} is unknown; one of {', '.join(sorted(names))}, or *")
        return JSONResponse(sandbox.faults.add(rule), 201)

    async def list_faults(_request: Request) -> JSONResponse:
        return JSONResponse(sandbox.faults.listing())

    async def clear_faults(request: Request) -> JSONResponse:
        return JSONResponse({"cleared": sandbox.faults.clear(request.query_params.get("provider"))})

    async def set_limit(request: Request) -> JSONResponse:
        try:
            wanted = LimitRule.model_validate_json(await request.body())
        except ValidationError as error:
            return _problem(_readable(error))
        if wanted.provider not in sandbox.limiters:
            return _problem(f"provider: {wanted.provider!r} has no limit; one of {', '.join(sorted(sandbox.limiters))}")
        sandbox.limiters[wanted.provider].set(wanted.calls, wanted.seconds)
        return JSONResponse(wanted.model_dump(), 201)

    async def ledger(request: Request) -> JSONResponse:
        query = request.query_params
        try:
            since = _unix_time(query.get("since", "0"))
        except ValueError:
            return _problem("since: neither a unix time in seconds nor an RFC 3339 time")
        return JSONResponse(sandbox.ledger.rows(provider=query.get("provider"), since=since))

    async def requests(request: Request) -> JSONResponse:
        only = request.query_params.get("provider")
        found = [entry for name, ring in sandbox.requests.items() if only in (None, name) for entry in ring]
        return JSONResponse(sorted(found, key=lambda entry: entry["time"]))

    return [
        Route("/_sandbox/", overview),
        Route("/_sandbox/health", health),
        Route("/_sandbox/faults", add_fault, methods=["POST"]),
        Route("/_sandbox/faults", list_faults, methods=["GET"]),
        Route("/_sandbox/faults", clear_faults, methods=["DELETE"]),
        Route("/_sandbox/limits", set_limit, methods=["POST"]),
        Route("/_sandbox/ledger", ledger),
        Route("/_sandbox/requests", requests),
    ]


def _for_programs(route: Route) -> Route:
    """The same control route, closed to pages of other sites: any page may send to 127.0.0.1, and a name may lead there."""
    handler: Callable[[Request], Awaitable[Response]] = route.endpoint

    async def endpoint(request: Request) -> Response:
        site = request.headers.get("sec-fetch-site", "none")
        if site not in ("none", "same-origin") or "origin" in request.headers or not _is_here(request.url.hostname):
            return JSONResponse({"error": "The sandbox is controlled by programs, not by pages of other sites."}, 403)
        return await handler(request)

    return Route(route.path, endpoint, methods=list(route.methods or ["GET"]))


def _is_here(host: str | None) -> bool:
    """Whether a host is an address, or a name within one machine or one composition: those have no dot."""
    try:
        return bool(host) and (("." not in str(host)) or bool(ipaddress.ip_address(str(host))))
    except ValueError:
        return False


def _problem(message: str) -> JSONResponse:
    return JSONResponse({"error": message}, 400)


def _readable(error: ValidationError) -> str:
    return "; ".join(": ".join(part for part in _named(item["loc"], item["msg"]) if part) for item in error.errors())


def _named(place: tuple[int | str, ...], words: str) -> tuple[str, str]:
    """Where something is wrong, and what, without pydantic's way of beginning."""
    return ".".join(map(str, place)), words.removeprefix("Value error, ").replace("Input should be", "it has to be")


def _unix_time(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return datetime.fromisoformat(text).timestamp()
