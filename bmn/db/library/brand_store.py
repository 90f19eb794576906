"""Brands: the record that a generator's defaults come from. A foreign brand reads like an absent one."""

from collections.abc import Iterable, Mapping
from uuid import uuid4

from sqlalchemy import Connection, and_, bindparam, insert, or_, select, update

from bmn.db.lists.paging import read_cursor, write_cursor
from bmn.db.prepared import Prepared
from bmn.db.records import BrandRow
from bmn.db.tables import brands, db_now, generation_credits
from bmn.errors import NotFound
from bmn.names import key_of

# Built once, for every submission: building a statement costs more than the database needs to run it.
_GET = Prepared(select(brands).where(brands.c.id == bindparam("brand")))
_OWNER = Prepared(select(brands.c.user_id).where(brands.c.id == bindparam("brand")))


def create(conn: Connection, user_id: str, fields: Mapping[str, object]) -> BrandRow:
    """fields: columns of the table (name, and what else is known)."""
    statement = insert(brands).values(id=str(uuid4()), user_id=user_id, **_keyed(fields)).returning(*brands.c)
    return BrandRow.from_row(conn.execute(statement).one())


def find_or_create(conn: Connection, user_id: str, fields: Mapping[str, object]) -> BrandRow:
    """The user's newest brand of the name in `fields`, in any spelling; made where there is none. Two at once make one."""
    account = select(generation_credits.c.user_id).where(generation_credits.c.user_id == user_id)
    conn.execute(account.with_for_update())
    found, _ = list_of_user(conn, user_id, name=str(fields["name"]), limit=1)
    return found[0] if found else create(conn, user_id, fields)


def get(conn: Connection, brand_id: str, user_id: str | None = None) -> BrandRow:
    """One brand; with a user id only if it is theirs. Raises NotFound, the same for absent and foreign."""
    row = _GET.first(conn, {"brand": brand_id})
    if row is None or user_id not in (None, row.user_id):
        raise NotFound("Brand not found")
    return BrandRow.from_row(row)


def list_of_user(
    conn: Connection, user_id: str, *, name: str | None = None, limit: int = 100, cursor: str | None = None
) -> tuple[list[BrandRow], str | None]:
    """A user's brands, newest first, and the cursor of the next page. name: the whole name, in any spelling."""
    query = select(brands).where(brands.c.user_id == user_id)
    if name is not None:
        query = query.where(or_(brands.c.name_key == key_of(name), brands.c.name == name))
    if cursor:
        at, last_id = read_cursor(cursor)
        query = query.where(or_(brands.c.created_at < at, and_(brands.c.created_at == at, brands.c.id < last_id)))
    query = query.order_by(brands.c.created_at.desc(), brands.c.id.desc()).limit(limit + 1)
    found = [BrandRow.from_row(row) for row in conn.execute(query)]
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], write_cursor(last.created_at, last.id) if last else None


def change(conn: Connection, brand_id: str, user_id: str, fields: Mapping[str, object]) -> BrandRow:
    """Sets columns of a user's brand. Raises NotFound."""
    statement = (
        update(brands)
        .where(brands.c.id == brand_id, brands.c.user_id == user_id)
        .values(**_keyed(fields), updated_at=db_now())
        .returning(*brands.c)
    )
    row = conn.execute(statement).first()
    if row is None:
        raise NotFound("Brand not found")
    return BrandRow.from_row(row)


def _keyed(fields: Mapping[str, object]) -> Mapping[str, object]:
    return {**fields, "name_key": key_of(str(fields["name"]))} if "name" in fields else fields


def merge(
    conn: Connection, brand_id: str, user_id: str, fields: Mapping[str, object], details: Mapping[str, object]
) -> BrandRow:
    """Sets columns, and members of `details` beside the ones there are. Raises NotFound."""
    known = get(conn, brand_id, user_id).details
    return change(conn, brand_id, user_id, {**fields, "details": {**known, **details}})


def names(conn: Connection, brand_ids: Iterable[str | None]) -> dict[str | None, str]:
    """The names of brands, by id; jobs that belong to none have None for an id, and no name."""
    wanted = {brand_id for brand_id in brand_ids if brand_id}
    if not wanted:
        return {}
    query = select(brands.c.id, brands.c.name).where(brands.c.id.in_(wanted))
    return {row.id: row.name for row in conn.execute(query)}


def owns(conn: Connection, user_id: str, brand_id: str) -> bool:
    """Whether a brand is this user's."""
    return owner(conn, brand_id) == user_id


def owner(conn: Connection, brand_id: str) -> str | None:
    """The user a brand belongs to."""
    row = _OWNER.first(conn, {"brand": brand_id})
    return row.user_id if row else None
