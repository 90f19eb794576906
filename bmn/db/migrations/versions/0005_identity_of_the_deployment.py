"""An identity of the database, which its Redis is marked with, so that no second deployment takes its queues for its own"""

import uuid
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    table = op.create_table(
        "deployment",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("identity", sa.String(32), nullable=False),
    )
    op.bulk_insert(table, [{"id": 1, "identity": uuid.uuid4().hex}])


def downgrade() -> None:
    op.drop_table("deployment")
