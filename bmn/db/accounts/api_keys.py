"""The API keys' rows. What a key looks like, and who may do what with it, is `bmn.identity`'s."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, insert, or_, select, update

from bmn.db.accounts import audit_store
from bmn.db.records import ApiKeyRow
from bmn.db.tables import api_keys, db_now
from bmn.errors import NotFound

_USED_SECONDS = 60.0  # the last use is written down no more often than this


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key about to be stored. lives: seconds until it expires; None for never."""

    id: str
    digest: str
    name: str
    role: str
    user_id: str
    lives: float | None = None


def create(conn: Connection, new: NewApiKey, *, by: str, reason: str | None = None) -> ApiKeyRow:
    """Stores a key, with a row in the audit log."""
    row = conn.execute(
        insert(api_keys)
        .values(
            id=new.id,
            digest=new.digest,
            name=new.name,
            role=new.role,
            user_id=new.user_id,
            created_by=by,
            expires_at=None if new.lives is None else db_now() + new.lives,
        )
        .returning(*api_keys.c)
    ).one()
    made = {"name": new.name, "role": new.role, "user": new.user_id, "expiresAt": row.expires_at}
    audit_store.note(conn, by, "key.create", new.id, reason=reason, after=made)
    return ApiKeyRow.from_row(row)


def find(conn: Connection, key_id: str) -> ApiKeyRow | None:
    """One key, revoked and expired ones too."""
    row = conn.execute(select(api_keys).where(api_keys.c.id == key_id)).first()
    return ApiKeyRow.from_row(row) if row else None


def named(conn: Connection, key_ids: Collection[str]) -> dict[str, ApiKeyRow]:
    """Keys by id, as far as they are there."""
    rows = conn.execute(select(api_keys).where(api_keys.c.id.in_(key_ids))) if key_ids else ()
    return {row.id: ApiKeyRow.from_row(row) for row in rows}


def listed(conn: Connection, *, ended: bool = False, limit: int = 200) -> list[ApiKeyRow]:
    """The newest keys, newest first. ended: revoked and expired ones too."""
    query = select(api_keys).order_by(api_keys.c.created_at.desc(), api_keys.c.id).limit(limit)
    if not ended:
        alive = or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > db_now())
        query = query.where(api_keys.c.revoked_at.is_(None), alive)
    return [ApiKeyRow.from_row(row) for row in conn.execute(query)]


def revoke(conn: Connection, key_id: str, *, by: str, reason: str | None = None) -> ApiKeyRow:
    """Ends a key; one that was revoked before stays as it was. Raises NotFound."""
    table = api_keys.c
    ended = update(api_keys).where(table.id == key_id, table.revoked_at.is_(None))
    row = conn.execute(ended.values(revoked_at=db_now(), revoked_by=str(by)).returning(*table)).first()
    if row is not None:
        audit_store.note(conn, by, "key.revoke", key_id, reason=reason, before={"name": row.name, "role": row.role})
        return ApiKeyRow.from_row(row)
    if (found := find(conn, key_id)) is None:
        raise NotFound(f"There is no key {key_id}.", hint="`bmn keys list --all` shows them.")
    return found


def note_use(conn: Connection, key_id: str) -> None:
    """Writes down that a key is in use, at most once a minute."""
    table = api_keys.c
    due = or_(table.last_used_at.is_(None), table.last_used_at < db_now() - _USED_SECONDS)
    conn.execute(update(api_keys).where(table.id == key_id, due).values(last_used_at=db_now()))
