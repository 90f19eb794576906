"""Rows that were brought back from the archive are left alone for a while"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0026"
down_revision: str | None = "0025"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "archive_holds",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("book", sa.String(32), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("upto", sa.Double(), nullable=False),
        sa.Column("held_until", sa.Double(), nullable=False),
    )
    op.create_index("archive_holds_age", "archive_holds", ["held_until"])


def downgrade() -> None:
    op.drop_table("archive_holds")
