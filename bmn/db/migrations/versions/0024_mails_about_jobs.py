"""Who wants no mails about jobs that ended while nobody watched"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0024"
down_revision: str | None = "0023"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("generation_credits", sa.Column("job_mails_off_at", sa.Double()))


def downgrade() -> None:
    op.drop_column("generation_credits", "job_mails_off_at")
