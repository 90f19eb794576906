"""Indexes that hold at a million jobs, and room for a lease to be renewed in place"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# table, index, columns, condition
_ADDED: tuple[tuple[str, str, list[str], str | None], ...] = (
    ("jobs", "jobs_running", ["queue"], "state = 'active'"),
    ("jobs", "jobs_completed", ["queue", "completed_at"], "state = 'completed'"),
    ("jobs", "jobs_ended", ["completed_at"], "completed_at IS NOT NULL"),
    ("jobs", "jobs_causes", ["cause", "created_at"], "cause IS NOT NULL"),
    ("jobs", "jobs_troubled", ["state", "created_at"], "state IN ('failed', 'partial', 'cancelled')"),
    ("job_units", "job_units_storage", ["storage_key"], "storage_key IS NOT NULL"),
    ("credit_ledger", "credit_ledger_age", ["created_at"], None),
    ("provider_calls", "provider_calls_of_queue", ["queue", "at"], None),
    ("provider_calls", "provider_calls_of_user", ["user_id", "at"], None),
)


def upgrade() -> None:
    for table, name, columns, condition in _ADDED:
        where = sa.text(condition) if condition else None
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
    # An index on the lease's end would make each renewal write all indexes of the row.
    op.drop_index("jobs_leases", "jobs")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE INDEX jobs_id_prefix ON jobs (id varchar_pattern_ops)")
        op.execute("ALTER TABLE jobs SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02)")
        op.execute("ALTER TABLE job_units SET (fillfactor = 80)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE job_units RESET (fillfactor)")
        op.execute("ALTER TABLE jobs RESET (fillfactor, autovacuum_vacuum_scale_factor)")
        op.drop_index("jobs_id_prefix", "jobs")
    running = sa.text("state = 'active'")
    op.create_index("jobs_leases", "jobs", ["lease_until"], sqlite_where=running, postgresql_where=running)
    for table, name, _, _ in reversed(_ADDED):
        op.drop_index(name, table)
