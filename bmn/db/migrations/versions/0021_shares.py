"""Shares: the links that were handed out, so that each can be withdrawn by itself"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "shares",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("user_id", sa.String(128), nullable=False),
        sa.Column("brand_id", sa.String(128)),
        sa.Column("job_id", sa.String(128)),
        sa.Column("asset_ids", _JSON, nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("revoked_at", sa.Double()),
    )
    op.create_index("shares_of_user", "shares", ["user_id", "created_at"])
    op.create_index("shares_age", "shares", ["expires_at"])


def downgrade() -> None:
    op.drop_table("shares")
