"""One module a generator, with its payload, its request and its `KIND`: what stands here is a generator everywhere."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticKnownError

from bmn.schemas.kind import Kind


def _found() -> Iterator[Kind]:
    for module in iter_modules(__path__):
        kind: Kind = import_module(f"{__name__}.{module.name}").KIND
        if kind.name != module.name:
            raise ImportError(f"{__name__}.{module.name} names its generator {kind.name!r}; the two are one word.")
        yield kind


KINDS: Mapping[str, Kind] = MappingProxyType(
    {kind.name: kind for kind in sorted(_found(), key=lambda kind: (kind.place, kind.name))}
)
"""Every generator, by the word of its route."""

KIND_OF: Mapping[str, Kind] = MappingProxyType({kind.queue: kind for kind in KINDS.values()})
"""The same by their queues."""

ASSET_TYPES = (*(kind.asset_type for kind in KINDS.values() if kind.asset_type), "social_asset", "video_thumbnail")


def _known(word: str) -> str:
    if word not in ASSET_TYPES:
        raise PydanticKnownError("literal_error", {"expected": ", ".join(ASSET_TYPES)})
    return word


AssetType = Annotated[str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(ASSET_TYPES)})]
"""A type of the pictures and films that a brand has."""
