"""What is old is found by its age, in every book"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_RESOLVED = "resolved_at IS NOT NULL"
# table, index, column, condition
_ADDED: tuple[tuple[str, str, str, str | None], ...] = (
    ("dead_letters", "dead_letters_resolved", "resolved_at", _RESOLVED),
    ("alerts", "alerts_resolved", "resolved_at", _RESOLVED),
    ("agent_sessions", "agent_sessions_age", "updated_at", None),
    ("escalations", "escalations_age", "created_at", None),
)
# A fifth of such a table is days of what was deleted, over which every look at its oldest row would walk.
_VACUUMED = ("job_events", "job_units", "credit_ledger", "provider_calls")


def upgrade() -> None:
    for table, name, column, condition in _ADDED:
        where = sa.text(condition) if condition else None
        op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)
    if op.get_bind().dialect.name == "postgresql":
        for table in _VACUUMED:
            op.execute(f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.02)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in _VACUUMED:
            op.execute(f"ALTER TABLE {table} RESET (autovacuum_vacuum_scale_factor)")
    for table, name, _, _ in _ADDED:
        op.drop_index(name, table)
