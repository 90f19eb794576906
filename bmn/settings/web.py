"""Addresses of the web, and lists of them: one spelling each, so that two can be compared and nothing secret is inside."""

import ipaddress
import json
import re
from urllib.parse import urlsplit

_LOOPBACK_NAMES = ("localhost", "ip6-localhost")
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}
_NETWORKS = {
    "loopback": ("127.0.0.0/8", "::1"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
}
_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62}\.?)*")

Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]


def is_loopback(host: str | None) -> bool:
    """Whether a host is this machine: localhost and names below it, 127.0.0.0/8, ::1."""
    name = (host or "").strip("[]").rstrip(".").lower()
    if name in _LOOPBACK_NAMES or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def reachable(host: str) -> str:
    """Where a client on this machine finds who listens on `host`: any address becomes the loopback one."""
    return _ANY.get(host, host)


def bracketed(host: str) -> str:
    """A host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def web_address(text: str, *, path: bool = True, drop: tuple[str, ...] = (), bare: bool = False) -> str:
    """`https://host[:port][/path]` without a slash at its end. Raises ValueError.

    path: it may have one. drop: ends that people copy along and that we add ourselves. bare: `localhost:3000` will do.
    """
    if "://" not in text and bare and is_loopback(re.split(r":(?=[0-9]+$)|:(?=[0-9]+/)|/", text)[0]):
        text = f"http://{text}"
    scheme, host, port, place = _parts(text)
    for end in drop:
        if place.endswith(end):
            place = place.removesuffix(end).rstrip("/")
            break
    if place and not path:
        raise ValueError(f"it has a path, {place[:60]}; only the host and its port can be used")
    return f"{scheme}://{bracketed(host)}{port}{place}"


def origin(text: str) -> str:
    """What a browser sends as `Origin`: scheme, host, and the port where it is not the usual one. Raises ValueError."""
    if "*" in text:
        raise ValueError(f"{text[:80]!r} has a wildcard; name each site, or allow all with a single *")
    if "://" not in text:
        raise ValueError(f"{text[:80]!r} needs its scheme, such as https://{text[:80]}")
    scheme, host, port, _ = _parts(text)
    return f"{scheme}://{bracketed(host)}{port}"


def origins(text: str) -> tuple[str, ...]:
    """A list of origins: separated by commas, spaces or lines, or as JSON. Raises ValueError."""
    if text.lstrip().startswith("["):
        try:
            items = [str(item) for item in json.loads(text)]
        except (ValueError, TypeError):
            raise ValueError("it begins like a JSON list but is not one; separate the sites by commas") from None
    else:
        items = re.split(r"[\s,;]+", text)
    found = [item.strip().strip("'\"") for item in items]
    return tuple(dict.fromkeys("*" if item == "*" else origin(item) for item in found if item))


def networks(text: str) -> Networks:
    """Addresses and nets, `10.0.0.1, 172.16.0.0/12`; `loopback` and `private` name those. Raises ValueError."""
    found: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
    for item in filter(None, re.split(r"[\s,;]+", text)):
        try:
            found += [ipaddress.ip_network(net, strict=False) for net in _NETWORKS.get(item.lower(), (item,))]
        except ValueError:
            raise ValueError(f"{item[:60]!r} is neither an address nor a network, such as 10.0.0.0/8") from None
    return tuple(found)


def in_networks(address: str, nets: Networks) -> bool:
    """Whether a host lies in one of these networks."""
    if not nets:
        return False
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found.version == net.version and found in net for net in nets)


def _parts(text: str) -> tuple[str, str, str, str]:
    """Scheme, host, `:port` or nothing, and the path. Raises ValueError, which repeats nothing that may be secret."""
    if re.search(r"[\s\\\x00-\x1f\x7f]", text):
        raise ValueError("it holds a space, a line break or a backslash")
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise ValueError("it cannot be read as an address, such as https://example.com") from None
    scheme = url.scheme.lower()
    if scheme not in _PORTS or not text.lower().startswith(f"{scheme}://"):
        raise ValueError("it has to begin with http:// or https://")
    if "@" in url.netloc:
        raise ValueError("it holds a user or a password; leave them out")
    if url.query or url.fragment:
        raise ValueError("it ends with ? or #; leave that out")
    if port == 0 or not url.hostname:
        raise ValueError("it names no host, or port 0")
    host = _host(url.hostname)
    return scheme, host, "" if port in (None, _PORTS[scheme]) else f":{port}", url.path.rstrip("/")


def _host(name: str) -> str:
    if ":" in name:
        return str(ipaddress.IPv6Address(name.partition("%")[0])) if "%" not in name else name
    if not name.isascii():
        import idna  # noqa: PLC0415 - only for a name that is not ASCII

        try:
            name = idna.encode(name, uts46=True).decode()
        except idna.IDNAError:
            raise ValueError("its host is not a valid name") from None
    name = name.rstrip(".")
    if not _HOST.fullmatch(name):
        raise ValueError("its host is not a valid name; is it still a placeholder?")
    return name
