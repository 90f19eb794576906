"""What an event of a job says, as far as we show it."""

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from bmn.schemas.traits import AssetTraits


class BroughtAsset(BaseModel):
    """The picture or film that an event brings."""

    id: str
    url: str
    metadata: dict[str, object] = Field(default_factory=dict)

    @property
    def traits(self) -> AssetTraits:
        """What its metadata say of it."""
        return AssetTraits.of(self.metadata)


class Said(BaseModel):
    """Fields of all events in one. What another release says besides does no harm, and what it leaves out has a default.

    retry_at: milliseconds since 1970.
    """

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    status: str | None = None
    progress: float | None = None
    message: str | None = None
    error: str | None = None
    cause: str | None = None
    content: str | None = None
    tool_name: str | None = None
    attempt: int | None = None
    retries_left: int | None = None
    retry_at: float | None = None
    partial: bool | None = None
    logo_index: int | None = None
    preview: str | None = None
    asset: BroughtAsset | None = None
