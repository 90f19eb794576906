"""The index that counts troubled jobs knows their queue, since lists leave one out"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# index, columns, condition
_CHANGED: tuple[tuple[str, list[str], str], ...] = (
    ("jobs_causes", ["cause", "created_at"], "cause IS NOT NULL"),
    ("jobs_troubled", ["state", "created_at"], "state IN ('failed', 'partial', 'cancelled')"),
)


def _make(more: list[str]) -> None:
    for name, columns, condition in _CHANGED:
        where = sa.text(condition)
        op.drop_index(name, "jobs")
        op.create_index(name, "jobs", [*columns, *more], sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    _make(["collects_id", "queue"])


def downgrade() -> None:
    _make(["collects_id"])
