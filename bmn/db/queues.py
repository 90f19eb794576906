"""Counts and settings per queue, from the rows."""

from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from bmn.db import credits
from bmn.db.tables import db_now, dead_letters, is_waiting, jobs, provider_calls, queue_settings
from bmn.schemas.payloads import TERMINAL_STATES, JobState


def counts(conn: Connection) -> dict[str, dict[str, int]]:
    """Per queue: jobs by state, with waiting and delayed apart."""
    found: dict[str, dict[str, int]] = {}
    by_state = select(jobs.c.queue, jobs.c.state, func.count()).group_by(jobs.c.queue, jobs.c.state)
    for queue, state, number in conn.execute(by_state):
        found.setdefault(queue, {})[state] = number
    later = select(jobs.c.queue, func.count()).where(is_waiting, jobs.c.run_at > db_now()).group_by(jobs.c.queue)
    for queue, number in conn.execute(later):
        found.setdefault(queue, {})["delayed"] = number
    return found


def oldest_waiting(conn: Connection) -> dict[str, float]:
    """Per queue: seconds that the oldest due job has been waiting."""
    query = (
        select(jobs.c.queue, db_now() - func.min(jobs.c.run_at))
        .where(is_waiting, jobs.c.run_at <= db_now())
        .group_by(jobs.c.queue)
    )
    return {queue: float(seconds) for queue, seconds in conn.execute(query)}


def settings(conn: Connection) -> dict[str, dict[str, Any]]:
    """Queues that have settings, paused ones among them."""
    return {row["queue"]: dict(row) for row in conn.execute(select(queue_settings)).mappings()}


_PAUSE = select(queue_settings).where(queue_settings.c.queue == bindparam("of_queue"), queue_settings.c.paused == 1)


def pause(conn: Connection, queue: str) -> dict[str, Any] | None:
    """The settings of a queue that is paused; None for one that is not."""
    row = conn.execute(_PAUSE, {"of_queue": queue}).mappings().first()
    return dict(row) if row else None


def set_paused(
    conn: Connection, queue: str, *, by: str, reason: str, cause: str | None = None, probe_in: float | None = None
) -> bool:
    """Pauses a queue; False if it was paused before.

    probe_in: seconds until it is tried again by itself; such a pause leaves one that somebody has ordered as it is.
    """
    before = pause(conn, queue)
    if before and probe_in is not None and before["probe_at"] is None:
        return False
    values: dict[str, Any] = {
        "paused": 1,
        "cause": cause,
        "reason": reason,
        "paused_by": by,
        "paused_at": db_now(),
        "probe_at": None if probe_in is None else db_now() + probe_in,
    }
    _put(conn, queue, values)
    credits.audit(conn, by, "queue.pause", queue, reason=reason, after={"cause": cause})
    return before is None


def end_own_pause(conn: Connection, queue: str) -> None:
    """A queue that paused itself goes on; one that somebody has paused meanwhile does not."""
    found = pause(conn, queue)
    if found and found["probe_at"] is not None:
        set_running(conn, queue, by="system")


def set_running(conn: Connection, queue: str, *, by: str) -> bool:
    """Resumes a queue; False if it was not paused."""
    if pause(conn, queue) is None:
        return False
    _put(
        conn,
        queue,
        {"paused": 0, "cause": None, "reason": None, "paused_by": None, "paused_at": None, "probe_at": None},
    )
    credits.audit(conn, by, "queue.resume", queue)
    return True


def _put(conn: Connection, queue: str, values: dict[str, Any]) -> None:
    statement = credits.insert_once(conn, queue_settings).values(queue=queue, **values)
    conn.execute(statement.on_conflict_do_update(index_elements=["queue"], set_=values))


def open_dead_letters(conn: Connection) -> int:
    return int(
        conn.execute(select(func.count()).select_from(dead_letters).where(dead_letters.c.state == "open")).scalar_one()
    )


def percentiles(conn: Connection, *, sample: int = 200) -> dict[str, tuple[float, float]]:
    """Per queue: p50 and p95 of the last jobs' durations in seconds."""
    ranked = (
        select(
            jobs.c.queue,
            (jobs.c.completed_at - jobs.c.started_at).label("seconds"),
            func.row_number().over(partition_by=jobs.c.queue, order_by=jobs.c.created_at.desc()).label("newest"),
        )
        .where(jobs.c.state == JobState.COMPLETED, jobs.c.started_at.is_not(None))
        .subquery()
    )
    samples: dict[str, list[float]] = {}
    for queue, seconds in conn.execute(select(ranked.c.queue, ranked.c.seconds).where(ranked.c.newest <= sample)):
        samples.setdefault(queue, []).append(float(seconds))
    return {queue: (_at(values, 0.5), _at(values, 0.95)) for queue, values in samples.items()}


def _at(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def outcomes(conn: Connection) -> dict[tuple[str, str, str], int]:
    """How many jobs ended how: by queue, state and cause (empty where nothing went wrong)."""
    cause = func.coalesce(jobs.c.cause, "")
    query = (
        select(jobs.c.queue, jobs.c.state, cause, func.count())
        .where(jobs.c.state.in_(tuple(TERMINAL_STATES)))
        .group_by(jobs.c.queue, jobs.c.state, cause)
    )
    return {(queue, state, why): int(number) for queue, state, why, number in conn.execute(query)}


def clock(conn: Connection) -> float:
    """The database's time in seconds since 1970."""
    return float(conn.execute(select(db_now())).scalar_one())


def spent(conn: Connection, seconds: float) -> float:
    """What real providers were paid within these seconds, in USD; the sandbox costs nothing."""
    query = select(func.coalesce(func.sum(provider_calls.c.usd), 0.0)).where(
        provider_calls.c.at > db_now() - seconds, provider_calls.c.sandboxed == 0
    )
    return float(conn.execute(query).scalar_one())
