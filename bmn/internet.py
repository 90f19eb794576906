"""Which addresses may be visited on a user's behalf: one table of what is not public, and one rule for every URL.

The rule is asked where an address is given and again where it is visited, so nothing is stored that never could be.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

import httpx2

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

LONGEST_URL = 2048
_PORTS = {None: 443, 443: 443, 8443: 8443}
_NAME = re.compile(r"(?=.{4,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
# Names that no public server of names knows: of the registry of special-use names, and ICANN's for private networks.
_PRIVATE_NAMES = ("localhost", "local", "internal", "invalid", "onion", "alt", "home.arpa")

# Everything that the registries of special-purpose addresses list (RFC 6890), also what they call globally reachable:
# those are services of the net itself, and addresses that carry another one inside, so that what is checked would not be
# what is reached. No server of a user's has one. Python's own tables differ from release to release.
NOT_PUBLIC = tuple(
    ipaddress.ip_network(net)
    for net in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # the host of a virtual machine in Azure; in no registry
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        # Of IPv6 only what lies in 2000::/3, beyond which nothing is public.
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)
_PUBLIC_IPV6 = ipaddress.ip_network("2000::/3")


class NotVisited(ValueError):
    """Why an address is not visited, as the end of a sentence that begins with it."""


@dataclass(frozen=True, slots=True)
class VisitTarget:
    """A URL that was found fit, and where it leads. address: a literal IP; None where the name has to be looked up."""

    url: httpx2.URL
    host: str
    port: int
    address: Address | None
    trusted: bool


def is_public(address: Address) -> bool:
    """Whether an address is on the open internet, and carries no other address inside."""
    if isinstance(address, ipaddress.IPv6Address) and (address not in _PUBLIC_IPV6 or address.scope_id):
        return False
    return not any(address in net for net in NOT_PUBLIC if net.version == address.version)


def read_target(text: str, *, trusted: Iterable[str] = ()) -> VisitTarget:
    """Reads a URL. trusted: origins of our own configuration, which may be plain http and anywhere.

    Raises NotVisited for another scheme, credentials, odd ports, every spelling of an IP but the plain one, addresses that
    are not public, and names that nobody can look up.
    """
    if len(text) > LONGEST_URL or re.search(r"[\s\\\x00-\x20\x7f]", text):
        raise NotVisited("is too long, or holds characters that no address has")
    try:
        url = httpx2.URL(text)
        port = url.port
    except (httpx2.InvalidURL, ValueError):  # a host that cannot be encoded is a UnicodeError, which is a ValueError
        raise NotVisited("is not a URL") from None
    if url.userinfo:
        raise NotVisited("holds a name or a password")
    host = url.raw_host.decode("ascii").lower()
    if any(_origin(url) == _origin(httpx2.URL(origin)) for origin in trusted if origin):
        return VisitTarget(url, host, port or (443 if url.scheme == "https" else 80), None, trusted=True)
    if url.scheme != "https":
        raise NotVisited("has to begin with https://")
    if port not in _PORTS:
        raise NotVisited("has to use port 443 or 8443")
    address = _literal(host)
    if address is not None and not is_public(address):
        raise NotVisited("is not on the public internet")
    return VisitTarget(url, host, _PORTS[port], address, trusted=False)


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _literal(host: str) -> Address | None:
    """The IP that a host spells; None for a name. Raises NotVisited for every way of writing one that is neither."""
    if ":" in host or host.replace(".", "").isdigit():
        try:
            return ipaddress.ip_address(host)
        except ValueError:
            raise NotVisited("has a host that is no plain IP address") from None
    # The last label of a name begins with a letter, so 0x7f.1 and 2130706433 are no names; nor is one without a dot.
    if not _NAME.fullmatch(host) or f".{host}".endswith(tuple(f".{name}" for name in _PRIVATE_NAMES)):
        raise NotVisited("has a host that is no public name")
    return None
