"""Numbers as they are written: what every door that takes a text for a number reads, and nothing else.

Python's own `int` and `float` also take `1_0`, `+5`, ` 5`, `inf` and the digits of every script, and so does `\\d`.
"""

import re

_WHOLE = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"-?(?:[0-9]{1,18}(?:\.[0-9]{1,18})?|\.[0-9]{1,18})(?:[eE][+-]?[0-9]{1,2})?")
_GROUPED = re.compile(r"[0-9]{1,3}(?:_[0-9]{3})+")


def is_whole(text: str) -> bool:
    """Whether a text is a whole number that is not negative, in at most 18 digits."""
    return _WHOLE.fullmatch(text) is not None and text[0] != "-"


def is_number(text: str) -> bool:
    """Whether a text is a number: whole, with a fraction, or with an exponent."""
    return _NUMBER.fullmatch(text) is not None


def is_signed(text: str) -> bool:
    """Whether a text is a whole number, which may be negative."""
    return _WHOLE.fullmatch(text) is not None


def whole(text: str) -> int:
    """A whole number. Raises ValueError."""
    if not _WHOLE.fullmatch(text):
        raise ValueError("it is not a whole number, written like 20")
    return int(text)


def number(text: str) -> float:
    """A number. Raises ValueError."""
    if not _NUMBER.fullmatch(text):
        raise ValueError("it is not a number, written like 20 or 0.5")
    return float(text)


def ungrouped(text: str) -> str:
    """`1000000` for `1_000_000`, as settings may be written; anything else as it is."""
    return _GROUPED.sub(lambda found: found[0].replace("_", ""), text)
