"""A key beside each brand's name, so that its spellings (case, width, composition) are one name on both databases"""

import hashlib
import re
import unicodedata
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_BRANDS = sa.table("brands", sa.column("id", sa.String), sa.column("name", sa.String), sa.column("name_key", sa.String))
_PAGE = 500


def upgrade() -> None:
    op.add_column("brands", sa.Column("name_key", sa.String(200)))
    bind, last = op.get_bind(), ""
    query = sa.select(_BRANDS.c.id, _BRANDS.c.name).order_by(_BRANDS.c.id).limit(_PAGE)
    update = _BRANDS.update().where(_BRANDS.c.id == sa.bindparam("brand")).values(name_key=sa.bindparam("key"))
    while rows := bind.execute(query.where(_BRANDS.c.id > last)).all():
        bind.execute(update, [{"brand": row.id, "key": _key(row.name)} for row in rows])
        last = rows[-1].id
    op.create_index("brands_by_name", "brands", ["user_id", "name_key"])


def downgrade() -> None:
    op.drop_index("brands_by_name", "brands")
    op.drop_column("brands", "name_key")


def _key(name: str) -> str:
    """As `bmn.names.key_of` did at this release."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    plain = re.sub("[\u00ad\u061c\u180e\u200b-\u200f\u2060\ufeff]", "", folded)
    key = unicodedata.normalize("NFC", " ".join(plain.split()).casefold())
    data = key.encode(errors="replace")
    return key if len(data) <= 200 else hashlib.sha256(data).hexdigest()
