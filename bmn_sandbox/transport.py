"""The one wrapper around every vendor route: it logs the call and carries out the faults any vendor can have."""

import asyncio
import gzip
import socket
import struct
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bmn_sandbox.faults import FaultRule, GarbageKind
from bmn_sandbox.state import Sandbox, describe

Handler = Callable[[Request], Awaitable[Response]]
ErrorBody = Callable[[int], dict[str, Any]]

_HUGE_BYTES = 2 * 1024**3
_LONG_ENOUGH = 3600.0


def guarded(route: Route, sandbox: Sandbox, provider: str, error_body: ErrorBody) -> Route:
    """The same route with the log and the faults around its handler; the route's name is the fault's `op`."""
    handler: Handler = route.endpoint

    async def endpoint(request: Request) -> Response:
        started = time.monotonic()
        body = await request.body()
        request.state.call = describe(request, provider, route.name, body)
        response = await _answer(request, sandbox, handler, error_body)
        status = None if isinstance(response, Silence) else response.status_code
        sandbox.note(request, body, status, started)
        return response

    return Route(route.path, endpoint, methods=list(route.methods or ["GET"]), name=f"{provider}.{route.name}")


async def _answer(request: Request, sandbox: Sandbox, handler: Handler, error_body: ErrorBody) -> Response:
    call, faults = request.state.call, sandbox.faults
    if (rule := faults.take(call, ("latency",))) and rule.latency:
        await asyncio.sleep(rule.latency)
    if faults.take(call, ("hang",)):
        return Silence(abort=False)
    if rule := faults.take(call, ("status",)):
        return _refusal(rule, error_body)
    response = await handler(request)
    # From here on the vendor has done, and billed, its work.
    if faults.take(call, ("drop_response",)):
        return Silence(abort=True)
    if (rule := faults.take(call, ("garbage",))) and rule.garbage:
        return garbled(rule.garbage, response)
    return response


def _refusal(rule: FaultRule, error_body: ErrorBody) -> Response:
    assert rule.status is not None
    headers = {} if rule.retry_after is None else {"retry-after": str(rule.retry_after)}
    if isinstance(rule.body, str):
        return Response(rule.body, rule.status, headers=headers, media_type="text/html")
    body = error_body(rule.status) if rule.body is None else rule.body
    return JSONResponse(body, rule.status, headers=headers)


class Silence(Response):
    """No answer. abort: the connection is reset at once; otherwise it stays open until the caller gives up."""

    def __init__(self, *, abort: bool) -> None:
        super().__init__(status_code=500)
        self.abort = abort

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.abort:
            _reset(receive)
        async with asyncio.timeout(_LONG_ENOUGH):
            while (await receive())["type"] != "http.disconnect":
                pass


def _reset(receive: Receive) -> None:
    """Sends a TCP reset. uvicorn has no call for it, but its receive is a method of what holds the transport."""
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise RuntimeError("a dropped response needs uvicorn: this server does not show its transport")
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def garbled(kind: GarbageKind, response: Response) -> Response:
    """The answer as a broken proxy, cache or vendor would spoil it. A stream can be cut, and is otherwise replaced."""
    body = bytes(response.body) if hasattr(response, "body") else b"{}"
    media = response.headers.get("content-type", "application/json")
    page = b"<!doctype html><html><head><title>502</title></head><body><h1>Bad gateway</h1></body></html>"
    match kind:
        case "html":
            return Response(page, 200, media_type="text/html")
        case "empty":
            return Response(b"", 200, headers={"content-type": media})
        case "truncated" if isinstance(response, StreamingResponse):
            return StreamingResponse(_first_half(response), response.status_code, headers=dict(response.headers))
        case "truncated":
            return Response(body[: max(1, len(body) // 2)], 200, headers={"content-type": media})
        case "contenttype":
            return Response(body, 200, headers={"content-type": "application/x-unknown"})
        case "drip":
            return StreamingResponse(_drip(), 200, headers={"content-type": media})
        case "huge":
            return StreamingResponse(_huge(), 200, headers={"content-type": media})
        case "gzipbomb":
            return Response(_bomb(), 200, headers={"content-type": media, "content-encoding": "gzip"})


async def _first_half(response: StreamingResponse) -> AsyncIterator[bytes | str | memoryview]:
    """The pieces of a stream up to its middle; its end never comes."""
    pieces = [piece async for piece in response.body_iterator]
    for piece in pieces[: max(1, len(pieces) // 2)]:
        yield piece


async def _drip() -> AsyncIterator[bytes]:
    while True:
        yield b" "
        await asyncio.sleep(1)


async def _huge() -> AsyncIterator[bytes]:
    block = b" " * 2**20
    for _ in range(_HUGE_BYTES // len(block)):
        yield block
        await asyncio.sleep(0)


def _bomb(megabytes: int = 2048) -> bytes:
    """A gzip of many megabytes of spaces. Flushed deflate blocks repeat, so one is made and copied."""
    maker = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = maker.compress(b" " * 2**20) + maker.flush(zlib.Z_FULL_FLUSH)
    return gzip.compress(b"")[:10] + block * megabytes + maker.flush() + bytes(8)
