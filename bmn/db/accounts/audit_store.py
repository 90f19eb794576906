"""What people and the system itself have done: who, what, to what, why, and from where."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from bmn.db.records import AuditRow
from bmn.db.tables import audit_log, bulk_actions, jobs


class Actor(str):
    """Who does something: a user's id, or `system`; and, where it is known, with which key, from where and for whom.

    A string, because that is all that the rows of jobs, queues and dead letters keep of them.
    """

    __slots__ = ("address", "key_id", "on_behalf_of")
    key_id: str | None
    address: str | None
    on_behalf_of: str | None

    def __new__(
        cls, name: str, *, key_id: str | None = None, address: str | None = None, on_behalf_of: str | None = None
    ) -> "Actor":
        """address: of the client, as the server sees it. on_behalf_of: the user for whom a service acts."""
        actor = super().__new__(cls, name)
        actor.key_id, actor.address, actor.on_behalf_of = key_id, address, on_behalf_of
        return actor


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries: all that is given has to fit. action: whole, or up to a dot. since, until: seconds since 1970."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    key_id: str | None = None
    since: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class NotedLook:
    """Somebody's look at personal data. kind: `job`, `jobs`, `brand` ... asked: the filter of a list.

    reason: None where none is asked for, such as for an address.
    """

    kind: str
    subject: str
    reason: str | None
    asked: str | None


_OF_USERS = ("job.", "bulk.")  # acts that users do as well
_ONE_LOOK_SECONDS = 900.0


def note_look(conn: Connection, actor: Actor, look: NotedLook) -> None:
    """Writes a look down as `reveal.KIND`: once, where a page renews itself or a list goes on to its next page.

    That is, the same look by the same person from the same place within a quarter of an hour is one.
    """
    action, after = f"reveal.{look.kind}", {"asked": look.asked} if look.asked else None
    chosen = AuditFilter(actor=str(actor), action=action, subject=look.subject, since=time.time() - _ONE_LOOK_SECONDS)
    for entry in listed(conn, chosen, limit=20):
        known = (entry.reason, entry.after, entry.key_id, entry.address)
        if known == (look.reason, after, actor.key_id, actor.address):
            return
    note(conn, actor, action, look.subject, reason=look.reason, after=after)


def note(
    conn: Connection,
    actor: str,
    action: str,
    subject: str,
    *,
    reason: str | None = None,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """Writes one act down. action: such as `queue.pause`. before, after: what it changed."""
    row = {
        "actor": str(actor),
        "action": action,
        "subject": subject,
        "reason": reason,
        "before": before,
        "after": after,
        "key_id": actor.key_id if isinstance(actor, Actor) else None,
        "address": actor.address if isinstance(actor, Actor) else None,
        "on_behalf_of": actor.on_behalf_of if isinstance(actor, Actor) else None,
    }
    conn.execute(insert(audit_log).values(row))


def listed(conn: Connection, chosen: AuditFilter, *, limit: int = 50, before: int | None = None) -> list[AuditRow]:
    """The newest entries, newest first. before: only those with a smaller id."""
    table = audit_log.c
    query = select(audit_log).order_by(table.id.desc()).limit(limit)
    for column, value in (
        (table.actor, chosen.actor),
        (table.subject, chosen.subject),
        (table.key_id, chosen.key_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if chosen.action is not None:
        query = query.where(
            (table.action == chosen.action) | table.action.startswith(f"{chosen.action}.", autoescape=True)
        )
    if chosen.since is not None:
        query = query.where(table.at >= chosen.since)
    if chosen.until is not None:
        query = query.where(table.at <= chosen.until)
    if before is not None:
        query = query.where(table.id < before)
    return [AuditRow.from_row(row) for row in conn.execute(query)]


def owners(conn: Connection, entries: Iterable[AuditRow]) -> dict[str, str]:
    """Whose the jobs and bulk actions are that were acted on, by id; those that are nobody's, or gone, are not in it."""
    named = {entry.subject for entry in entries if entry.action.startswith(_OF_USERS)}
    found: dict[str, str] = {}
    for id_of, owner in ((jobs.c.id, jobs.c.user_id), (bulk_actions.c.id, bulk_actions.c.owner_id)):
        query = select(id_of, owner).where(id_of.in_(named), owner.is_not(None))
        found.update({str(name): str(user_id) for name, user_id in conn.execute(query)} if named else {})
    return found


def of_subject(conn: Connection, subject: str, limit: int = 50) -> list[AuditRow]:
    """What was done to one thing, oldest first."""
    return listed(conn, AuditFilter(subject=subject), limit=limit)[::-1]
