"""Answers kept by the caller's key, so that a repeated request is answered and not repeated."""

from typing import Any

from sqlalchemy import Connection, insert, select

from bmn.db.tables import db_now, idempotency_keys
from bmn.errors import Conflict

KEPT_SECONDS = 86_400


def find(conn: Connection, user_id: str, key: str, request_hash: str) -> Any | None:
    """The answer that this key got before. Raises Conflict where it stood for another body."""
    table = idempotency_keys.c
    query = select(idempotency_keys).where(
        table.user_id == user_id, table.key == key, table.created_at > db_now() - KEPT_SECONDS
    )
    row = conn.execute(query).first()
    if row is None:
        return None
    if row.request_hash != request_hash:
        raise Conflict(
            "This Idempotency-Key was used with another request.", hint="Send a fresh key, or repeat the same request."
        )
    return row.response


def keep(conn: Connection, user_id: str, key: str, request_hash: str, response: Any) -> None:
    """Keeps an answer for a day. Raises IntegrityError where the same key was stored meanwhile."""
    table = idempotency_keys.c
    conn.execute(
        idempotency_keys.delete().where(
            table.user_id == user_id, table.key == key, table.created_at <= db_now() - KEPT_SECONDS
        )
    )
    values = {"user_id": user_id, "key": key, "request_hash": request_hash, "response": response}
    conn.execute(insert(idempotency_keys).values(values))
