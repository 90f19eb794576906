"""Calls of providers are kept by the month on PostgreSQL; a large table is divided by the upkeep, in steps"""

from collections.abc import Sequence

from alembic import op

from bmn.db.keeping import partitions
from bmn.db.tables import provider_calls

revision: str = "0031"
down_revision: str | None = "0030"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_AT_ONCE = 64 * 2**20  # bytes that are read in a moment, in which nobody can write to the table


def upgrade() -> None:
    conn = op.get_bind()
    if conn.dialect.name != "postgresql":
        return
    if partitions.size_of(conn, provider_calls) <= _AT_ONCE:
        partitions.divide(conn, provider_calls)
        for month in partitions.missing_months(conn, provider_calls):
            partitions.make_month(conn, provider_calls, month)


def downgrade() -> None:
    conn = op.get_bind()
    if partitions.is_divided(conn, provider_calls):
        partitions.join(conn, provider_calls)
