"""Links that were handed out: what each shows, and until when, so that it can be withdrawn by itself."""

import secrets
from collections.abc import Sequence

from sqlalchemy import Connection, and_, insert, or_, select, update

from bmn.db.lists.paging import read_cursor, write_cursor
from bmn.db.records import ShareRow
from bmn.db.tables import db_now, shares
from bmn.errors import NotFound

_ID_BYTES = 12
_OF = shares.c


def add(
    conn: Connection,
    user_id: str,
    brand_id: str | None,
    until: float,
    *,
    job_id: str | None = None,
    asset_ids: Sequence[str] = (),
) -> ShareRow:
    """A new one, of a job or of pictures. until: seconds since 1970."""
    row = {"id": secrets.token_hex(_ID_BYTES), "user_id": user_id, "brand_id": brand_id, "job_id": job_id}
    statement = insert(shares).values(**row, asset_ids=list(asset_ids), expires_at=until).returning(*_OF)
    return ShareRow.from_row(conn.execute(statement).one())


def open_one(conn: Connection, share_id: str) -> ShareRow:
    """One that has neither ended nor been withdrawn. Raises NotFound."""
    query = select(shares).where(_OF.id == share_id, _OF.revoked_at.is_(None), _OF.expires_at > db_now())
    row = conn.execute(query).first()
    if row is None:
        raise NotFound("This link has ended, or never was.")
    return ShareRow.from_row(row)


def listed(
    conn: Connection, user_id: str, *, ended: bool, limit: int, cursor: str | None = None
) -> tuple[list[ShareRow], str | None]:
    """A user's, newest first, and the cursor of the next page. ended: also those that show nothing any more."""
    query = select(shares).where(_OF.user_id == user_id)
    if not ended:
        query = query.where(and_(_OF.revoked_at.is_(None), _OF.expires_at > db_now()))
    if cursor is not None:
        at, last_id = read_cursor(cursor)
        query = query.where(or_(_OF.created_at < at, and_(_OF.created_at == at, _OF.id < last_id)))
    query = query.order_by(_OF.created_at.desc(), _OF.id.desc()).limit(limit + 1)
    found = [ShareRow.from_row(row) for row in conn.execute(query)]
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], write_cursor(last.created_at, last.id) if last else None


def revoke(conn: Connection, share_id: str, user_id: str) -> ShareRow:
    """Ends one, from now on; again changes nothing. Raises NotFound, the same for absent and foreign."""
    mine = and_(_OF.id == share_id, _OF.user_id == user_id)
    conn.execute(update(shares).where(mine, _OF.revoked_at.is_(None)).values(revoked_at=db_now()))
    row = conn.execute(select(shares).where(mine)).first()
    if row is None:
        raise NotFound("Share not found")
    return ShareRow.from_row(row)
