"""Reads the address of a service as people paste it: a password may hold any character, encoded or not."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote

_PLACE = r"(?:\[[0-9A-Fa-f:.%\w]+\]|[\w.~%-]*)(?::[0-9]*)?"
_PLACES = re.compile(rf"{_PLACE}(?:,{_PLACE})*")
_REST = re.compile(rf"(?:{_PLACES.pattern})(?:/[^@?#]*)?(?:\?(?:[\w.%~-]+(?:[=&].*)?)?)?", re.DOTALL)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_PLACEHOLDER = re.compile(r"\[[A-Z][A-Z _-]*\]|<[^<>]+>|\$\{?[A-Z_]+\}?|\{\{.*\}\}|\*{3,}|•+")

UNREADABLE = "it cannot be read as an address; write SCHEME://USER:PASSWORD@HOST:PORT/NAME"


@dataclass(slots=True)
class ServiceUrl:
    """An address in its parts, each decoded. places: (host, port) pairs, port None where none is named."""

    scheme: str
    user: str = ""
    password: str = ""
    places: list[tuple[str, int | None]] = field(default_factory=list)
    path: str = ""
    params: dict[str, str] = field(default_factory=dict)

    @property
    def credentials(self) -> str:
        """`user:password@`, encoded; empty where there is neither."""
        user, password = quote(self.user, safe=""), quote(self.password, safe="")
        return f"{user}:{password}@" if password else f"{user}@" if user else ""


def read_url(text: str) -> ServiceUrl:
    """The parts of an address. Raises ValueError, whose words never repeat what stands before the host."""
    if _UNPRINTABLE.search(text):
        raise ValueError("it holds a line break or another character that cannot be seen; paste it in one line")
    scheme, separator, rest = text.partition("://")
    if not separator or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        raise ValueError(UNREADABLE)
    userinfo, rest = _split(rest)
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    path, _, query = rest[len(authority) :].partition("?")
    user, _, password = userinfo.partition(":")
    url = ServiceUrl(
        scheme=scheme.lower(),
        user=unquote(user),
        password=unquote(password),
        places=_places(authority),
        path=path,
        params=dict(parse_qsl(query.partition("#")[0], keep_blank_values=True)),
    )
    if _PLACEHOLDER.fullmatch(url.password) or _PLACEHOLDER.fullmatch(url.user):
        raise ValueError("its user or password is still a placeholder; put in your own")
    if "\0" in url.user + url.password + unquote(path):
        raise ValueError("it holds a NUL")
    return url


def _split(rest: str) -> tuple[str, str]:
    """Who signs in, and the rest. The @ that counts is the first one with nothing but hosts, a path and a query after it.

    A password may hold / ? # and @ as they are, so the first of these ends nothing.
    """
    if "@" not in rest:
        return "", rest
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    before_query = rest.partition("?")[0]
    if "@" not in before_query and _PLACES.fullmatch(authority):
        return "", rest  # only a parameter has one
    for found in re.finditer("@", rest):
        if _REST.fullmatch(rest, found.end()):
            return rest[: found.start()], rest[found.end() :]
    raise ValueError(UNREADABLE)


def _places(authority: str) -> list[tuple[str, int | None]]:
    if not _PLACES.fullmatch(authority):
        raise ValueError(UNREADABLE)
    places = []
    for place in authority.split(","):
        match = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::([0-9]*))?", place)
        assert match
        port = int(match[2]) if match[2] else None
        if port is not None and not 1 <= port <= 65535:
            raise ValueError(f"its port is {port}; ports go from 1 to 65535")
        places.append((unquote(match[1]), port))
    return [place for place in places if place != ("", None)]


def check_params(url: ServiceUrl, *, known: frozenset[str], foreign: frozenset[str], of: str) -> None:
    """Drops the parameters that only other programs read. Raises ValueError, with its name, for one that nobody knows."""
    for name in list(url.params):
        if name in foreign:
            del url.params[name]
        elif name not in known:
            shown = name if re.fullmatch(r"[\w.-]{1,60}", name) else "at its end"
            raise ValueError(f"its parameter {shown} is not one of {of}; leave it out")
