"""HTTP to other servers than the vendors': through the proxy that the environment names for an address, or none."""

from functools import cache
from ssl import SSLContext

import httpx

from bmn.settings.authorities import authorities
from bmn.settings.proxies import proxy_for


@cache
def tls() -> SSLContext:
    """The one TLS context of the process: reading the authorities takes tens of milliseconds."""
    return authorities() or httpx.create_ssl_context()


class RoutedTransport(httpx.AsyncBaseTransport):
    """Chooses the way for each request. Give it to a client with `trust_env=False`."""

    def __init__(self) -> None:
        self._by_proxy: dict[str | None, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        proxy = proxy_for(str(request.url))
        if proxy not in self._by_proxy:
            way = httpx.Proxy(proxy, ssl_context=tls() if proxy.startswith("https://") else None) if proxy else None
            self._by_proxy[proxy] = httpx.AsyncHTTPTransport(verify=tls(), proxy=way)
        return await self._by_proxy[proxy].handle_async_request(request)

    async def aclose(self) -> None:
        for transport in self._by_proxy.values():
            await transport.aclose()


def ask(url: str, *, seconds: float, headers: dict[str, str] | None = None) -> httpx.Response:
    """One GET, without a client to keep. Raises httpx.HTTPError."""
    return httpx.get(url, timeout=seconds, headers=headers, proxy=proxy_for(url), verify=tls(), trust_env=False)
