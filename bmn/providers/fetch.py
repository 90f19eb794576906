"""The guarded fetcher: gets a page or a picture from an address that somebody else named, or sends a message there.

Each hop is checked again: the URL, then every address of its name, then a connection to one of the checked addresses and
no other, so that a name whose answer changes leads nowhere; through a proxy too. No cookies, no key, no body above the cap.
"""

import asyncio
import contextlib
import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import httpx2

from bmn import __version__
from bmn.errors import Cause, JobFailure
from bmn.mime import mime_of
from bmn.providers.failures import UnreadableAnswer
from bmn.providers.vendor_http import CONNECT_SECONDS, HEAD_ONLY, MEGABYTE, CappedTransport
from bmn.providers.visited_addresses import Address, VisitTarget, check_url, is_public, look_up, refused
from bmn.settings import Settings

Kind = Literal["picture", "page"]
Resolve = Callable[[str, int], Awaitable[list[str]]]

MAX_REDIRECTS = 3
_MAX_BYTES: dict[Kind, int] = {"picture": 25 * MEGABYTE, "page": 2 * MEGABYTE}
_TOTAL_SECONDS = 30.0
_IDLE_SECONDS = 10.0
_MOST_ADDRESSES = 3  # tried one after the other
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was found. mime: by its bytes, never by what the server says. url: where the redirects ended."""

    data: bytes
    mime: str
    url: str


@dataclass(frozen=True, slots=True)
class ReceiverAnswer:
    """How a receiver answered. location, retry_after: the headers of that name, cut short; empty where there are none."""

    status: int
    location: str
    retry_after: str


class Fetcher:
    """Holds no connections: each fetch opens its own, and closes it.

    resolve, allows and transport are for tests; what they replace is the system's resolver, `is_public` and the network.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        resolve: Resolve = look_up,
        allows: Callable[[Address], bool] = is_public,
        transport: Callable[[int], httpx2.AsyncBaseTransport] = CappedTransport,
        seconds: float = _TOTAL_SECONDS,
    ) -> None:
        # Its address is empty in production, where nothing of our own may be visited.
        self._trusted = (settings.sandbox_address,)
        self._resolve = resolve
        self._allows = allows
        self._transport = transport
        self._seconds = seconds

    async def fetch(self, url: str, *, kind: Kind, trusted: Sequence[str] = ()) -> Fetched:
        """Gets a picture or a page. trusted: origins that may be plain http and anywhere.

        Raises JobFailure: BAD_INPUT for an address that may not be visited, is not there, or holds something else;
        DOWNLOAD_FAILED where another attempt may succeed.
        """
        try:
            async with asyncio.timeout(self._seconds):
                return await self._follow(url, kind, (*self._trusted, *trusted))
        except TimeoutError:
            raise _failed("it took too long") from None

    async def post(
        self, url: str, body: bytes, headers: dict[str, str], *, trusted: Sequence[str] = ()
    ) -> ReceiverAnswer:
        """Sends a message and reads how the answer begins; redirects are not followed, and no body is read.

        trusted: origins that may be plain http and anywhere. Raises JobFailure: BAD_INPUT for an address that may not be
        visited, DOWNLOAD_FAILED where nobody answers.
        """
        target = check_url(url, trusted=(*self._trusted, *trusted))
        try:
            async with asyncio.timeout(self._seconds):
                for address in await self._addresses(target):
                    with contextlib.suppress(httpx2.ConnectError, httpx2.ConnectTimeout):
                        return await self._send(target, address, body, headers)
        except TimeoutError:
            raise _failed("it took too long") from None
        except httpx2.HTTPError as broken:
            raise _failed(type(broken).__name__) from None
        raise _failed("nobody listens there")

    async def _send(self, target: VisitTarget, address: str, body: bytes, headers: dict[str, str]) -> ReceiverAnswer:
        async with self._client(MEGABYTE) as client:
            sent = {**_headers(target), **headers}
            pinned = target.url.copy_with(host=address, fragment=None)
            extensions = {**_extensions(target), HEAD_ONLY: True}
            async with client.stream("POST", pinned, content=body, headers=sent, extensions=extensions) as response:
                return ReceiverAnswer(
                    response.status_code,
                    response.headers.get("location", "")[:500],
                    response.headers.get("retry-after", "")[:100],
                )

    async def _follow(self, url: str, kind: Kind, trusted: Sequence[str]) -> Fetched:
        for _hop in range(MAX_REDIRECTS + 1):
            target = check_url(url, trusted=trusted)
            response = await self._get(target, _MAX_BYTES[kind])
            if response.status_code not in _REDIRECTS:
                return _fetched(response, target, kind)
            url = _next(target, response)
        raise refused(f"it redirects more than {MAX_REDIRECTS} times")

    async def _get(self, target: VisitTarget, max_bytes: int) -> httpx2.Response:
        """One request, sent to an address that was checked; the next one is tried where nobody listens."""
        problem: Exception | None = None
        for address in await self._addresses(target):
            try:
                return await self._request(target, address, max_bytes)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as unreachable:
                problem = unreachable
            except UnreadableAnswer:
                raise refused(f"it has more than {max_bytes // MEGABYTE} MB, or is packed") from None
            except httpx2.HTTPError as broken:
                raise _failed(type(broken).__name__) from None
        raise _failed(type(problem).__name__)

    async def _addresses(self, target: VisitTarget) -> list[str]:
        """Where a target may be reached: every address of its name has to be public, or none is visited."""
        if target.trusted:
            return [target.host]
        try:
            found = [str(target.address)] if target.address else await self._resolve(target.host, target.port)
            addresses = [ipaddress.ip_address(text) for text in found]
        except (OSError, UnicodeError):
            raise _failed("its name is unknown") from None
        except ValueError:
            raise refused("its name does not resolve to a plain address") from None
        if not addresses or not all(self._allows(address) for address in addresses):
            raise refused("it is not on the public internet")
        return [str(address) for address in addresses[:_MOST_ADDRESSES]]

    async def _request(self, target: VisitTarget, address: str, max_bytes: int) -> httpx2.Response:
        pinned = target.url.copy_with(host=address, fragment=None)
        async with self._client(max_bytes) as client:
            return await client.get(pinned, headers=_headers(target), extensions=_extensions(target))

    def _client(self, max_bytes: int) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            transport=self._transport(max_bytes),
            timeout=httpx2.Timeout(_IDLE_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            trust_env=False,
        )


def _headers(target: VisitTarget) -> dict[str, str]:
    return {"host": target.url.netloc.decode("ascii"), "user-agent": f"bmn/{__version__}", "accept": "*/*"}


def _extensions(target: VisitTarget) -> dict[str, object]:
    """The certificate has to be that of the name, whatever address it is reached at."""
    extensions: dict[str, object] = {"bmn_address": str(target.url)}
    if target.url.scheme == "https":
        extensions["sni_hostname"] = target.host
    return extensions


def _next(target: VisitTarget, response: httpx2.Response) -> str:
    location = response.headers.get("location", "")
    try:
        return str(target.url.join(location))
    except (httpx2.InvalidURL, UnicodeError, ValueError):
        raise refused("it redirects to something that is not a URL") from None


def _fetched(response: httpx2.Response, target: VisitTarget, kind: Kind) -> Fetched:
    status = response.status_code
    if status in (408, 425, 429) or status >= 500:
        raise _failed(f"HTTP {status}")
    if status != 200:
        raise refused(f"the server answers HTTP {status}")
    mime = mime_of(response.content)
    if kind == "page" and mime == "application/octet-stream" and b"\0" not in response.content[:4096]:
        mime = "text/html" if b"<" in response.content[:4096] else "text/plain"
    if not mime.startswith("image/" if kind == "picture" else "text/"):
        raise refused(f"it holds no {kind}")
    return Fetched(response.content, mime, str(target.url))


def _failed(why: str) -> JobFailure:
    return JobFailure(Cause.DOWNLOAD_FAILED, f"The address could not be fetched ({why}).")
