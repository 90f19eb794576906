"""The outermost layer of HTTP, sockets that poll included: request ids, the size of bodies and the time they may take,
security headers, the access log, figures.

Plain ASGI, since every request passes here.
"""

import json
import logging
import random
import re
import time

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bmn import logs
from bmn.observability import span
from bmn.server.edge.asgi import (
    begins_answer,
    given_headers,
    headers_of,
    is_http,
    method_of,
    path_of,
    route_path_of,
    status_of,
)
from bmn.server.edge.bodies import TOO_LARGE, Body, Held
from bmn.server.state.metrics import Metrics
from bmn.server.state.rate_limit import RATE_HEADERS

log = logs.get_logger("bmn.access")
_stdlib_log = logging.getLogger("bmn.access")

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")
_LOGGED_PATH = 500
_CODES = {408: "bad_request", 413: "too_large", 503: "busy"}
_QUIET = ("/health", "/health/live", "/metrics")

_HEADERS: list[tuple[bytes, bytes]] = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]
_STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")
_NOT_KEPT = (b"cache-control", b"no-store")
_API_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")


class Edge:
    """Wraps an app. max_body: bytes a request may carry. secure: we are reached by https, so browsers shall insist.

    route: what figures call a request that no route of the API has answered.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, *, max_body: int, secure: bool, route: str = "other") -> None:
        self._app = app
        self._metrics = metrics
        self._max_body = max_body
        self._route = route
        self._held = Held()
        self._headers = [*_HEADERS, _STRICT_TRANSPORT] if secure else _HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_http(scope):
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        most = self._max_body
        length = 0
        request_id = ""
        for name, value in headers_of(scope):
            if name == b"content-length":
                value = value.strip()  # blanks around it are no part of it
                length = int(value) if value.isdigit() and len(value) < 16 else most + 1
            elif name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
                request_id = value.decode()
        # Not a secret, so it need not come from the system: that call gives the interpreter away under load.
        request_id = request_id or f"{random.getrandbits(128):032x}"
        scope["request_id"] = request_id
        path, method = path_of(scope)[:_LOGGED_PATH], method_of(scope)
        body = Body(receive, most, self._held)
        answer = _Answer(send, scope, [(b"x-request-id", request_id.encode()), *self._headers])
        with logs.bind(request_id=request_id), span(f"http {method}", path=path, id=request_id):
            try:
                if length > most:
                    raise HTTPException(413, TOO_LARGE)
                await self._app(scope, body.read, answer.send)
            except HTTPException as error:  # of the body; whoever reads it inside of the API has answered it already
                if not answer.status:
                    await answer.refuse(error.status_code, str(error.detail), _CODES[error.status_code], body)
            except Exception:  # the last place where it can be caught
                log.exception("request failed", method=method, path=path)
                if not answer.status:
                    await answer.refuse(500, "Something on our side went wrong.", "error")
            finally:
                body.release()
                self._note(scope, answer.status, time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        path, method = path_of(scope)[:_LOGGED_PATH], method_of(scope)
        route = route_path_of(scope, self._route)
        self._metrics.requests.labels(method, route, status).inc()
        self._metrics.seconds.labels(method, route).observe(seconds)
        if path not in _QUIET and _stdlib_log.isEnabledFor(logging.INFO):
            # The path alone: queries carry signatures.
            log.info("request", method=method, path=path, status=status, ms=round(seconds * 1000, 1))


class _Answer:
    """The way out: adds the headers that every answer has, and remembers the status."""

    def __init__(self, send: Send, scope: Scope, headers: list[tuple[bytes, bytes]]) -> None:
        self._send = send
        self._scope = scope
        self._headers = headers
        self.status = 0

    async def send(self, message: Message) -> None:
        if begins_answer(message):
            self.status = status_of(message)
            given = given_headers(message)
            names = {name.lower() for name, _ in given}
            extra = [*self._headers, *self._scope.get(RATE_HEADERS, ())]
            if self.status != 304:  # what it says takes the place of what the copy was given with
                extra += [header for header in (_API_POLICY, _NOT_KEPT) if header[0] not in names]
            message = {**message, "headers": [*given, *extra]}
        await self._send(message)

    async def refuse(self, status: int, words: str, code: str, rest: Body | None = None) -> None:
        """Answers at once. rest: a body that is not read."""
        body = json.dumps({"error": words, "code": code}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        if status == 503:
            headers.append((b"retry-after", b"5"))
        if rest is not None:
            headers.append((b"connection", b"close"))
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body, "more_body": rest is not None})
        if rest is not None:
            await rest.drain()
            await self.send({"type": "http.response.body", "body": b""})
