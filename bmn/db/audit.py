"""What admins and the system itself have done: who, what, to what, why."""

from typing import Any

from sqlalchemy import Connection, insert

from bmn.db.tables import audit_log


def note(
    conn: Connection,
    actor: str,
    action: str,
    subject: str,
    *,
    reason: str | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Writes one act down. action: such as `queue.pause`. before, after: what it changed."""
    row = {"actor": actor, "action": action, "subject": subject, "reason": reason, "before": before, "after": after}
    conn.execute(insert(audit_log).values(row))
