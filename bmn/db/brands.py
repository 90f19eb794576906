"""Brands: the record that a generator's defaults come from. A foreign brand reads like an absent one."""

from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, and_, bindparam, func, insert, or_, select, update

from bmn.db.paging import read_cursor, write_cursor
from bmn.db.tables import brands, db_now
from bmn.errors import NotFound

BrandRow = dict[str, Any]

# Built once, for every submission: building a statement costs more than the database needs to run it.
_GET = select(brands).where(brands.c.id == bindparam("brand"))
_OWNER = select(brands.c.user_id).where(brands.c.id == bindparam("brand"))


def create(conn: Connection, user_id: str, fields: dict[str, Any]) -> BrandRow:
    """fields: columns of the table (name, and what else is known)."""
    statement = insert(brands).values(id=str(uuid4()), user_id=user_id, **fields).returning(*brands.c)
    return dict(conn.execute(statement).mappings().one())


def get(conn: Connection, brand_id: str, user_id: str | None = None) -> BrandRow:
    """One brand; with a user id only if it is theirs. Raises NotFound, the same for absent and foreign."""
    row = conn.execute(_GET, {"brand": brand_id}).mappings().first()
    if row is None or user_id not in (None, row["user_id"]):
        raise NotFound("Brand not found")
    return dict(row)


def list_of_user(
    conn: Connection, user_id: str, *, name: str | None = None, limit: int = 100, cursor: str | None = None
) -> tuple[list[BrandRow], str | None]:
    """A user's brands, newest first, and the cursor of the next page. name: the whole name, upper or lower case."""
    query = select(brands).where(brands.c.user_id == user_id)
    if name is not None:
        query = query.where(or_(brands.c.name == name, func.lower(brands.c.name) == name.lower()))
    if cursor:
        at, last = read_cursor(cursor)
        query = query.where(or_(brands.c.created_at < at, and_(brands.c.created_at == at, brands.c.id < last)))
    query = query.order_by(brands.c.created_at.desc(), brands.c.id.desc()).limit(limit + 1)
    rows = [dict(row) for row in conn.execute(query).mappings()]
    more = len(rows) > limit
    return rows[:limit], write_cursor(rows[limit - 1]["created_at"], rows[limit - 1]["id"]) if more else None


def change(conn: Connection, brand_id: str, user_id: str, fields: dict[str, Any]) -> BrandRow:
    """Sets columns of a user's brand. Raises NotFound."""
    statement = (
        update(brands)
        .where(brands.c.id == brand_id, brands.c.user_id == user_id)
        .values(**fields, updated_at=db_now())
        .returning(*brands.c)
    )
    row = conn.execute(statement).mappings().first()
    if row is None:
        raise NotFound("Brand not found")
    return dict(row)


def merge(conn: Connection, brand_id: str, user_id: str, fields: dict[str, Any], details: dict[str, Any]) -> BrandRow:
    """Sets columns, and members of `details` beside the ones there are. Raises NotFound."""
    known = get(conn, brand_id, user_id)["details"] or {}
    return change(conn, brand_id, user_id, {**fields, "details": {**known, **details}})


def names(conn: Connection, brand_ids: set[str]) -> dict[str, str]:
    """The names of brands, by id."""
    if not brand_ids:
        return {}
    query = select(brands.c.id, brands.c.name).where(brands.c.id.in_(brand_ids))
    return {row.id: row.name for row in conn.execute(query)}


def owns(conn: Connection, user_id: str, brand_id: str) -> bool:
    return owner(conn, brand_id) == user_id


def owner(conn: Connection, brand_id: str) -> str | None:
    """The user a brand belongs to."""
    return conn.execute(_OWNER, {"brand": brand_id}).scalar()
