"""What providers were asked, what that cost, added up, and which of them are out."""

from typing import Any

from sqlalchemy import Column, Float, Index, Integer, PrimaryKeyConstraint, String, Table, Text, literal_column
from sqlalchemy.sql.elements import ColumnElement

from bmn.db.tables.base import db_now, identifier, index_where, metadata, moment

_BY_SANDBOX = "sandboxed = 1"

is_by_sandbox: ColumnElement[Any] = literal_column(f"provider_calls.{_BY_SANDBOX}")

provider_calls = Table(
    "provider_calls",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    identifier("job_id"),
    Column("unit", String(64)),
    Column("attempt", Integer),
    identifier("user_id"),
    Column("queue", String(32)),
    Column("provider", String(32), nullable=False),
    Column("operation", String(32), nullable=False),
    Column("model", String(64)),
    Column("units", Float, nullable=False, default=0.0),
    Column("usd", Float, nullable=False, default=0.0),
    Column("sandboxed", Integer, nullable=False, default=0),
    Column("ms", Integer, nullable=False, default=0),
    Column("outcome", String(32), nullable=False),  # ok, or a cause
    Column("status", Integer),
    Column("request_id", String(128)),
    moment("at", nullable=False, default=db_now()),
    Index("provider_calls_at", "at"),
    Index("provider_calls_of_job", "job_id"),
    index_where(_BY_SANDBOX, "provider_calls_of_sandbox", "job_id"),
    Index("provider_calls_of_queue", "queue", "at"),
    Index("provider_calls_of_user", "user_id", "at"),
)

# Providers that are out while another one of their queue does the work; no row: as far as anybody knows, it is well.
provider_outages = Table(
    "provider_outages",
    metadata,
    Column("queue", String(32), nullable=False),
    Column("provider", String(32), nullable=False),
    Column("cause", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    moment("since", nullable=False),
    moment("probe_at", nullable=False),  # when it is asked again
    PrimaryKeyConstraint("queue", "provider"),
)

# What calls cost, by the hour, the day and in all (span 0), by kind, provider, model and user; see bmn/db/sums/spending.py.
provider_spending = Table(
    "provider_spending",
    metadata,
    Column("span", Integer, nullable=False),
    moment("bucket", nullable=False),
    Column("dimension", String(16), nullable=False),
    Column("key", String(128), nullable=False),
    Column("sandboxed", Integer, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("units", Float, nullable=False),
    Column("usd", Float, nullable=False),
    PrimaryKeyConstraint("span", "dimension", "bucket", "key", "sandboxed"),
)

# Up to when calls have been added up: one row.
spending_mark = Table(
    "spending_mark",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    moment("upto", nullable=False),
)
