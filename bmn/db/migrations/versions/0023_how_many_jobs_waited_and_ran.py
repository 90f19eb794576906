"""How many jobs waited and ran, by the minute, the hour and the day"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0023"
down_revision: str | None = "0022"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "queue_samples",
        sa.Column("span", sa.Integer(), nullable=False),
        sa.Column("bucket", sa.Double(), nullable=False),
        sa.Column("queue", sa.String(length=32), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("running", sa.Integer(), nullable=False),
        sa.Column("most_waiting", sa.Integer(), nullable=False),
        sa.Column("oldest", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("span", "queue", "bucket"),
    )


def downgrade() -> None:
    op.drop_table("queue_samples")
