"""What is wrong: each thing opens once, is over once, and every receiver is told of both, and of a change in between.

A kind that is muted opens and closes as always; what lasts when the mute ends is told then, what is over by then never.
"""

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, String, and_, case, cast, delete, exists, func, literal, or_, select, update

from bmn.db.accounts import audit_store
from bmn.db.engine import make_engine
from bmn.db.tables import alert_mutes, alert_tellings, alerts, db_now
from bmn.db.upsert import insert_once
from bmn.errors import Conflict, NotFound

Severity = Literal["warn", "error"]

DEAD_LETTERS = "dead-letters"  # the kind whose subject is a cause

_CLAIM_SECONDS = 60.0  # before the second attempt; each further one waits twice as long
_LONGEST_PAUSE = 3600.0
_GIVE_UP_SECONDS = 86_400.0  # news older than this helps nobody
_AT_ONCE = 20  # alerts that a receiver is told of in one round
_GONE = "gone"  # among the states of tellings: what a receiver answered that it is


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong now. kind: such as `queue-paused`. subject: the queue, cause or host concerned.

    about: what is behind it, such as the cause that paused a queue; while it lasts another one is a change. None where
    there is only one.
    """

    kind: str
    subject: str
    message: str
    severity: Severity = "warn"
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """A trouble and its time; resolved_at is None while it lasts, acked_at until somebody takes it up.

    changes: how often something else has come to be behind it, at changed_at the last time. muted_until: of its kind, None
    where that is not muted. Seconds since 1970.
    """

    id: int
    kind: str
    subject: str
    severity: Severity
    message: str
    opened_at: float
    resolved_at: float | None
    acked_at: float | None = None
    acked_by: str | None = None
    ack_reason: str | None = None
    changes: int = 0
    changed_at: float | None = None
    muted_until: float | None = None


@dataclass(frozen=True, slots=True)
class Mute:
    """A kind that nobody is told of until then. Seconds since 1970."""

    kind: str
    muted_by: str
    reason: str | None
    muted_at: float
    until: float


_COLUMNS = (
    alerts.c.id,
    alerts.c.kind,
    alerts.c.subject,
    alerts.c.severity,
    alerts.c.message,
    alerts.c.opened_at,
    alerts.c.resolved_at,
    alerts.c.acked_at,
    alerts.c.acked_by,
    alerts.c.ack_reason,
    alerts.c.changes,
    alerts.c.changed_at,
)
_IS_OPEN = alerts.c.resolved_at.is_(None)
_MUTED_NOW = and_(alert_mutes.c.kind == alerts.c.kind, alert_mutes.c.until > db_now())
_ALERTS = select(*_COLUMNS, alert_mutes.c.until).select_from(alerts.outerjoin(alert_mutes, _MUTED_NOW))
# 60 s, 120, 240 … up to an hour, since the last attempt began. Written out, as SQLite knows no powers.
_STATE = case(
    (alerts.c.resolved_at.is_not(None), "resolved"),
    (alerts.c.changes > 0, literal("open-") + cast(alerts.c.changes, String)),
    else_="open",
)
_PAUSE = case(
    *((alert_tellings.c.attempts == tried, _CLAIM_SECONDS * 2 ** (tried - 1)) for tried in range(1, 7)),
    else_=_LONGEST_PAUSE,
)
_IS_DUE = and_(alert_tellings.c.told_at.is_(None), alert_tellings.c.claimed_at <= db_now() - _PAUSE)


def open_alert(conn: Connection, trouble: Trouble) -> bool:
    """Opens it, or notes that it lasts; True where that is news: it was not open, or something else is behind it now."""
    found = update(alerts).where(alerts.c.kind == trouble.kind, alerts.c.subject == trouble.subject, _IS_OPEN)
    seen = found.values(seen_at=db_now(), message=trouble.message)
    if trouble.about is not None:
        seen = seen.values(about=trouble.about, severity=trouble.severity)
        # Whoever has taken it up took up something else.
        changed = seen.values(
            changes=alerts.c.changes + 1, changed_at=db_now(), acked_at=None, acked_by=None, ack_reason=None
        )
        if conn.execute(changed.where(alerts.c.about != trouble.about)).rowcount:
            return True
    if conn.execute(seen).rowcount:
        return False
    return open_new(conn, trouble) is not None


def open_new(conn: Connection, trouble: Trouble) -> int | None:
    """Opens it; None, and nothing is written, where it is open. Cheap in a storm of the same trouble."""
    new = insert_once(conn, alerts).values(
        kind=trouble.kind,
        subject=trouble.subject,
        severity=trouble.severity,
        message=trouble.message,
        opened_at=db_now(),
        seen_at=db_now(),
        # Named where there is one: a database that is behind this release, which is an alert itself, lacks the column.
        **({} if trouble.about is None else {"about": trouble.about}),
    )
    return conn.execute(new.on_conflict_do_nothing().returning(alerts.c.id)).scalar()


def open_at(url: str, trouble: Trouble) -> None:
    """For a process that does not start: notes why, for those that run. Nothing where the database cannot take it."""
    with suppress(Exception):
        engine = make_engine(url, writer=True)
        try:
            with engine.begin() as conn:
                open_alert(conn, trouble)
        finally:
            engine.dispose()


def settle(conn: Connection, troubles: Iterable[Trouble], *, quiet: float) -> list[Trouble]:
    """Opens what is wrong and ends what nobody has seen for `quiet` seconds. What is new."""
    new = [trouble for trouble in troubles if open_alert(conn, trouble)]
    conn.execute(update(alerts).where(_IS_OPEN, alerts.c.seen_at < db_now() - quiet).values(resolved_at=db_now()))
    return new


def count_open(conn: Connection) -> dict[str, int]:
    """How many alerts are open, by kind."""
    query = select(alerts.c.kind, func.count().label("number")).where(_IS_OPEN).group_by(alerts.c.kind)
    return {row.kind: row.number for row in conn.execute(query)}


def listed(conn: Connection, *, ended: bool = False, kind: str | None = None, limit: int = 100) -> list[Alert]:
    """The newest alerts, newest first. ended: those that are over as well; they are kept for a month."""
    query = _ALERTS.order_by(alerts.c.id.desc()).limit(limit)
    if not ended:
        query = query.where(_IS_OPEN)
    if kind is not None:
        query = query.where(alerts.c.kind == kind)
    return [Alert(*row) for row in conn.execute(query)]


def get_alert(conn: Connection, alert_id: int) -> Alert:
    """Raises NotFound."""
    row = conn.execute(_ALERTS.where(alerts.c.id == alert_id)).first()
    if row is None:
        raise NotFound(f"There is no alert {alert_id}.", hint="`bmn alerts --all` lists those of the last month.")
    return Alert(*row)


def acknowledge(conn: Connection, alert_id: int, *, by: str, reason: str | None) -> Alert:
    """Notes that somebody has taken it up. Raises NotFound, and Conflict where it is over or somebody else has it."""
    free = update(alerts).where(alerts.c.id == alert_id, _IS_OPEN, alerts.c.acked_at.is_(None))
    if conn.execute(free.values(acked_at=db_now(), acked_by=by, ack_reason=reason)).rowcount:
        audit_store.note(conn, by, "alert.ack", str(alert_id), reason=reason)
        return get_alert(conn, alert_id)
    found = get_alert(conn, alert_id)
    if found.resolved_at is not None:
        raise Conflict(f"Alert {alert_id} is over.", hint="There is nothing left to acknowledge.")
    if found.acked_by != by:
        raise Conflict(f"Alert {alert_id} was acknowledged by {found.acked_by}.", hint="Ask them.")
    return found


def mute(conn: Connection, kind: str, *, seconds: float, by: str, reason: str | None) -> Mute:
    """From now on nobody is told of a kind, for so long; a second mute replaces the first."""
    values = {"muted_by": by, "reason": reason, "muted_at": db_now(), "until": db_now() + seconds}
    statement = insert_once(conn, alert_mutes).values(kind=kind, **values)
    conn.execute(statement.on_conflict_do_update(index_elements=["kind"], set_=values))
    audit_store.note(conn, by, "alert.mute", kind, reason=reason, after={"seconds": seconds})
    return Mute(*conn.execute(select(alert_mutes).where(alert_mutes.c.kind == kind)).one())


def unmute(conn: Connection, kind: str, *, by: str, reason: str | None) -> None:
    """What lasts is told at once. Raises NotFound where the kind is not muted."""
    ended = update(alert_mutes).where(alert_mutes.c.kind == kind, alert_mutes.c.until > db_now())
    if not conn.execute(ended.values(until=db_now())).rowcount:
        raise NotFound(f"Alerts of kind {kind} are not muted.", hint="`bmn alerts` shows what is muted.")
    audit_store.note(conn, by, "alert.unmute", kind, reason=reason)


def mutes(conn: Connection) -> list[Mute]:
    """What is muted now, by kind."""
    query = select(alert_mutes).where(alert_mutes.c.until > db_now()).order_by(alert_mutes.c.kind)
    return [Mute(*row) for row in conn.execute(query)]


def untold(conn: Connection, sink: str) -> list[Alert]:
    """What a receiver has to be told now, oldest first: of a change as of an opening.

    That it is over: only where it was told, or tried, before.
    """
    mine = (alert_tellings.c.sink == sink, alert_tellings.c.alert_id == alerts.c.id)
    said = select(alert_tellings.c.alert_id).where(*mine, alert_tellings.c.state == _STATE, ~_IS_DUE)
    opening = exists(select(alert_tellings.c.alert_id).where(*mine, alert_tellings.c.state != "resolved"))
    # What was muted counts as new when the mute ends.
    ended = alert_mutes.alias()
    muted = select(func.max(ended.c.until)).where(ended.c.kind == alerts.c.kind).scalar_subquery()
    since = func.coalesce(alerts.c.resolved_at, alerts.c.opened_at)
    recent = or_(since > db_now() - _GIVE_UP_SECONDS, muted > db_now() - _GIVE_UP_SECONDS)
    query = _ALERTS.where(
        or_(_IS_OPEN, opening),
        recent,
        alert_mutes.c.until.is_(None),
        ~said.exists(),
    )
    return [Alert(*row) for row in conn.execute(query.order_by(alerts.c.id).limit(_AT_ONCE))]


def claim(conn: Connection, alert: Alert, sink: str) -> bool:
    """Takes an attempt; False where it is told, somebody is at it, or the pause after the last one is not over."""
    new = insert_once(conn, alert_tellings).values(
        alert_id=alert.id, sink=sink, state=_state(alert), claimed_at=db_now(), attempts=1
    )
    statement = new.on_conflict_do_update(
        index_elements=["alert_id", "sink", "state"],
        set_={"claimed_at": db_now(), "attempts": alert_tellings.c.attempts + 1},
        where=_IS_DUE,
    )
    return conn.execute(statement.returning(alert_tellings.c.alert_id)).first() is not None


def set_told(conn: Connection, alert: Alert, sink: str) -> None:
    """The receiver has it."""
    conn.execute(
        update(alert_tellings)
        .where(
            alert_tellings.c.alert_id == alert.id,
            alert_tellings.c.sink == sink,
            alert_tellings.c.state == _state(alert),
        )
        .values(told_at=db_now())
    )


def note_gone(conn: Connection, alert: Alert, sink: str) -> None:
    """The receiver has answered that it is no more; remembered for as long as the alert is kept that it was told of."""
    row = {"alert_id": alert.id, "sink": sink, "state": _GONE, "claimed_at": db_now(), "told_at": db_now()}
    conn.execute(insert_once(conn, alert_tellings).values(**row, attempts=1).on_conflict_do_nothing())


def gone(conn: Connection) -> set[str]:
    """The receivers that have answered so."""
    query = select(alert_tellings.c.sink).where(alert_tellings.c.state == _GONE)
    return set(conn.execute(query).scalars())


def forget_gone(conn: Connection, sinks: Collection[str]) -> None:
    """These may be told again."""
    conn.execute(delete(alert_tellings).where(alert_tellings.c.state == _GONE, alert_tellings.c.sink.in_(sinks)))


def note_told(conn: Connection, alert_id: int, sink: str) -> None:
    """The transaction that opens an alert has told this receiver itself."""
    row = {"alert_id": alert_id, "sink": sink, "state": "open", "claimed_at": db_now(), "told_at": db_now()}
    conn.execute(insert_once(conn, alert_tellings).values(**row, attempts=1).on_conflict_do_nothing())


def _state(alert: Alert) -> str:
    """What a receiver is told, as `_STATE` has it."""
    if alert.resolved_at is not None:
        return "resolved"
    return f"open-{alert.changes}" if alert.changes else "open"
