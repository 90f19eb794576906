"""Calls to vendors without an SDK: aiohttp in the bounds of `bmn.providers.vendor_http`, at a seventh of what httpx2 costs.

Answers and broken connections are those of httpx2, so that what reads them need not know which client asked.
"""

import asyncio
import base64
import io
import json
from collections.abc import Mapping
from typing import Any

import aiohttp
import httpx2
from yarl import URL

from bmn import __version__
from bmn.providers.failures import UnreadableAnswer
from bmn.providers.vendor_http import CONNECT_SECONDS, MEGABYTE, honest, tls
from bmn.providers.wire import note_sent
from bmn.settings.proxies import proxy_for

_HEADERS = {"accept": "*/*", "accept-encoding": "identity", "user-agent": f"bmn/{__version__}"}
_KEPT_SECONDS = 5.0  # an idle connection; servers keep them at least as long
_LONGEST_FIELD = 65_536  # bytes of one header
_BROKEN: tuple[tuple[type[Exception], type[httpx2.TransportError]], ...] = (
    (aiohttp.ClientHttpProxyError, httpx2.ProxyError),
    (aiohttp.ConnectionTimeoutError, httpx2.ConnectTimeout),
    (aiohttp.ServerTimeoutError, httpx2.ReadTimeout),
    (aiohttp.ClientConnectorError, httpx2.ConnectError),
    (aiohttp.ClientOSError, httpx2.ReadError),
    (aiohttp.ClientError, httpx2.RemoteProtocolError),
)


class DirectClient:
    """A client for one vendor. max_bytes: the largest body it reads. idle: seconds without a byte that it accepts."""

    def __init__(
        self, *, headers: Mapping[str, str] | None = None, max_bytes: int = 25 * MEGABYTE, idle: float = 30.0
    ) -> None:
        self._headers = {**_HEADERS, **(headers or {})}
        self._max_bytes = max_bytes
        self._timeout = aiohttp.ClientTimeout(total=None, connect=idle, sock_connect=CONNECT_SECONDS, sock_read=idle)
        self._session: aiohttp.ClientSession | None = None

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> httpx2.Response:
        """As `request`, for a GET."""
        return await self.request("GET", url, headers=headers)

    async def post(self, url: str, *, json: object, headers: Mapping[str, str] | None = None) -> httpx2.Response:
        """As `request`, for a POST."""
        return await self.request("POST", url, json=json, headers=headers)

    async def request(
        self, method: str, url: str, *, json: object = None, headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        """The whole answer; redirects are not followed. json: the body, None for none.

        Raises UnreadableAnswer for a body that is packed or too large, httpx2.InvalidURL, and httpx2.TransportError.
        """
        target, proxy = _target(url), proxy_for(url)
        sent = {**self._headers, **(headers or {})}
        _check_headers(sent)
        body = None
        if json is not None:
            body, sent["content-type"] = _body(json), "application/json"
            # A connection that the vendor has closed is noticed by the loop, as it reads: an order must not go there.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        try:
            way = _way(proxy, target, sent)
            asked = self._opened().request(method, target, data=body, headers=sent, allow_redirects=False, **way)
            async with asked as answer:
                return await self._read(answer)
        except aiohttp.ClientError as broken:
            raise _translated(broken) from broken

    async def _read(self, answer: aiohttp.ClientResponse) -> httpx2.Response:
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            raise UnreadableAnswer("the body is packed, though none was asked for")
        if (answer.content_length or 0) > self._max_bytes:
            raise UnreadableAnswer(f"the body has more than {self._max_bytes} bytes")
        chunks, left = [], self._max_bytes
        async for chunk in answer.content.iter_any():
            left -= len(chunk)
            if left < 0:
                raise UnreadableAnswer("the body is larger than allowed")
            chunks.append(chunk)
        return honest(httpx2.Response(answer.status, headers=list(answer.raw_headers), content=b"".join(chunks)))

    def _opened(self) -> aiohttp.ClientSession:
        """The session, which needs a running loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=tls(), limit=200, keepalive_timeout=_KEPT_SECONDS),
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,  # `proxy_for` decides about proxies
                max_line_size=_LONGEST_FIELD,
                max_field_size=_LONGEST_FIELD,
                trace_configs=[_trace()],
            )
            self._session._retry_connection = False  # what breaks is counted, and repeated by whoever asked
        return self._session


def _target(url: str) -> URL:
    """The address as httpx2 reads it, since that is what was checked. Raises httpx2.InvalidURL or UnsupportedProtocol."""
    checked = httpx2.URL(url)
    if checked.scheme not in ("http", "https") or not checked.host:
        raise httpx2.UnsupportedProtocol("not an http address")
    try:
        target = URL(str(checked.copy_with(fragment=None)), encoded=True)
        same = (target.raw_host or "").encode() == checked.raw_host
    except ValueError:
        same = False
    if not same:
        raise httpx2.InvalidURL("its host can be read in two ways")
    return target


def _check_headers(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if not (value.isascii() and value.isprintable()):
            raise httpx2.LocalProtocolError(f"the header {name} holds what no header may")


def _body(document: object) -> bytes | io.BytesIO:
    data = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    return data if len(data) < MEGABYTE else io.BytesIO(data)  # is sent in parts, and the loop goes on


def _way(proxy: str | None, target: URL, sent: dict[str, str]) -> dict[str, Any]:
    """The proxy; its user and password stand with the request that it reads: the one for a tunnel, or ours in the clear."""
    if proxy is None:
        return {}
    url = URL(proxy)
    credentials = base64.b64encode(f"{url.user or ''}:{url.password or ''}".encode()).decode()
    own = {"proxy-authorization": f"Basic {credentials}"} if url.user or url.password else {}
    if target.scheme == "http":
        sent |= own
    return {"proxy": url.with_user(None), "proxy_headers": own}


def _trace() -> aiohttp.TraceConfig:
    """Notes that a request goes out; what only opens the way through a proxy is not traced."""
    trace = aiohttp.TraceConfig()

    async def head(_session: object, _context: object, params: aiohttp.TraceRequestHeadersSentParams) -> None:
        if params.method == "GET":  # the head of one with a body waits for its first bytes
            note_sent()

    async def chunk(_session: object, _context: object, _params: aiohttp.TraceRequestChunkSentParams) -> None:
        note_sent()

    trace.on_request_headers_sent.append(head)
    trace.on_request_chunk_sent.append(chunk)
    return trace


def _translated(broken: aiohttp.ClientError) -> Exception:
    if isinstance(broken, aiohttp.InvalidURL):
        return httpx2.InvalidURL("it is not a URL")
    ours = next(ours for theirs, ours in _BROKEN if isinstance(broken, theirs))
    return ours(type(broken).__name__)
