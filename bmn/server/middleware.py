"""The outermost layer of HTTP: request ids, the size of bodies, security headers, the access log, figures.

Plain ASGI, since every request passes here.
"""

import asyncio
import contextlib
import logging
import random
import re
import time
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bmn import logs
from bmn.observability import span
from bmn.server.metrics import Metrics
from bmn.server.rate_limit import RATE_HEADERS

log = logs.get_logger("bmn.access")
_stdlib_log = logging.getLogger("bmn.access")

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")
_TOO_LARGE = "The request body is too large."
_DRAIN_SECONDS = 0.5
_BODY_SECONDS = 20.0
_QUIET = ("/health", "/health/live", "/metrics")

_HEADERS: list[tuple[bytes, bytes]] = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]
_STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")
_API_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")


class Edge:
    """Wraps an app. max_body: bytes a request may carry. secure: we are reached by https, so browsers shall insist."""

    def __init__(self, app: ASGIApp, metrics: Metrics, *, max_body: int, secure: bool) -> None:
        self._app = app
        self._metrics = metrics
        self._max_body = max_body
        self._headers = [*_HEADERS, _STRICT_TRANSPORT] if secure else _HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        length = 0
        request_id = ""
        for name, value in scope["headers"]:
            if name == b"content-length":
                length = int(value) if value.isdigit() and len(value) < 16 else self._max_body + 1
            elif name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
                request_id = value.decode()
        # Not a secret, so it need not come from the system: that call gives the interpreter away under load.
        request_id = request_id or f"{random.getrandbits(128):032x}"
        scope["request_id"] = request_id
        answer = _Answer(send, scope, [(b"x-request-id", request_id.encode()), *self._headers])
        with logs.bind(request_id=request_id), span(f"http {scope['method']}", path=scope["path"], id=request_id):
            try:
                if length > self._max_body:
                    await _drain(receive, 4 * self._max_body)
                    await answer.refuse(413, f'{{"error":"{_TOO_LARGE}","code":"too_large"}}'.encode())
                else:
                    await self._app(scope, _capped(receive, self._max_body), answer.send)
            except Exception:  # the last place where it can be caught
                log.exception("request failed", method=scope["method"], path=scope["path"])
                if not answer.status:
                    await answer.refuse(500, b'{"error":"Something on our side went wrong.","code":"error"}')
            finally:
                self._note(scope, answer.status, time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        path, method = scope["path"], scope["method"]
        route: Any = getattr(scope.get("route"), "path", "other")
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
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = message.get("headers", [])
            extra = [*self._headers, *self._scope.get(RATE_HEADERS, ())]
            if not any(name == b"content-security-policy" for name, _ in given):
                extra.append(_API_POLICY)
            message = {**message, "headers": [*given, *extra]}
        await self._send(message)

    async def refuse(self, status: int, body: bytes) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        if status == 413:
            headers.append((b"connection", b"close"))  # the rest of the body is not read
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


async def _drain(receive: Receive, most: int) -> None:
    """Takes the rest of a refused body for a moment, since who still sends cannot read the answer."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_SECONDS):
            while most > 0:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body"):
                    return
                most -= len(message.get("body", b""))


def _capped(receive: Receive, most: int) -> Receive:
    """A body without a length is counted while it comes, and one that drips is not waited for."""
    size, complete = 0, False
    until = asyncio.get_running_loop().time() + _BODY_SECONDS

    async def capped() -> Message:
        nonlocal size, complete
        if complete:
            return await receive()  # the client's going, whenever that is
        try:
            async with asyncio.timeout_at(until):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, "The request's body did not arrive in time.") from None
        if message["type"] == "http.request":
            complete = not message.get("more_body", False)
            size += len(message.get("body", b""))
            if size > most:
                await _drain(receive, 4 * most)
                raise HTTPException(413, _TOO_LARGE)
        return message

    return capped
