"""Brands, assets, products, and conversations of the wizard."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from bmn.db.records.base import Record
from bmn.schemas.traits import AssetTraits


@dataclass(frozen=True, slots=True)
class NewAsset:
    """A stored object about to become an asset."""

    id: str
    brand_id: str
    asset_type: str
    url: str
    storage_key: str
    sha256: str
    mime_type: str
    size_bytes: int
    job_id: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    thumbnail_url: str | None = None


@dataclass(frozen=True, slots=True)
class BrandAssetRow(Record):
    """A stored picture or video of a brand."""

    CONVERTED: ClassVar = {"is_selected": bool, "is_favorite": bool}

    id: str
    brand_id: str
    job_id: str | None
    asset_type: str
    url: str
    thumbnail_url: str | None
    storage_key: str
    sha256: str
    mime_type: str
    size_bytes: int
    metadata: dict[str, Any]
    is_selected: bool
    created_at: float
    is_favorite: bool = False

    @property
    def traits(self) -> AssetTraits:
        """What its metadata say of it."""
        return AssetTraits.of(self.metadata)


@dataclass(frozen=True, slots=True)
class BrandRow(Record):
    """A user's brand. details: what the wizard's steps have saved. name_key: what all spellings of its name share."""

    id: str
    user_id: str
    name: str
    vision: str | None
    archetype: str | None
    color_palette: list[str] | None
    logo_style: str | None
    status: str
    details: dict[str, Any]
    created_at: float
    updated_at: float
    name_key: str | None


@dataclass(frozen=True, slots=True)
class ProductRow(Record):
    """A product that a logo can be put on. instructions: what a model is told about it."""

    id: str
    slug: str
    name: str
    category: str
    instructions: str | None
    base_cost_usd: float


@dataclass(frozen=True, slots=True)
class AgentSessionRow(Record):
    """A conversation of the brand wizard. state: what its steps remember."""

    id: str
    user_id: str
    brand_id: str
    step: str
    messages: list[dict[str, Any]]
    turns: int
    cost_usd: float
    state: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AbandonedWizard(Record):
    """A wizard that nobody has touched for long. name: the brand's."""

    id: str
    user_id: str
    brand_id: str
    step: str
    name: str
