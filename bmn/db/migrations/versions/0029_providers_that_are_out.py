"""Which provider of a queue is out while another one does its work"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0029"
down_revision: str | None = "0028"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "provider_outages",
        sa.Column("queue", sa.String(32), nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("cause", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("probe_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("queue", "provider"),
    )


def downgrade() -> None:
    op.drop_table("provider_outages")
