"""What every answer of the API is: fixed once built, camelCase on the wire, open to fields of a newer server."""

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from bmn.redaction import HIDDEN


class Document(BaseModel):
    """Base of all answers. A field without a default is always on the wire, null or not."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)

    def wire(self) -> dict[str, Any]:
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
    """Marks a field."""


PERSONAL = _Personal()
"""In `Annotated[...]`: the field may hold a user's words, pictures or address, which viewers do not see."""

D = TypeVar("D", bound=Document)


def masked(document: D) -> D:
    """A document without what its users have said, made or are called by; ids, states, times and money stay."""
    changes: dict[str, object] = {}
    for name, field in type(document).model_fields.items():
        value = getattr(document, name)
        seen = _hidden(value) if PERSONAL in field.metadata else _masked_parts(value)
        if seen is not value:
            changes[name] = seen
    return document.model_copy(update=changes) if changes else document


def _masked_parts(value: object) -> object:
    if isinstance(value, Document):
        return masked(value)
    return [_masked_parts(part) for part in value] if isinstance(value, list) else value


def _hidden(value: object) -> object:
    if isinstance(value, str):
        return HIDDEN
    return type(value)() if isinstance(value, dict | list) else value
