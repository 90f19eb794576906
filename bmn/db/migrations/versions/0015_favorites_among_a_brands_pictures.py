"""Favorites among a brand's pictures"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    column = sa.Column("is_favorite", sa.Integer(), nullable=False, server_default="0")
    op.add_column("brand_assets", column)


def downgrade() -> None:
    op.drop_column("brand_assets", "is_favorite")
