"""How many jobs waited and ran, minute by minute: what plots show, and no row remembers afterwards.

Each minute is looked at once, by whoever comes first, and added to its hour and day in the same transaction.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, case, delete, func, select

from bmn.db.sums.rollup import DAY, HOUR, MINUTE, bucket_of
from bmn.db.tables import db_now, is_running, is_waiting, jobs, queue_samples
from bmn.db.upsert import insert_once

ALL = ""
"""In place of a queue: all of them together, in every look; a queue without a job is in none."""

_KEPT = {MINUTE: 2 * DAY, HOUR: 35 * DAY, DAY: 400 * DAY}
_KEY = ("span", "bucket", "queue")
_SUMS = ("samples", "waiting", "running")


@dataclass(frozen=True, slots=True)
class QueueLine:
    """What waited and ran of a queue within one span, on average. bucket: its beginning, seconds since 1970.

    most_waiting: in the longest look. oldest: seconds that a due job had waited at most.
    """

    bucket: float
    queue: str
    waiting: float
    running: float
    most_waiting: int
    oldest: float


@dataclass(frozen=True, slots=True)
class _Look:
    queue: str
    waiting: int
    running: int
    oldest: float


def look(conn: Connection) -> bool:
    """Writes down what waits and runs now; False where this minute has been looked at."""
    now = float(conn.execute(select(db_now())).scalar_one())
    minute = bucket_of(now, MINUTE)
    key = {"span": MINUTE, "bucket": minute, "queue": ALL}
    taken = insert_once(conn, queue_samples).values(**key, samples=0, waiting=0, running=0, most_waiting=0, oldest=0.0)
    if conn.execute(taken.on_conflict_do_nothing().returning(queue_samples.c.queue)).first() is None:
        return False
    _add(conn, minute, _look(conn, now))
    return True


def history(conn: Connection, span: int, seconds: float, queue: str = ALL) -> list[QueueLine]:
    """What was seen lately, oldest first. span: MINUTE, HOUR or DAY. seconds: how far back."""
    table = queue_samples.c
    query = select(queue_samples).where(
        table.span == span, table.bucket >= db_now() - seconds, table.queue == queue, table.samples > 0
    )
    return [
        QueueLine(
            row.bucket, row.queue, row.waiting / row.samples, row.running / row.samples, row.most_waiting, row.oldest
        )
        for row in conn.execute(query.order_by(table.bucket))
    ]


def delete_old(conn: Connection) -> int:
    """Drops minutes after two days, hours after 35, days after 400."""
    table = queue_samples
    return sum(
        conn.execute(delete(table).where(table.c.span == span, table.c.bucket < db_now() - kept)).rowcount
        for span, kept in _KEPT.items()
    )


def _look(conn: Connection, now: float) -> list[_Look]:
    """All together, and each queue that has a job."""
    waiting = select(jobs.c.queue, func.count().label("number"), func.min(jobs.c.run_at).label("due"))
    running = select(jobs.c.queue, func.count().label("number"))
    in_line = {row.queue: row for row in conn.execute(waiting.where(is_waiting).group_by(jobs.c.queue))}
    at_work = {row.queue: row.number for row in conn.execute(running.where(is_running).group_by(jobs.c.queue))}
    found = [
        _Look(
            queue,
            in_line[queue].number if queue in in_line else 0,
            at_work.get(queue, 0),
            max(0.0, now - in_line[queue].due) if queue in in_line else 0.0,
        )
        for queue in sorted({*in_line, *at_work})
    ]
    oldest = max((one.oldest for one in found), default=0.0)
    together = _Look(ALL, sum(one.waiting for one in found), sum(one.running for one in found), oldest)
    return [together, *found]


def _add(conn: Connection, minute: float, found: list[_Look]) -> None:
    statement = insert_once(conn, queue_samples)
    new, old = statement.excluded, queue_samples.c
    added = {name: old[name] + new[name] for name in _SUMS}
    highest = {name: case((new[name] > old[name], new[name]), else_=old[name]) for name in ("most_waiting", "oldest")}
    conn.execute(
        statement.on_conflict_do_update(index_elements=list(_KEY), set_={**added, **highest}),
        [
            {
                "span": span,
                "bucket": bucket_of(minute, span),
                "queue": one.queue,
                "samples": 1,
                "waiting": one.waiting,
                "running": one.running,
                "most_waiting": one.waiting,
                "oldest": one.oldest,
            }
            for one in found
            for span in (MINUTE, HOUR, DAY)
        ],
    )
