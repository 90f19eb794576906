"""Conversations of the brand wizard."""

from sqlalchemy import Column, Float, Index, Integer, String, Table

from bmn.db.tables.base import Json, created, db_now, identifier, metadata, moment

agent_sessions = Table(
    "agent_sessions",
    metadata,
    identifier(primary_key=True),
    identifier("user_id", nullable=False),
    identifier("brand_id", nullable=False),
    Column("step", String(32), nullable=False),
    Column("messages", Json, nullable=False, default=list),
    Column("turns", Integer, nullable=False, default=0),
    Column("cost_usd", Float, nullable=False, default=0.0),
    Column("state", Json, nullable=False, default=dict),
    created(),
    moment("updated_at", nullable=False, default=db_now()),
    moment("reminded_at"),  # when the user was told that the wizard waits for them
    Index("agent_sessions_of_brand", "brand_id"),
    Index("agent_sessions_age", "updated_at"),
)
