"""Answers kept by the caller's key, so that a repeated request is answered and not repeated."""

from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from bmn.db.prepared import Prepared
from bmn.db.tables import db_now, idempotency_keys
from bmn.errors import Conflict

KEPT_SECONDS = 86_400

_mine = (idempotency_keys.c.user_id == bindparam("of_user"), idempotency_keys.c.key == bindparam("wanted"))
_FIND = Prepared(select(idempotency_keys).where(*_mine, idempotency_keys.c.created_at > db_now() - KEPT_SECONDS))
_IS_KEPT = Prepared(
    select(idempotency_keys.c.key).where(*_mine, idempotency_keys.c.created_at > db_now() - KEPT_SECONDS)
)
_FORGET = Prepared(delete(idempotency_keys).where(*_mine, idempotency_keys.c.created_at <= db_now() - KEPT_SECONDS))
_KEEP = Prepared(insert(idempotency_keys))


def find(conn: Connection, user_id: str, key: str, request_hash: str) -> Any | None:
    """The answer that this key got before. Raises Conflict where it stood for another body."""
    row = _FIND.first(conn, {"of_user": user_id, "wanted": key})
    if row is None:
        return None
    if row.request_hash != request_hash:
        raise Conflict(
            "This Idempotency-Key was used with another request.", hint="Send a fresh key, or repeat the same request."
        )
    return row.response


def is_kept(conn: Connection, user_id: str, key: str) -> bool:
    """Whether this key has an answer, for whatever body."""
    return _IS_KEPT.first(conn, {"of_user": user_id, "wanted": key}) is not None


def keep(conn: Connection, user_id: str, key: str, request_hash: str, response: Any) -> None:
    """Keeps an answer for a day. Raises IntegrityError where the same key was stored meanwhile."""
    _FORGET.run(conn, {"of_user": user_id, "wanted": key})
    _KEEP.run(conn, {"user_id": user_id, "key": key, "request_hash": request_hash, "response": response})
