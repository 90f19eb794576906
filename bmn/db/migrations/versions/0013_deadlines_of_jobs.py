"""By when a job has to have begun, and by when to have ended; and when the clock that says so was set"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_INDEXES = (
    ("start_by", "state IN ('queued', 'retrying') AND start_by IS NOT NULL"),
    ("finish_by", "completed_at IS NULL AND finish_by IS NOT NULL"),
)


def upgrade() -> None:
    op.add_column("deployment", sa.Column("clock_set_at", sa.Double(), nullable=True))
    for column, condition in _INDEXES:
        op.add_column("jobs", sa.Column(column, sa.Double(), nullable=True))
        where = sa.text(condition)
        op.create_index(f"jobs_{column}", "jobs", [column], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for column, _ in reversed(_INDEXES):
        op.drop_index(f"jobs_{column}", table_name="jobs")
        op.drop_column("jobs", column)
    op.drop_column("deployment", "clock_set_at")
