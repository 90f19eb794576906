"""What is wrong: each thing opens once, is over once, and every receiver is told of both."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, case, func, or_, select, update

from bmn.db.tables import alert_tellings, alerts, db_now
from bmn.db.upsert import insert_once

Severity = Literal["warn", "error"]

_CLAIM_SECONDS = 60.0  # a telling whose process died is somebody else's after that
_GIVE_UP_SECONDS = 86_400.0  # news older than this helps nobody


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong now. kind: such as `queue-paused`. subject: the queue, cause or host concerned."""

    kind: str
    subject: str
    message: str
    severity: Severity = "warn"


@dataclass(frozen=True, slots=True)
class Alert:
    """A trouble and its time; resolved_at is None while it lasts. Seconds since 1970."""

    id: int
    kind: str
    subject: str
    severity: Severity
    message: str
    opened_at: float
    resolved_at: float | None


_COLUMNS = (
    alerts.c.id,
    alerts.c.kind,
    alerts.c.subject,
    alerts.c.severity,
    alerts.c.message,
    alerts.c.opened_at,
    alerts.c.resolved_at,
)
_IS_OPEN = alerts.c.resolved_at.is_(None)


def open_alert(conn: Connection, trouble: Trouble) -> bool:
    """Opens it, or notes that it lasts; True where it is new."""
    found = update(alerts).where(alerts.c.kind == trouble.kind, alerts.c.subject == trouble.subject, _IS_OPEN)
    if conn.execute(found.values(seen_at=db_now(), message=trouble.message)).rowcount:
        return False
    new = insert_once(conn, alerts).values(
        kind=trouble.kind,
        subject=trouble.subject,
        severity=trouble.severity,
        message=trouble.message,
        opened_at=db_now(),
        seen_at=db_now(),
    )
    return conn.execute(new.on_conflict_do_nothing().returning(alerts.c.id)).first() is not None


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
    query = select(*_COLUMNS).order_by(alerts.c.id.desc()).limit(limit)
    if not ended:
        query = query.where(_IS_OPEN)
    if kind is not None:
        query = query.where(alerts.c.kind == kind)
    return [Alert(*row) for row in conn.execute(query)]


def untold(conn: Connection, sink: str) -> list[Alert]:
    """What a receiver has not heard yet, oldest first."""
    told = select(alert_tellings.c.alert_id).where(
        alert_tellings.c.sink == sink,
        alert_tellings.c.alert_id == alerts.c.id,
        alert_tellings.c.state == case((_IS_OPEN, "open"), else_="resolved"),
        or_(alert_tellings.c.told_at.is_not(None), alert_tellings.c.claimed_at > db_now() - _CLAIM_SECONDS),
    )
    recent = func.coalesce(alerts.c.resolved_at, alerts.c.opened_at) > db_now() - _GIVE_UP_SECONDS
    query = select(*_COLUMNS).where(recent, ~told.exists()).order_by(alerts.c.id).limit(20)
    return [Alert(*row) for row in conn.execute(query)]


def claim(conn: Connection, alert: Alert, sink: str) -> bool:
    """Takes a telling for a minute; False where it is told or somebody is at it."""
    new = insert_once(conn, alert_tellings).values(
        alert_id=alert.id, sink=sink, state=_state(alert), claimed_at=db_now()
    )
    statement = new.on_conflict_do_update(
        index_elements=["alert_id", "sink", "state"],
        set_={"claimed_at": db_now()},
        where=alert_tellings.c.told_at.is_(None) & (alert_tellings.c.claimed_at <= db_now() - _CLAIM_SECONDS),
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


def _state(alert: Alert) -> str:
    return "open" if alert.resolved_at is None else "resolved"
