"""The database's clock, by which leases, due times and deadlines are judged, and what becomes of them when it is set."""

from sqlalchemy import Connection, and_, case, func, or_, select, update

from bmn.db.prepared import Prepared
from bmn.db.tables import db_now, deployment, is_running, is_waiting, jobs

_NOW = Prepared(select(db_now()))
_WRITTEN = (jobs.c.queued_at, jobs.c.started_at, jobs.c.attempt_started_at)


def now(conn: Connection) -> float:
    """The database's time in seconds since 1970."""
    return float(_NOW.one(conn, {})[0])


def follow_clock(conn: Connection, lease: float) -> int:
    """After the clock was set back: what the later clock wrote keeps its distance, from now on. Returns how many jobs.

    A job in line that was written in what is now the future would wait until then, and a dead worker's lease last until
    then. lease: seconds; one that ends ten times that far away was not written by the clock of now.
    """
    written = func.coalesce(jobs.c.attempt_started_at, jobs.c.queued_at)
    times = {column.name: case((column > db_now(), db_now()), else_=column) for column in _WRITTEN}
    due = update(jobs).where(is_waiting, jobs.c.run_at > db_now() + 1, written > db_now() + 1)
    held = update(jobs).where(is_running, jobs.c.lease_until > db_now() + 10 * lease)
    moved = conn.execute(due.values(run_at=jobs.c.run_at - (written - db_now()), **times)).rowcount
    return moved + conn.execute(held.values(lease_until=db_now() + lease, **times)).rowcount


def move_starts(conn: Connection, drift: float) -> None:
    """After the clock was set ahead by `drift` seconds: attempts that began before do not look that much older.

    Every worker that notices may call it: nothing is moved into the future, and an attempt that looks too young is only
    called stale a little later.
    """
    began = update(jobs).where(is_running, jobs.c.attempt_started_at <= db_now() - drift)
    moved = {column.name: column + drift for column in (jobs.c.started_at, jobs.c.attempt_started_at)}
    conn.execute(began.values(moved))


_NOTICED_SECONDS = 15.0  # within which every process that looks has noticed that the clock was set


def move_deadlines(conn: Connection, drift: float) -> None:
    """After the clock was set by `drift` seconds: deadlines that were given by the clock of before keep their distance.

    Every worker that notices calls it, and the first one moves them; a job that came by the new clock keeps its own.
    """
    apart = func.abs(db_now() - deployment.c.clock_set_at) > _NOTICED_SECONDS
    first = update(deployment).where(or_(deployment.c.clock_set_at.is_(None), apart))
    if not conn.execute(first.values(clock_set_at=db_now())).rowcount:
        return
    ours = jobs.c.created_at.between(db_now() - _NOTICED_SECONDS, db_now() + 1)
    for column in (jobs.c.start_by, jobs.c.finish_by):
        open_ones = and_(jobs.c.completed_at.is_(None), column.is_not(None), ~ours)
        conn.execute(update(jobs).where(open_ones).values({column.name: column + drift}))
