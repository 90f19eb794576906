"""What pydantic says of a value that it refuses: its entries are read here alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class Refused(Protocol):
    """An error of pydantic or FastAPI that lists what is wrong."""

    def errors(self) -> Sequence[Any]:
        """One entry for each."""


@dataclass(frozen=True, slots=True)
class RefusedValue:
    """One thing that is wrong. place: the way to it. kind, words: pydantic's. context: what its words are made with.

    value: what was given.
    """

    place: tuple[int | str, ...]
    kind: str
    words: str
    value: object
    context: Mapping[str, object]

    @property
    def error(self) -> object:
        """Of a check of ours: what it said; else None."""
        return self.context.get("error")


def issues(error: Refused) -> list[RefusedValue]:
    """All that is wrong, in the order of the fields."""
    return [
        RefusedValue(each["loc"], each["type"], each["msg"], each.get("input"), dict(each.get("ctx") or {}))
        for each in error.errors()
    ]
