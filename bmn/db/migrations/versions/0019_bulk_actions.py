"""Actions on many jobs, and what became of each of the jobs"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_OPEN, _ENDED = sa.text("ended_at IS NULL"), sa.text("ended_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "bulk_actions",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("selection_key", sa.String(64), nullable=False),
        sa.Column("selection", _JSON, nullable=False),
        sa.Column("owner_id", sa.String(128)),
        sa.Column("changes", _JSON, nullable=False),
        sa.Column("asked_by", sa.String(128), nullable=False),
        sa.Column("key_id", sa.String(32)),
        sa.Column("address", sa.String(64)),
        sa.Column("reason", sa.Text()),
        sa.Column("rate", sa.Double()),
        sa.Column("stop_at", sa.Double()),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("failed_again", sa.Integer(), nullable=False),
        sa.Column("credits_estimated", sa.Integer(), nullable=False),
        sa.Column("usd_estimated", sa.Double(), nullable=False),
        sa.Column("credits", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text()),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("checked_at", sa.Double(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double()),
    )
    op.create_index(
        "bulk_actions_open",
        "bulk_actions",
        ["selection_key"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index("bulk_actions_newest", "bulk_actions", ["created_at"])
    op.create_index("bulk_actions_ended", "bulk_actions", ["ended_at"], sqlite_where=_ENDED, postgresql_where=_ENDED)
    op.create_table(
        "bulk_items",
        sa.Column("bulk_id", sa.String(128), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.String(128), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("new_job_id", sa.String(128)),
        sa.Column("credits", sa.Integer(), nullable=False),
        sa.Column("detail", sa.Text()),
        sa.Column("at", sa.Double()),
        sa.PrimaryKeyConstraint("bulk_id", "number"),
    )
    op.create_index("bulk_items_by_state", "bulk_items", ["bulk_id", "state", "number"])
    op.create_index("bulk_items_of_job", "bulk_items", ["job_id"])


def downgrade() -> None:
    op.drop_table("bulk_items")
    op.drop_table("bulk_actions")
