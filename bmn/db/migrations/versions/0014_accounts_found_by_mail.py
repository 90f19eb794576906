"""An index by which an account is found by its mail address, however that is written"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index("accounts_by_mail", "generation_credits", [sa.text("lower(email)")])


def downgrade() -> None:
    op.drop_index("accounts_by_mail", "generation_credits")
