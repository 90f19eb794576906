"""What every answer of the API is: fixed once built, camelCase on the wire, open to fields of a newer server."""

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from bmn.redaction import HIDDEN


class Document(BaseModel):
    """Base of all answers. A field without a default is always on the wire, null or not."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)

    def wire(self) -> dict[str, object]:
        """The answer as JSON values, exactly as the server sends it."""
        return self.model_dump(mode="json", by_alias=True)


def _is_none(value: object) -> bool:
    return value is None


def absent() -> Any:
    """The default of a field that is left out of the wire where there is nothing to say."""
    return Field(default=None, exclude_if=_is_none)


Time = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
"""RFC 3339 in UTC, to the millisecond: `2026-11-28T09:30:00.000Z`."""


@dataclass(frozen=True, slots=True)
class _Personal:
    """Marks a field. plain: names in it whose values are words of ours, and stay."""

    plain: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Internal:
    """Marks a field."""


PERSONAL = _Personal()
"""In `Annotated[...]`: the field may hold a user's words, pictures or address, which nobody else sees unasked."""

PERSONAL_FACTS = _Personal(frozenset({"cause", "status", "unit", "step"}))
"""The same for what happened to a job: beside figures, what it was and why are no words of a user."""

PERSONAL_CHOICE = _Personal(frozenset({"action", "ids", "queue", "state", "cause", "brand", "groupId"}))
"""The same for which jobs somebody chose: all but the words they looked for."""

INTERNAL = _Internal()
"""In `Annotated[...]`: the field may hold what operators have written to each other, which viewers do not see."""

D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Who looks at what belongs to others. user_id: whose own records they see whole. internal: what operators write too."""

    user_id: str | None
    internal: bool


def masked(document: D, onlooker: Onlooker) -> D:
    """A document without what others have said, made or are called by; ids, states, times, figures and money stay."""
    if onlooker.user_id is not None and getattr(document, "user_id", None) == onlooker.user_id:
        return document
    changes: dict[str, object] = {}
    for name, field in type(document).model_fields.items():
        value = getattr(document, name)
        seen = _seen(value, field.metadata, onlooker)
        if seen is not value:
            changes[name] = seen
    return document.model_copy(update=changes) if changes else document


def _seen(value: object, marks: list[object], onlooker: Onlooker) -> object:
    for mark in marks:
        if isinstance(mark, _Personal):
            return _hidden(value, mark.plain)
        if isinstance(mark, _Internal) and not onlooker.internal:
            return _hidden(value, frozenset())
    if isinstance(value, Document):
        return masked(value, onlooker)
    return [_seen(part, [], onlooker) for part in value] if isinstance(value, list) else value


def _hidden(value: object, plain: frozenset[str]) -> object:
    if isinstance(value, str):
        return HIDDEN
    if isinstance(value, dict):
        return {name: part for name, part in value.items() if isinstance(part, int | float) or name in plain}
    return [] if isinstance(value, list) else value
