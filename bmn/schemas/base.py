"""The types that payloads, events and HTTP bodies are built from: camelCase outside, strict, capped in size."""

import math
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import Annotated, Any, overload
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, StringConstraints
from pydantic.alias_generators import to_camel

from bmn.names import one_line, plain

_LONGEST_NAME = 200
_HEX = re.compile(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

_BREAK = re.compile("[\n\r\u2028\u2029]")


class Model(BaseModel):
    """Reads and writes camelCase; refuses unknown fields, so that a typing error is not silently ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        str_strip_whitespace=True,
        allow_inf_nan=False,
    )

    def dump(self) -> dict[str, object]:
        """Plain JSON types, camelCase, without the fields that are None."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Outbound(BaseModel):
    """What we send. A field without a default is always there, also as null; one with a default is left out with it."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        allow_inf_nan=False,
        frozen=True,
    )

    def dump(self) -> dict[str, object]:
        """Plain JSON types, under the names of the wire."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


class Role(StrEnum):
    """Of a token or a key. A user has their own things; the others run the service, or are another system of ours."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"
    SERVICE = "service"
    USER = "user"


def now_ms() -> int:
    """Milliseconds since 1970: the `timestamp` of every event."""
    return int(time.time() * 1000)


@overload
def when(seconds: float) -> str: ...
@overload
def when(seconds: None) -> None: ...
@overload
def when(seconds: float | None) -> str | None: ...
def when(seconds: float | None) -> str | None:
    """A time as documents and results have it: RFC 3339 in UTC, with milliseconds. seconds: since 1970, as rows have it."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clean(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("holds control characters")
    return plain(text)


def _name(text: str) -> str:
    if not (line := one_line(clean(text))):
        raise ValueError("should have at least 1 character")
    if len(line) > _LONGEST_NAME:  # composed, it can be longer than it came
        raise ValueError(f"should have at most {_LONGEST_NAME} characters")
    return line


def _unbroken(given: object) -> object:
    if isinstance(given, str) and _BREAK.search(given):
        raise ValueError("holds a line break; write it on one line")
    return given


def _color(text: str) -> str:
    match = _HEX.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text!r} is not a color; write it like #1A2B3C")
    digits = match[1]
    return "#" + ("".join(c * 2 for c in digits) if len(digits) == 3 else digits).upper()


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise ValueError("is not an id") from None


def _http_url(url: str) -> str:
    """No line breaks or tabs: parsers of addresses leave them out, so what is checked would not be what is kept."""
    try:
        is_one = bool(re.fullmatch(r"https?://[^\s/?#\\]+([/?#](\S| )*)?", url) and urlsplit(url))
    except ValueError:
        is_one = False
    if not is_one:
        raise ValueError("is not an http(s) URL")
    return url


def _bounded(value: dict[str, object]) -> dict[str, Any]:
    """Free-form JSON: at most 8 levels, 200 values and 16 KiB of text, no control characters.

    Its texts come out in the form of all others, so that whoever checks one sees what its reader will see.
    """
    _measure(value)  # before each text is looked at, of which there can be very many
    found: dict[str, Any] = _in_one_form(value)
    _measure(found)
    return found


def _measure(value: dict[str, object]) -> None:
    values = list(islice(_values(value, 1), 201))
    if len(values) > 200 or sum(len(one) for one in values if isinstance(one, str)) > 16_384:
        raise ValueError("is larger than 200 values or 16 KiB")


def _in_one_form(node: Any) -> Any:
    if isinstance(node, dict):
        return {clean(key).strip(): _in_one_form(item) for key, item in node.items()}
    if isinstance(node, list):
        return [_in_one_form(item) for item in node]
    if isinstance(node, float) and not math.isfinite(node):
        raise ValueError("holds a number that JSON does not know")
    return clean(node).strip() if isinstance(node, str) else node


def _values(node: Any, depth: int) -> Iterator[Any]:
    """Every key and value; of lists and objects only those that hold nothing."""
    if depth > 8:
        raise ValueError("is nested deeper than 8 levels")
    inner = [*node.keys(), *node.values()] if isinstance(node, dict) else node
    if not isinstance(node, dict | list) or not inner:
        yield node
        return
    for each in inner:
        yield from _values(each, depth + 1)


# JSON tells 1 from true and from "1": what a schema calls a number is nothing else.
Flag = Annotated[bool, Strict()]
Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict()]
Text = Annotated[str, AfterValidator(clean)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_NAME), AfterValidator(_name)]
Vision = Annotated[Text, StringConstraints(max_length=2000)]
# What a validator wants is said to readers of the schema as well, where a schema can say it.
Color = Annotated[
    str,
    StringConstraints(max_length=16),
    AfterValidator(_color),
    Field(json_schema_extra={"pattern": f"^{_HEX.pattern}$"}),
]
_unbroken_line = (
    AfterValidator(clean),
    BeforeValidator(_unbroken),
    Field(json_schema_extra={"pattern": f"^[^{_BREAK.pattern[1:-1]}]*$"}),
)
Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500), *_unbroken_line]
"""Why somebody does or looks at something: one line, so that none of it looks like another entry of the audit log."""
GivenReason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), *_unbroken_line]
"""The same, where it has to be said."""

Palette = Annotated[list[Color], Field(min_length=1, max_length=8)]
HttpUrl = Annotated[
    str,
    StringConstraints(max_length=2048),
    AfterValidator(clean),
    AfterValidator(_http_url),
    Field(json_schema_extra={"format": "iri", "pattern": "^https?://"}),
]
FreeForm = Annotated[dict[str, Any], AfterValidator(_bounded)]
Id = Annotated[str, AfterValidator(_uuid), Field(json_schema_extra={"format": "uuid"})]
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]+$")]
Moment = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{4}-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]\.[0-9]{3}Z$")
]
JobId = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_-]+$")]
