"""Brands, their pictures and films, and the products these are put on."""

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from bmn.db.tables.base import Json, created, db_now, identifier, metadata, moment

brands = Table(
    "brands",
    metadata,
    identifier(primary_key=True),
    identifier("user_id", nullable=False),
    Column("name", String(200), nullable=False),
    Column("vision", Text),
    Column("archetype", String(200)),
    Column("color_palette", Json),
    Column("logo_style", String(20)),
    Column("status", String(20), nullable=False, default="draft"),
    Column("details", Json, nullable=False, default=dict),  # what the wizard's steps have saved
    created(),
    moment("updated_at", nullable=False, default=db_now()),
    Column("name_key", String(200)),  # what all spellings of the name have in common; see `bmn.names.key_of`
    Index("brands_of_user", "user_id", "created_at"),
    Index("brands_by_name", "user_id", "name_key"),
)

brand_assets = Table(
    "brand_assets",
    metadata,
    identifier(primary_key=True),
    identifier("brand_id", ForeignKey("brands.id"), nullable=False),
    identifier("job_id"),
    Column("asset_type", String(32), nullable=False),
    Column("url", Text, nullable=False),
    Column("thumbnail_url", Text),
    Column("storage_key", String(512), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("mime_type", String(100), nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("metadata", Json, nullable=False, default=dict),
    Column("is_selected", Integer, nullable=False, default=0),
    created(),
    Column("is_favorite", Integer, nullable=False, default=0, server_default="0"),
    UniqueConstraint("storage_key"),
    Index("assets_of_brand", "brand_id", "created_at"),
    Index("assets_of_job", "job_id"),
)

products = Table(
    "products",
    metadata,
    identifier(primary_key=True),
    Column("slug", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("category", String(100), nullable=False),
    Column("instructions", Text),
    Column("base_cost_usd", Float, nullable=False, default=0.0),
)
