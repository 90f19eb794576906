"""What a program of somebody else says, as a database, a document, a log and a terminal can all take it.

A NUL ends a transaction on PostgreSQL, half a character cannot be encoded, an escape moves a terminal's cursor, and no
column holds a number of 400 digits. Everything of a vendor that is kept or shown goes through `cleaned`.
"""

import dataclasses
import math
import re
from typing import Any, TypeVar, cast

from bmn.names import without_hidden

LONGEST_TEXT = 200_000  # characters; longer than any answer that was ordered
LONGEST_SENTENCE = 300
LONGEST_ID = 200
_DEEPEST = 32
_MOST_ITEMS = 10_000
_LARGEST = 2**63 - 1

_UNUSABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_HALVES = re.compile(r"[\ud800-\udfff]")

T = TypeVar("T")


def cleaned_text(text: str, longest: int = LONGEST_TEXT) -> str:
    """Without control characters but tabs and line ends; half characters become a mark; cut at `longest`."""
    plain = text[: 2 * longest].replace("\r\n", "\n").replace("\r", "\n")
    plain = without_hidden(_HALVES.sub("\ufffd", _UNUSABLE.sub("", plain)))
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def sentence(value: Any) -> str | None:
    """A vendor's own words about an error, on one line; None where it said nothing."""
    text = " ".join(cleaned_text(value, 4 * LONGEST_SENTENCE).split()) if isinstance(value, str) else ""
    return cleaned_text(text, LONGEST_SENTENCE) or None


def identifier(value: Any) -> str | None:
    """An id, as a vendor or a header gives it, on one line; None for anything but a text."""
    return " ".join(cleaned_text(value, LONGEST_ID).split()) or None if isinstance(value, str) else None


def cleaned(value: T) -> T:
    """The same value, every text and number in it usable: of documents, and of records made of them. Bytes stay."""
    return cast("T", _cleaned(value, _DEEPEST))


def _cleaned(value: Any, depth: int) -> Any:
    match value:
        case str():
            return cleaned_text(value)
        case bool() | None | bytes():
            return value
        case int():
            return value if -_LARGEST <= value <= _LARGEST else None
        case float():
            return value if math.isfinite(value) else None
        case _ if depth == 0:
            return None
        case dict():
            items = list(value.items())[:_MOST_ITEMS]
            return {cleaned_text(str(key), LONGEST_ID): _cleaned(item, depth - 1) for key, item in items}
        case list() | tuple():
            return type(value)(_cleaned(item, depth - 1) for item in value[:_MOST_ITEMS])
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            names = [field.name for field in dataclasses.fields(value) if field.init]
            return dataclasses.replace(value, **{name: _cleaned(getattr(value, name), depth - 1) for name in names})
    return value
