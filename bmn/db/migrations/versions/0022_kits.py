"""Kits: a whole brand as one group of jobs, and the steps that were begun"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_OPEN, _ENDED, _GROUPED = (sa.text(f"{name} NULL") for name in ("ended_at IS", "ended_at IS NOT", "group_id IS NOT"))


def upgrade() -> None:
    op.create_table(
        "kits",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("user_id", sa.String(128), nullable=False),
        sa.Column("brand_id", sa.String(128), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("step", sa.String(16), nullable=False),
        sa.Column("plan", _JSON, nullable=False),
        sa.Column("logo_id", sa.String(128)),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("cause", sa.String(32)),
        sa.Column("credits_estimated", sa.Integer(), nullable=False),
        sa.Column("usd_estimated", sa.Double(), nullable=False),
        sa.Column("credits_left", sa.Integer(), nullable=False),
        sa.Column("credits_short", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", sa.String(256)),
        sa.Column("request_hash", sa.String(64)),
        sa.Column("request_id", sa.String(64)),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double()),
        sa.UniqueConstraint("user_id", "idempotency_key", name="kits_once"),
    )
    op.create_index("kits_open", "kits", ["state", "created_at"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index("kits_of_user", "kits", ["user_id", "created_at"])
    op.create_index("kits_of_brand", "kits", ["brand_id", "created_at"])
    op.create_index("kits_ended", "kits", ["ended_at"], sqlite_where=_ENDED, postgresql_where=_ENDED)
    op.create_table(
        "kit_steps",
        sa.Column("kit_id", sa.String(128), nullable=False),
        sa.Column("step", sa.String(16), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("kit_id", "step"),
    )
    op.create_index(
        "jobs_of_group", "jobs", ["group_id", "created_at"], sqlite_where=_GROUPED, postgresql_where=_GROUPED
    )


def downgrade() -> None:
    op.drop_index("jobs_of_group", "jobs")
    op.drop_table("kit_steps")
    op.drop_table("kits")
