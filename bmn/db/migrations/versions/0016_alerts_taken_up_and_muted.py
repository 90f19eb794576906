"""Who has taken up an alert, kinds that are muted for a while, and how often a receiver was tried"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("alerts", sa.Column("acked_at", sa.Double(), nullable=True))
    op.add_column("alerts", sa.Column("acked_by", sa.String(length=128), nullable=True))
    op.add_column("alerts", sa.Column("ack_reason", sa.Text(), nullable=True))
    op.add_column("alert_tellings", sa.Column("attempts", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.create_table(
        "alert_mutes",
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("muted_by", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("muted_at", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("kind"),
    )
    # Failed attempts by time, for the account of an incident.
    is_warning = sa.text("level = 'warning'")
    op.create_index("job_logs_warnings", "job_logs", ["at"], sqlite_where=is_warning, postgresql_where=is_warning)


def downgrade() -> None:
    op.drop_index("job_logs_warnings", table_name="job_logs")
    op.drop_table("alert_mutes")
    op.drop_column("alert_tellings", "attempts")
    for name in ("ack_reason", "acked_by", "acked_at"):
        op.drop_column("alerts", name)
