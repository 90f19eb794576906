"""HTTP to vendors: every body capped, never compressed, every wait bounded. The SDKs are given this client too."""

import json
import ssl
from collections.abc import AsyncIterator, Mapping
from functools import cache
from typing import Any

import httpx2

from bmn.numbers import is_whole
from bmn.providers.failures import UnreadableAnswer
from bmn.providers.wire import tracer
from bmn.settings.authorities import authorities
from bmn.settings.proxies import proxy_for

MEGABYTE = 2**20
CONNECT_SECONDS = 5.0
HEAD_ONLY = "bmn_head_only"
_LONGEST_ERROR = 65_536
_UNKNOWN_ERROR = 500
_BESIDE_ERRORS = frozenset({"error", "type", "code", "status", "message", "created", "request_id", "requestId"})


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
        trust_env=False,  # the transport decides about proxies
    )


@cache
def tls() -> ssl.SSLContext:
    """The one TLS context of the process: reading the authorities takes tens of milliseconds."""
    return authorities() or httpx2.create_ssl_context()


class CappedTransport(httpx2.AsyncBaseTransport):
    """Asks for plain bodies, refuses packed ones (a small gzip can hold gigabytes), and counts what comes.

    Goes through the proxy that the environment names for an address, and notes whether a request reached the wire.
    A request whose extension HEAD_ONLY is true has no body of its answer read, so whatever that is does not matter.
    A request's extension `bmn_address` names the address to judge by, where the request itself goes to an IP.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._by_proxy: dict[str | None, httpx2.AsyncHTTPTransport] = {}

    async def aclose(self) -> None:
        for transport in self._by_proxy.values():
            await transport.aclose()

    def _through(self, proxy: str | None) -> httpx2.AsyncHTTPTransport:
        if proxy not in self._by_proxy:
            self._by_proxy[proxy] = httpx2.AsyncHTTPTransport(
                verify=tls(),
                limits=httpx2.Limits(max_connections=200, max_keepalive_connections=50),
                proxy=_proxy(proxy),
            )
        return self._by_proxy[proxy]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.headers["accept-encoding"] = "identity"
        request.extensions = {**request.extensions, "trace": tracer()}
        transport = self._through(proxy_for(request.extensions.get("bmn_address", str(request.url))))
        response = await transport.handle_async_request(request)
        if request.extensions.get(HEAD_ONLY):
            return response
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            await response.aclose()
            raise UnreadableAnswer("the body is packed, though none was asked for")
        if _length(response) > self._max_bytes:
            await response.aclose()
            raise UnreadableAnswer(f"the body has more than {self._max_bytes} bytes")
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _CappedStream(response.stream, self._max_bytes)
        if not (0 < _length(response) <= _LONGEST_ERROR and _may_be_error(response)):
            return response
        await response.aread()
        return honest(response)


def _may_be_error(response: httpx2.Response) -> bool:
    return response.status_code == httpx2.codes.OK and "json" in response.headers.get("content-type", "")


def honest(response: httpx2.Response) -> httpx2.Response:
    """An answer of 200 that holds an error and nothing else, as gateways send it, as the error that it is.

    response: with its body read.
    """
    body = response.content
    if not _may_be_error(response) or len(body) > _LONGEST_ERROR:
        return response
    found = error_body(response)
    error = found.get("error")
    if not error or not found.keys() <= _BESIDE_ERRORS:
        return response
    code = error.get("code") if isinstance(error, dict) else found.get("code")
    status = code if isinstance(code, int) and 400 <= code < 600 else _UNKNOWN_ERROR
    return httpx2.Response(status, headers=response.headers, content=body, extensions=response.extensions)


def _proxy(url: str | None) -> httpx2.Proxy | None:
    return httpx2.Proxy(url, ssl_context=tls() if url.startswith("https://") else None) if url else None


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
    return int(length) if is_whole(length) else 0


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
