"""What a table is made of, and what may not be in it."""

import re
from typing import TYPE_CHECKING

from bmn.names import visible

if TYPE_CHECKING:
    from rich.text import Text

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

Cell = str | tuple[str, str]
"""Text, or text and a rich style."""


def clean(text: str) -> str:
    """A text from outside without control characters, so that it cannot steer the terminal, and nothing in it unseen."""
    return visible(_CONTROL.sub("", text))


def unsteered(text: "Text") -> "Text":
    """The same for a text with colors, whose signs of direction are the table's own."""
    if _CONTROL.search(text.plain):
        text = text.copy()
        text.plain = _CONTROL.sub("", text.plain)
    return text


class Column:
    """One column of a table.

    flexible: may be shortened on a narrow terminal, to `least` cells. drop: the higher, the sooner the whole column
    leaves where room is short; 0 stays. right: numbers.
    """

    def __init__(
        self, title: str, *, flexible: bool = False, least: int = 8, drop: int = 0, right: bool = False
    ) -> None:
        self.title = title
        self.flexible = flexible
        self.least = least
        self.drop = drop
        self.right = right
