"""ASGI's dicts, read in one place: what a connection asks for, and what a message carries."""

from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import parse_qs

from starlette.types import Message, Scope

Header = tuple[bytes, bytes]

LARGE = "bmn.large"  # among a WebSocket's extensions: to be called once its client is known and may send large messages
UNKNOWN_BYTES = 16_384  # of one message, until then


def is_http(scope: Scope) -> bool:
    """Whether it is a request, no WebSocket and no lifespan."""
    return bool(scope["type"] == "http")


def is_websocket(scope: Scope) -> bool:
    """Whether it is a WebSocket."""
    return bool(scope["type"] == "websocket")


def method_of(scope: Scope) -> str:
    """GET, HEAD, POST …; a WebSocket begins as a GET."""
    return cast(str, scope.get("method", "GET"))


def path_of(scope: Scope) -> str:
    """As it was asked for, decoded; empty for a lifespan."""
    return cast(str, scope.get("path", ""))


def raw_path_of(scope: Scope) -> bytes:
    """The same before it was decoded."""
    raw: bytes = scope.get("raw_path") or path_of(scope).encode()
    return raw.split(b"?")[0]


def query_of(scope: Scope) -> bytes:
    """All behind the question mark."""
    return cast(bytes, scope.get("query_string", b""))


def parameter_of(scope: Scope, name: str) -> str:
    """The first value of a name in the query; empty where there is none."""
    values: dict[str, list[str]] = parse_qs(query_of(scope).decode("latin-1"))
    return values.get(name, [""])[0]


def headers_of(scope: Scope) -> list[Header]:
    """As they came, with names in small letters."""
    return cast(list[Header], scope["headers"])


def header_of(scope: Scope, name: bytes) -> bytes:
    """The first of a name; empty where there is none."""
    return next((value for key, value in headers_of(scope) if key == name), b"")


def address_of(scope: Scope) -> str:
    """Where a client calls from."""
    client: Sequence[Any] = scope.get("client") or ("",)
    return str(client[0])


def route_of(scope: Scope) -> Any:
    """The route that was found; None before that, and where there is none."""
    return scope.get("route")


def route_path_of(scope: Scope, unknown: str = "") -> str:
    """The pattern of the route that was found."""
    return cast(str, getattr(route_of(scope), "path", unknown))


def request_id_of(scope: Scope) -> str | None:
    """The id that the edge gave this request."""
    return scope.get("request_id")


def is_body(message: Message) -> bool:
    """Whether it carries a part of a request's body; else the client has gone."""
    return bool(message["type"] == "http.request")


def is_answered_body(message: Message) -> bool:
    """Whether it carries a part of an answer's body."""
    return bool(message["type"] == "http.response.body")


def begins_answer(message: Message) -> bool:
    """Whether it carries the status and headers of an answer."""
    return bool(message["type"] == "http.response.start")


def part_of(message: Message) -> bytes:
    """The bytes of a body that it carries."""
    return cast(bytes, message.get("body", b""))


def has_more(message: Message) -> bool:
    """Whether a body goes on behind it."""
    return bool(message.get("more_body"))


def status_of(message: Message) -> int:
    """Of the answer that it begins."""
    return cast(int, message["status"])


def given_headers(message: Message) -> list[Header]:
    """Of the answer that it begins."""
    return cast(list[Header], message.get("headers", []))
