"""Brands, what belongs to them, and the products that carry their logos."""

from typing import Any

from bmn.schemas.documents.document import Document, Time
from bmn.schemas.traits import AssetTraits


class Brand(Document):
    """A user's brand. details: what the wizard's steps wrote down."""

    id: str
    name: str
    vision: str | None
    archetype: str | None
    color_palette: list[str] | None
    logo_style: str | None
    status: str
    details: dict[str, Any]
    created_at: Time
    updated_at: Time


class BrandPage(Document):
    """One page of brands, newest first."""

    brands: list[Brand]
    next_cursor: str | None


class Asset(Document):
    """A saved picture or film. url and thumbnail_url: signed, and good for an hour or two."""

    id: str
    brand_id: str
    job_id: str | None
    type: str
    url: str
    thumbnail_url: str | None
    mime_type: str
    size_bytes: int
    sha256: str
    metadata: dict[str, Any]
    is_selected: bool
    created_at: Time

    @property
    def traits(self) -> AssetTraits:
        """What its metadata say of it."""
        return AssetTraits.of(self.metadata)


class AssetPage(Document):
    """One page of a brand's assets, newest first."""

    assets: list[Asset]
    next_cursor: str | None


class Product(Document):
    """Something that a logo is put on. instructions: what its picture should look like."""

    id: str
    slug: str
    name: str
    category: str
    instructions: str | None
    base_cost_usd: float


class Products(Document):
    """The whole catalogue."""

    products: list[Product]
