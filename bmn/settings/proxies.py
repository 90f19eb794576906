"""Proxies, as the environment names them: one answer for every client of ours, whichever library it is made with.

HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in capitals or small letters. This machine is never reached through one.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from bmn.errors import Misconfigured
from bmn.settings.texts import plain
from bmn.settings.urls import read_url
from bmn.settings.web import is_loopback

_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_SPOKEN = ("http", "https")
_LOOPBACK = ("localhost", "127.0.0.1", "127.0.0.0/8", "::1")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proxy:
    """variable: where it is named. url: with its user and password, encoded."""

    variable: str
    url: str

    @property
    def is_spoken(self) -> bool:
        """False for SOCKS, which no client of ours speaks."""
        return urlsplit(self.url).scheme in _SPOKEN


@dataclass(frozen=True, slots=True)
class Proxies:
    """by_scheme: of `http`, `https` and `all`. exceptions: as NO_PROXY lists them."""

    by_scheme: Mapping[str, Proxy]
    exceptions: tuple[str, ...]

    def proxy_for(self, url: str) -> str | None:
        """The proxy that leads to an address; None: it is reached directly. Raises Misconfigured for one we do not speak."""
        found = self.find(url)
        if found and not found.is_spoken:
            what, hint = _unspoken(found)
            raise Misconfigured(what, hint=hint)
        return found.url if found else None

    def find(self, url: str) -> Proxy | None:
        """The proxy for an address; None where it is reached directly."""
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".").lower()
        found = self.by_scheme.get(parts.scheme) or self.by_scheme.get("all")
        if not found or is_loopback(host) or self._is_excepted(host, parts.port or _PORTS.get(parts.scheme)):
            return None
        return found

    def _is_excepted(self, host: str, port: int | None) -> bool:
        return any(_matches(entry, host, port) for entry in self.exceptions)

    def check(self, urls: Mapping[str, str]) -> list[str]:
        """Warnings about proxies that nothing needs. urls: what is visited, by the name of its setting.

        Raises Misconfigured where something has to go through a proxy that we do not speak.
        """
        unspoken = {proxy.variable: proxy for proxy in self.by_scheme.values() if not proxy.is_spoken}
        for name, url in urls.items():
            if url and (found := self.find(url)) and not found.is_spoken:
                what, hint = _unspoken(found)
                raise Misconfigured(f"{what} {name} would need it.", hint=hint)
        return [" ".join(_unspoken(proxy)) for proxy in unspoken.values()]


def proxies() -> Proxies:
    """What the environment says now."""
    return _read(tuple(_value(os.environ, name) for name in _NAMES))


def proxy_for(url: str) -> str | None:
    """The proxy that leads to an address, of the environment; None: it is reached directly."""
    return proxies().proxy_for(url)


def except_loopback() -> None:
    """Tells the libraries that read the environment themselves (Sentry, OpenTelemetry, the object store) as well."""
    known = [part for part in re.split(r"[\s,]+", _value(os.environ, "NO_PROXY")) if part]
    if "*" not in known and any(_value(os.environ, name) for name in _NAMES[:3]):
        text = ",".join(dict.fromkeys([*known, *_LOOPBACK]))
        os.environ["no_proxy" if "no_proxy" in os.environ else "NO_PROXY"] = text


def _value(environment: Mapping[str, str], name: str) -> str:
    """Small letters win, as curl has it; HTTP_PROXY in capitals is what a CGI gateway makes of a request's header."""
    if name == "HTTP_PROXY" and "REQUEST_METHOD" in environment:
        return environment.get("http_proxy", "")
    return environment.get(name.lower()) or environment.get(name, "")


@cache
def _read(values: tuple[str, ...]) -> Proxies:
    """Raises Misconfigured for a proxy's address that cannot be read."""
    found = {}
    for name, text in zip(_NAMES[:3], values, strict=False):
        if text := plain(text, name):
            found[name.removesuffix("_PROXY").lower()] = _proxy(name, text)
    exceptions = tuple(part.lower() for part in re.split(r"[\s,]+", plain(values[3], "NO_PROXY")) if part)
    return Proxies(found, exceptions)


def _proxy(name: str, text: str) -> Proxy:
    try:
        url = read_url(text if "://" in text else f"http://{text}")
        if len(url.places) != 1 or not url.places[0][0]:
            raise ValueError("it names no host")
    except ValueError as problem:
        raise Misconfigured(
            f"A setting cannot be used. {name}: {problem}", hint="It looks like http://HOST:PORT."
        ) from None
    host, port = url.places[0]
    scheme = url.scheme.replace("socks", "socks5") if url.scheme in ("socks", "socksh") else url.scheme
    return Proxy(name, f"{scheme}://{url.credentials}{host}" + (f":{port}" if port else ""))


def _unspoken(proxy: Proxy) -> tuple[str, str]:
    scheme = urlsplit(proxy.url).scheme
    return (
        f"{proxy.variable} names a {scheme} proxy, and bmn speaks to HTTP proxies only.",
        "Name one that begins with http:// in HTTPS_PROXY, or what is reached directly in NO_PROXY (* is everything).",
    )


def _matches(entry: str, host: str, port: int | None) -> bool:
    """Whether an entry of NO_PROXY means a host: `*`, a name and what is below it, an address or a net, `host:port`."""
    if entry == "*":
        return True
    named = re.fullmatch(r"(\[[^\]]+\]|[^:]+):([0-9]+)", entry)
    if named:
        if int(named[2]) != port:
            return False
        entry = named[1]
    entry = entry.strip("[]")
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        name = entry.removeprefix("*").lstrip(".").rstrip(".")
        return bool(name) and (host == name or host.endswith(f".{name}"))
