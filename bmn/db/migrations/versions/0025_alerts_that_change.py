"""What is behind an alert, how often that has changed, and when it last did"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0025"
down_revision: str | None = "0024"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("alerts", sa.Column("about", sa.String(length=32), nullable=True))
    op.add_column("alerts", sa.Column("changes", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("alerts", sa.Column("changed_at", sa.Double(), nullable=True))


def downgrade() -> None:
    for name in ("changed_at", "changes", "about"):
        op.drop_column("alerts", name)
