"""Jobs that collect what a cancelled one had ordered, and the price of a unit as it was agreed at submission"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("collects_id", sa.String(length=128), nullable=True))
    op.add_column("jobs", sa.Column("unit_credits", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("jobs", "unit_credits")
    op.drop_column("jobs", "collects_id")
