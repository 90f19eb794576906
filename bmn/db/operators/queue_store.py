"""Counts and settings per queue, from the rows."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, func, select

from bmn.db import outage_store
from bmn.db.accounts import audit_store
from bmn.db.prepared import Prepared
from bmn.db.records import QueueSettingRow
from bmn.db.sums import activity
from bmn.db.tables import db_now, dead_letters, is_completed, is_no_probe, is_running, is_waiting, jobs, queue_settings
from bmn.db.upsert import insert_once


def counts(conn: Connection) -> dict[str, dict[str, int]]:
    """Per queue: jobs by state, with waiting and delayed apart. Costs what waits, runs and ended just now."""
    found: dict[str, dict[str, int]] = {}
    for condition in (is_waiting, is_running):
        by_state = select(jobs.c.queue, jobs.c.state, func.count()).where(condition)
        for queue, state, number in conn.execute(by_state.group_by(jobs.c.queue, jobs.c.state)):
            found.setdefault(queue, {})[state] = number
    later = select(jobs.c.queue, func.count()).where(is_waiting, jobs.c.run_at > db_now()).group_by(jobs.c.queue)
    for queue, number in conn.execute(later):
        found.setdefault(queue, {})["delayed"] = number
    for (queue, state, _cause), number in activity.outcomes(conn).items():
        ended = found.setdefault(queue, {})
        ended[state] = ended.get(state, 0) + number
    return found


def waiting(conn: Connection) -> dict[str, int]:
    """Per queue: how many jobs wait, for whatever reason. Queues without one are left out."""
    query = select(jobs.c.queue, func.count().label("waiting")).where(is_waiting).group_by(jobs.c.queue)
    return {row.queue: row.waiting for row in conn.execute(query)}


_ANY_WAITING = Prepared(select(jobs.c.id).where(jobs.c.queue == bindparam("of_queue"), is_waiting).limit(1))


def with_waiting(conn: Connection, names: Iterable[str]) -> set[str]:
    """Which of these queues have a job that waits, for whatever reason; costs the same however many wait."""
    return {name for name in names if _ANY_WAITING.first(conn, {"of_queue": name})}


def oldest_waiting(conn: Connection) -> dict[str, float]:
    """Per queue: seconds that the oldest due job has been waiting."""
    query = (
        select(jobs.c.queue, db_now() - func.min(jobs.c.run_at))
        .where(is_waiting, jobs.c.run_at <= db_now())
        .group_by(jobs.c.queue)
    )
    return {queue: float(seconds) for queue, seconds in conn.execute(query)}


def settings(conn: Connection) -> dict[str, QueueSettingRow]:
    """Queues that have settings, paused ones among them."""
    return {row.queue: QueueSettingRow.from_row(row) for row in conn.execute(select(queue_settings))}


_LAST = (
    select(jobs.c.completed_at - jobs.c.started_at)
    .where(jobs.c.queue == bindparam("of_queue"), is_completed, jobs.c.started_at.is_not(None), is_no_probe)
    .order_by(jobs.c.completed_at.desc())
    .limit(bindparam("most", type_=Integer))
)
_PAUSE = Prepared(
    select(queue_settings).where(queue_settings.c.queue == bindparam("of_queue"), queue_settings.c.paused == 1)
)


def get_pause(conn: Connection, queue: str) -> QueueSettingRow | None:
    """The settings of a queue that is paused; None for one that is not."""
    row = _PAUSE.first(conn, {"of_queue": queue})
    return QueueSettingRow.from_row(row) if row else None


def set_paused(
    conn: Connection, queue: str, *, by: str, reason: str, cause: str | None = None, probe_in: float | None = None
) -> bool:
    """Pauses a queue; False if it was paused before.

    probe_in: seconds until it is tried again by itself; such a pause leaves one that somebody has ordered as it is.
    """
    before = get_pause(conn, queue)
    if before and probe_in is not None and before.probe_at is None:
        return False
    values: dict[str, Any] = {
        "paused": 1,
        "cause": cause,
        "reason": reason,
        "paused_by": str(by),
        "paused_at": db_now(),
        "probe_at": None if probe_in is None else db_now() + probe_in,
    }
    _put(conn, queue, values)
    audit_store.note(conn, by, "queue.pause", queue, reason=reason, after={"cause": cause})
    return before is None


def end_own_pause(conn: Connection, queue: str) -> None:
    """A queue that paused itself goes on; one that somebody has paused meanwhile does not."""
    found = get_pause(conn, queue)
    if found and found.probe_at is not None:
        set_running(conn, queue, by="system")


def set_running(conn: Connection, queue: str, *, by: str, reason: str | None = None) -> bool:
    """Resumes a queue; False if it was not paused."""
    if get_pause(conn, queue) is None:
        return False
    _put(
        conn,
        queue,
        {"paused": 0, "cause": None, "reason": None, "paused_by": None, "paused_at": None, "probe_at": None},
    )
    audit_store.note(conn, by, "queue.resume", queue, reason=reason)
    return True


def resume(conn: Connection, queue: str, *, by: str, reason: str | None = None) -> None:
    """Somebody orders that a queue goes on: of its providers, also those that are out are asked again at once."""
    out = outage_store.of_queue(conn, queue)
    outage_store.end(conn, queue)
    if not set_running(conn, queue, by=by, reason=reason) and out:
        audit_store.note(conn, by, "queue.resume", queue, reason=reason, before={"out": sorted(out)})


def _put(conn: Connection, queue: str, values: Mapping[str, object]) -> None:
    statement = insert_once(conn, queue_settings).values(queue=queue, **values)
    conn.execute(statement.on_conflict_do_update(index_elements=["queue"], set_=values))


def open_dead_letters(conn: Connection) -> int:
    """How many dead letters nobody has mended."""
    return int(
        conn.execute(select(func.count()).select_from(dead_letters).where(dead_letters.c.state == "open")).scalar_one()
    )


def percentiles(conn: Connection, names: Iterable[str], *, sample: int = 200) -> dict[str, tuple[float, float]]:
    """Per queue: p50 and p95 of the last jobs' durations in seconds. names: of the queues to look at."""
    last = {name: conn.execute(_LAST, {"of_queue": name, "most": sample}).scalars() for name in names}
    found = {name: [float(seconds) for seconds in rows] for name, rows in last.items()}
    return {name: (_at(values, 0.5), _at(values, 0.95)) for name, values in found.items() if values}


def _at(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
