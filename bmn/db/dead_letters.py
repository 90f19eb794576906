"""Dead letters: finding them, and marking each as replayed exactly once."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, String, and_, cast, func, or_, select, update
from sqlalchemy.sql import ColumnElement

from bmn.db.lists.matching import contains
from bmn.db.lists.paging import COUNTED, read_cursor
from bmn.db.records import DeadLetterRow, LetterState
from bmn.db.tables import db_now, dead_letters, escalations, jobs
from bmn.db.upsert import insert_once


@dataclass(frozen=True, slots=True)
class DeadFilter:
    """Which open dead letters. ids: job ids or the letters' own. since: seconds since 1970. Nothing given: all of them.

    user_id: only that user's.
    """

    ids: tuple[str, ...] = field(default=())
    queue: str | None = None
    cause: str | None = None
    text: str | None = None
    since: float | None = None
    user_id: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filter in SQL."""
        found: list[ColumnElement[bool]] = []
        if self.ids:
            found.append(or_(dead_letters.c.id.in_(self.ids), dead_letters.c.job_id.in_(self.ids)))
        if self.queue:
            found.append(dead_letters.c.queue == self.queue)
        if self.user_id is not None:
            found.append(dead_letters.c.user_id == self.user_id)
        if self.cause:
            found.append(dead_letters.c.cause == self.cause)
        if self.since is not None:
            found.append(dead_letters.c.created_at >= self.since)
        if self.text:
            columns = (dead_letters.c.job_id, dead_letters.c.error, cast(jobs.c.payload, String))
            found.append(or_(*(contains(column, self.text) for column in columns)))
        return found


_LETTERS = select(dead_letters, jobs.c.brand_id, jobs.c.payload).join(jobs, jobs.c.id == dead_letters.c.job_id)


def find(
    conn: Connection,
    chosen: DeadFilter,
    *,
    state: LetterState | None = LetterState.OPEN,
    limit: int = 100,
    cursor: str | None = None,
) -> list[DeadLetterRow]:
    """Dead letters, newest first. state: None for every state."""
    conditions = chosen.conditions()
    if state:
        conditions.append(dead_letters.c.state == state)
    if cursor:
        at, last = read_cursor(cursor)
        column = dead_letters.c
        conditions.append(or_(column.created_at < at, and_(column.created_at == at, column.id < last)))
    query = (
        _LETTERS.where(*conditions).order_by(dead_letters.c.created_at.desc(), dead_letters.c.id.desc()).limit(limit)
    )
    return [DeadLetterRow.from_row(row) for row in conn.execute(query)]


def count(conn: Connection, chosen: DeadFilter) -> int:
    """How many open letters a filter chooses; COUNTED + 1 where there are more than COUNTED."""
    letters = dead_letters.join(jobs, jobs.c.id == dead_letters.c.job_id) if chosen.text else dead_letters
    mine = (dead_letters.c.state == LetterState.OPEN, *chosen.conditions())
    counted = select(dead_letters.c.id).select_from(letters).where(*mine).limit(COUNTED + 1).subquery()
    return int(conn.execute(select(func.count()).select_from(counted)).scalar_one())


def take(conn: Connection, job_id: str, *, state: LetterState, by: str, replay_job_id: str | None = None) -> bool:
    """Marks an open letter; False where somebody else has: that is what makes a replay happen once."""
    statement = (
        update(dead_letters)
        .where(dead_letters.c.job_id == job_id, dead_letters.c.state == LetterState.OPEN)
        .values(state=state, resolved_by=by, resolved_at=db_now(), replay_job_id=replay_job_id)
    )
    return conn.execute(statement).rowcount == 1


def of_job(conn: Connection, job_id: str) -> DeadLetterRow | None:
    """The letter that a job became; None for one that is none."""
    row = conn.execute(_LETTERS.where(dead_letters.c.job_id == job_id)).first()
    return DeadLetterRow.from_row(row) if row else None


def open_by_cause(conn: Connection) -> dict[str, int]:
    """How many dead letters nobody has mended, by cause."""
    query = select(dead_letters.c.cause, func.count().label("number")).where(dead_letters.c.state == "open")
    return {row.cause: row.number for row in conn.execute(query.group_by(dead_letters.c.cause))}


def piles(conn: Connection) -> list[tuple[DeadLetterRow, int]]:
    """Of each cause the newest open letter, and how many there are; the largest pile first."""
    cause = dead_letters.c.cause
    newest = (dead_letters.c.created_at.desc(), dead_letters.c.id.desc())
    ranked = (
        select(
            dead_letters.c.id,
            func.row_number().over(partition_by=cause, order_by=newest).label("place"),
            func.count().over(partition_by=cause).label("number"),
        )
        .where(dead_letters.c.state == "open")
        .subquery()
    )
    first = _LETTERS.add_columns(ranked.c.number).join(
        ranked, and_(ranked.c.id == dead_letters.c.id, ranked.c.place == 1)
    )
    rows = conn.execute(first.order_by(ranked.c.number.desc(), cause)).all()
    return [(DeadLetterRow.from_row(row[:-1]), row.number) for row in rows]


def first_of_window(conn: Connection, key: str) -> bool:
    """Takes a window's one ops mail; False where it was taken."""
    statement = insert_once(conn, escalations).values(key=key).on_conflict_do_nothing().returning(escalations.c.key)
    return conn.execute(statement).first() is not None
