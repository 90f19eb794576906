"""Times of assets in stored results and events as RFC 3339, which clients read; they were seconds"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_JOBS = sa.table("jobs", sa.column("id", sa.String), sa.column("result", _JSON))
_EVENTS = sa.table(
    "job_events", sa.column("job_id", sa.String), sa.column("seq", sa.Integer), sa.column("payload", _JSON)
)
_PAGE = 500


def upgrade() -> None:
    _rewrite(_JOBS, ["id"], "result")
    _rewrite(_EVENTS, ["job_id", "seq"], "payload")


def downgrade() -> None:
    """The release before passes results on as they are."""


def _rewrite(table: sa.TableClause, key: list[str], column: str) -> None:
    """A page at a time, so that a large table does not have to fit into memory."""
    bind = op.get_bind()
    keys = [table.c[name] for name in key]
    named = sa.cast(table.c[column], sa.Text).like('%"created_at"%')
    place: tuple[Any, ...] | None = None
    update = table.update().where(*(column == sa.bindparam(f"old_{column.name}") for column in keys))
    while True:
        query = sa.select(*keys, table.c[column]).where(named).order_by(*keys).limit(_PAGE)
        if place is not None:
            query = query.where(sa.tuple_(*keys) > sa.tuple_(*map(sa.literal, place)))
        rows = bind.execute(query).all()
        if not rows:
            return
        changed = [
            {**{f"old_{name}": value for name, value in zip(key, row[:-1], strict=True)}, column: _as_text(row[-1])}
            for row in rows
        ]
        bind.execute(update, changed)
        place = tuple(rows[-1][:-1])


def _as_text(value: Any) -> Any:
    """A copy of JSON data in which no asset's `created_at` is a number."""
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    if isinstance(value, dict):
        return {name: _moment(item) if name == "created_at" else _inner(name, item) for name, item in value.items()}
    return value


def _inner(name: str, value: Any) -> Any:
    return value if name == "metadata" else _as_text(value)  # whose words are not ours


def _moment(value: Any) -> Any:
    if not isinstance(value, int | float):
        return value
    return datetime.fromtimestamp(value, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
