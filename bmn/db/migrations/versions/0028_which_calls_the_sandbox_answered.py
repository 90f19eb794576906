"""An index of the calls that the sandbox answered, which is empty where none ever does"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0028"
down_revision: str | None = "0027"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    by_sandbox = sa.text("sandboxed = 1")
    op.create_index(
        "provider_calls_of_sandbox",
        "provider_calls",
        ["job_id"],
        sqlite_where=by_sandbox,
        postgresql_where=by_sandbox,
    )


def downgrade() -> None:
    op.drop_index("provider_calls_of_sandbox", table_name="provider_calls")
