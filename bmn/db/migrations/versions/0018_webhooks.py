"""Webhooks: who receives them, who hears of a job, and what is to be delivered"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("jobs", sa.Column("webhooks", _JSON, nullable=True))
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.String(length=128), nullable=False),
        sa.Column("events", _JSON, nullable=False),
        sa.Column("listening_until", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("webhook_endpoints_of_user", "webhook_endpoints", ["user_id", "created_at"])
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("job_id", sa.String(length=128), nullable=False),
        sa.Column("endpoint_id", sa.String(length=128), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("payload", _JSON, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("delivery_job", sa.String(length=128), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("attempted_at", sa.Double(), nullable=True),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("webhook_deliveries_of_user", "webhook_deliveries", ["user_id", "created_at"])
    op.create_index("webhook_deliveries_of_job", "webhook_deliveries", ["job_id"])
    op.create_index("webhook_deliveries_of_endpoint", "webhook_deliveries", ["endpoint_id", "created_at"])
    op.create_index("webhook_deliveries_age", "webhook_deliveries", ["created_at"])
    for name, column, condition in (("waiting", "created_at", "IS NULL"), ("handed", "delivery_job", "IS NOT NULL")):
        where = sa.text(f"state = 'pending' AND delivery_job {condition}")
        op.create_index(
            f"webhook_deliveries_{name}",
            "webhook_deliveries",
            [column],
            sqlite_where=where,
            postgresql_where=where,
        )


def downgrade() -> None:
    for table in ("webhook_deliveries", "webhook_endpoints"):
        op.drop_table(table)
    op.drop_column("jobs", "webhooks")
