"""HTTP to vendors: every body capped, never compressed, every wait bounded. The SDKs are given this client too."""

import json
import ssl
from collections.abc import AsyncIterator, Mapping
from functools import cache
from typing import Any

import httpx2

from bmn.providers.failures import UnreadableAnswer

MEGABYTE = 2**20
CONNECT_SECONDS = 5.0


def open_client(
    *,
    base_url: str = "",
    headers: Mapping[str, str] | None = None,
    max_bytes: int = 25 * MEGABYTE,
    idle: float = 30.0,
) -> httpx2.AsyncClient:
    """A client for one vendor. max_bytes: the largest body it reads. idle: seconds without a byte that it bears."""
    return httpx2.AsyncClient(
        base_url=base_url,
        headers=headers,
        timeout=httpx2.Timeout(idle, connect=CONNECT_SECONDS),
        transport=CappedTransport(max_bytes),
        follow_redirects=False,
    )


@cache
def tls() -> ssl.SSLContext:
    """The one TLS context of the process: reading the authorities takes tens of milliseconds."""
    return httpx2.create_ssl_context()


class CappedTransport(httpx2.AsyncHTTPTransport):
    """Asks for plain bodies, refuses packed ones (a small gzip can hold gigabytes), and counts what comes."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(verify=tls(), limits=httpx2.Limits(max_connections=200, max_keepalive_connections=50))
        self._max_bytes = max_bytes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.headers["accept-encoding"] = "identity"
        response = await super().handle_async_request(request)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            await response.aclose()
            raise UnreadableAnswer("the body is packed, though none was asked for")
        if _length(response) > self._max_bytes:
            await response.aclose()
            raise UnreadableAnswer(f"the body has more than {self._max_bytes} bytes")
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _CappedStream(response.stream, self._max_bytes)
        return response


class _CappedStream(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, max_bytes: int) -> None:
        self._stream = stream
        self._left = max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._left -= len(chunk)
            if self._left < 0:
                raise UnreadableAnswer("the body is larger than allowed")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def _length(response: httpx2.Response) -> int:
    length = response.headers.get("content-length", "")
    return int(length) if length.isdecimal() and len(length) < 20 else 0


def json_body(response: httpx2.Response) -> dict[str, Any]:
    """The JSON object in a body. Raises UnreadableAnswer for anything else."""
    try:
        body = response.json()
    except (ValueError, RecursionError) as problem:
        raise UnreadableAnswer("not JSON") from problem
    if not isinstance(body, dict):
        raise UnreadableAnswer("not a JSON object")
    return body


def error_body(response: httpx2.Response) -> dict[str, Any]:
    """The JSON object of an error answer; empty where a gateway sent a page instead."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
