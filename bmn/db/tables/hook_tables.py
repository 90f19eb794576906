"""Receivers of webhooks and what is delivered to them."""

from sqlalchemy import Column, Index, Integer, String, Table, Text

from bmn.db.tables.base import Json, created, identifier, index_where, metadata, moment

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    identifier(primary_key=True),
    identifier("user_id", nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", String(128), nullable=False),
    Column("events", Json, nullable=False),
    moment("listening_until"),
    created(),
    moment("disabled_at"),  # it said that it is gone; null while it hears
    Column("disabled_reason", Text),
    Index("webhook_endpoints_of_user", "user_id", "created_at"),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    identifier(primary_key=True),  # the `webhook-id`
    identifier("user_id", nullable=False),
    identifier("job_id", nullable=False),
    identifier("endpoint_id"),
    Column("url", Text, nullable=False),
    Column("event", String(32), nullable=False),
    Column("payload", Json, nullable=False),
    Column("state", String(16), nullable=False, default="pending"),
    Column("attempts", Integer, nullable=False, default=0),
    Column("status", Integer),
    Column("error", Text),
    identifier("delivery_job"),
    created(),
    moment("attempted_at"),
    moment("ended_at"),
    Index("webhook_deliveries_of_user", "user_id", "created_at"),
    Index("webhook_deliveries_of_job", "job_id"),
    Index("webhook_deliveries_of_endpoint", "endpoint_id", "created_at"),
    Index("webhook_deliveries_age", "created_at"),
    index_where("state = 'pending' AND delivery_job IS NULL", "webhook_deliveries_waiting", "created_at"),
    index_where("state = 'pending' AND delivery_job IS NOT NULL", "webhook_deliveries_handed", "delivery_job"),
)
