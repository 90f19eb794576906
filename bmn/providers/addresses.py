"""Which addresses of the net may be visited on a user's behalf. Pure, but for the look-up of a name."""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import httpx2

from bmn.errors import Cause, JobFailure

_PORTS = {None: 443, 443: 443, 8443: 8443}
_NAME = re.compile(r"(?=.{4,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
# Addresses that carry another one inside: what is checked would not be what is reached.
_TUNNELS = [
    ipaddress.ip_network(net)
    for net in ("::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96", "192.88.99.0/24")
]
_PUBLIC_IPV6 = ipaddress.ip_network("2000::/3")

# Threads of their own: a name whose servers never answer holds one for half a minute, and the process needs the others.
_RESOLVERS = ThreadPoolExecutor(8, "look-up")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that was found fit, and where it leads. address: a literal IP; None where the name has to be looked up."""

    url: httpx2.URL
    host: str
    port: int
    address: Address | None
    trusted: bool


def refused(why: str) -> JobFailure:
    """The failure of an address that is not visited."""
    return JobFailure(Cause.BAD_INPUT, f"The address cannot be used: {why}.")


def check_url(text: str, *, trusted: Iterable[str] = ()) -> Target:
    """Reads a URL. trusted: origins of our own configuration, which may be plain http and anywhere.

    Raises JobFailure(BAD_INPUT) for another scheme, credentials, odd ports, and every spelling of an IP but the plain one.
    """
    if len(text) > 2048 or re.search(r"[\s\\\x00-\x20\x7f]", text):
        raise refused("it is too long, or holds characters that no address has")
    try:
        url = httpx2.URL(text)
    except (httpx2.InvalidURL, UnicodeError):
        raise refused("it is not a URL") from None
    if url.userinfo:
        raise refused("it holds a name or a password")
    host = url.raw_host.decode("ascii").lower()
    if any(_origin(url) == _origin(httpx2.URL(origin)) for origin in trusted if origin):
        return Target(url, host, url.port or (443 if url.scheme == "https" else 80), None, trusted=True)
    if url.scheme != "https":
        raise refused("only https is visited")
    if url.port not in _PORTS:
        raise refused("its port is not that of a web page")
    return Target(url, host, _PORTS[url.port], _literal(host), trusted=False)


def is_public(address: Address) -> bool:
    """Whether an address is on the open internet, and carries no other address inside."""
    if any(address in net for net in _TUNNELS if net.version == address.version):
        return False
    if isinstance(address, ipaddress.IPv6Address) and (address not in _PUBLIC_IPV6 or address.scope_id):
        return False
    odd = address.is_private or address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not odd and not address.is_loopback and not address.is_link_local


async def look_up(host: str, port: int) -> list[str]:
    """The addresses of a name. Raises OSError."""
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_RESOLVERS, ask)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _literal(host: str) -> Address | None:
    """The IP that a host spells; None for a name. Raises JobFailure for every way of writing one that is neither."""
    if ":" in host or host.replace(".", "").isdigit():
        try:
            return ipaddress.ip_address(host)
        except ValueError:
            raise refused("its host is not a plain IP address") from None
    # The last label of a name begins with a letter, so 0x7f.1 and 2130706433 are no names; nor is one without a dot.
    if not _NAME.fullmatch(host):
        raise refused("its host is not a public name")
    return None
