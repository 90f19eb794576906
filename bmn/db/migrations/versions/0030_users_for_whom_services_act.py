"""For which user a service did something: what it gives as the reason are that user's words"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0030"
down_revision: str | None = "0029"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TABLES = ("audit_log", "bulk_actions")


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("on_behalf_of", sa.String(128)))


def downgrade() -> None:
    for table in _TABLES:
        op.drop_column(table, "on_behalf_of")
