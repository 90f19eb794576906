"""API keys; and in the audit log, with which key and from where"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("created_by", sa.String(length=128), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=True),
        sa.Column("last_used_at", sa.Double(), nullable=True),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.Column("revoked_by", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("api_keys_newest", "api_keys", ["created_at"])
    op.add_column("audit_log", sa.Column("key_id", sa.String(length=32), nullable=True))
    op.add_column("audit_log", sa.Column("address", sa.String(length=64), nullable=True))
    op.create_index("audit_log_subject", "audit_log", ["subject", "id"])


def downgrade() -> None:
    op.drop_index("audit_log_subject", table_name="audit_log")
    with op.batch_alter_table("audit_log") as batch_op:
        batch_op.drop_column("address")
        batch_op.drop_column("key_id")
    op.drop_index("api_keys_newest", table_name="api_keys")
    op.drop_table("api_keys")
