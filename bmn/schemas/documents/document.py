"""What every answer of the API is: fixed once built, camelCase on the wire, open to fields of a newer server."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel


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
