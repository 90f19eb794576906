"""HTTP to other servers than the vendors': through the proxy that the environment names for an address, or none."""

from functools import cache
from ssl import PROTOCOL_TLS_CLIENT, SSLContext

import httpx

from bmn.settings.authorities import authorities
from bmn.settings.proxies import proxy_for


@cache
def tls() -> SSLContext:
    """The one TLS context of the process: reading the authorities takes tens of milliseconds."""
    return authorities() or httpx.create_ssl_context()


def _tls_for(scheme: str, proxy: str | None) -> SSLContext:
    """The context for a way to a server; where nothing on it is encrypted, one that trusts nobody and costs nothing."""
    return tls() if scheme == "https" or (proxy or "").startswith("https") else SSLContext(PROTOCOL_TLS_CLIENT)


class RoutedTransport(httpx.AsyncBaseTransport):
    """Chooses the way for each request. Give it to a client with `trust_env=False`."""

    def __init__(self) -> None:
        self._ways: dict[tuple[str, str | None], httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        way = request.url.scheme, proxy_for(str(request.url))
        if way not in self._ways:
            self._ways[way] = _transport(*way)
        return await self._ways[way].handle_async_request(request)

    async def aclose(self) -> None:
        for transport in self._ways.values():
            await transport.aclose()


def _transport(scheme: str, proxy: str | None) -> httpx.AsyncHTTPTransport:
    through = httpx.Proxy(proxy, ssl_context=tls() if proxy.startswith("https://") else None) if proxy else None
    return httpx.AsyncHTTPTransport(verify=_tls_for(scheme, proxy), proxy=through)


def ask(url: str, *, seconds: float, headers: dict[str, str] | None = None) -> httpx.Response:
    """One GET, without a client to keep. Raises httpx.HTTPError."""
    proxy = proxy_for(url)
    verify = _tls_for(httpx.URL(url).scheme, proxy)
    return httpx.get(url, timeout=seconds, headers=headers, proxy=proxy, verify=verify, trust_env=False)
