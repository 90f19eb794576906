"""Finding jobs: the lists that people and scripts read. None costs more as the table grows."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, String, and_, cast, func, literal, or_, select
from sqlalchemy.sql import ColumnElement

from bmn.db.lists.matching import begins_with, contains
from bmn.db.lists.paging import COUNTED, read_cursor, write_cursor
from bmn.db.records import JobRow
from bmn.db.tables import jobs
from bmn.schemas.webhook_payloads import DELIVERY_QUEUE

_LOOKED_AT = 5_000  # jobs that one question reads


@dataclass(frozen=True, slots=True)
class JobFilter:
    """What `jobs list` and the bulk commands select by. since, until: seconds since 1970. text: anywhere in the job.

    collectors: also the jobs that collect what a cancelled one had ordered, and those that deliver webhooks; to their users
    they are no jobs of their own.
    min_cost: USD that their providers were paid at least.
    """

    user_id: str | None = None
    queue: str | None = None
    queues: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    cause: str | None = None
    brand_id: str | None = None
    parent_id: str | None = None
    group_id: str | None = None
    id_prefixes: tuple[str, ...] = ()
    text: str | None = None
    since: float | None = None
    until: float | None = None
    collectors: bool = False
    min_cost: float | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filter in SQL, but for what `unindexed` has."""
        plain = {
            jobs.c.user_id: self.user_id,
            jobs.c.queue: self.queue,
            jobs.c.cause: self.cause,
            jobs.c.brand_id: self.brand_id,
            jobs.c.parent_id: self.parent_id,
            jobs.c.group_id: self.group_id,
        }
        found: list[ColumnElement[bool]] = [column == value for column, value in plain.items() if value is not None]
        if self.queues:
            found.append(jobs.c.queue.in_(self.queues))
        if self.states:
            found.append(jobs.c.state.in_(self.states))
        if self.since is not None:
            found.append(jobs.c.created_at >= self.since)
        if self.until is not None:
            found.append(jobs.c.created_at < self.until)
        if not self.collectors:
            found.append(jobs.c.collects_id.is_(None))
            if DELIVERY_QUEUE not in (self.queue, *self.queues):
                found.append(jobs.c.queue != DELIVERY_QUEUE)
        if self.id_prefixes:
            found.append(or_(*(begins_with(jobs.c.id, prefix) for prefix in self.id_prefixes)))
        return found

    def unindexed(self) -> list[ColumnElement[bool]]:
        """The conditions that no index answers: whoever asks them bounds how many rows are looked at."""
        found: list[ColumnElement[bool]] = []
        if self.min_cost is not None:
            found.append(jobs.c.cost_usd >= self.min_cost)
        if self.text:
            columns = (jobs.c.id, jobs.c.error, jobs.c.message, cast(jobs.c.payload, String))
            found.append(or_(*(contains(column, self.text) for column in columns)))
        return found


@dataclass(frozen=True, slots=True)
class Listed:
    """Jobs of a list. cursor: where the next page begins; None on the last.

    total: of all pages, counted up to COUNTED. is_exact: False where there are more. searched_to: with words or a least
    cost, the time that the search has come to, in seconds since 1970, where it did not come to the end; the cursor goes on
    from there.
    """

    jobs: list[JobRow]
    cursor: str | None
    total: int
    is_exact: bool
    searched_to: float | None = None


def list_jobs(conn: Connection, chosen: JobFilter, *, limit: int = 20, cursor: str | None = None) -> Listed:
    """Newest first. cursor: where the page before ended; None in the answer: this was the last page.

    Words, and what a job cost, are looked for in the newest 5,000 that fit the rest; the next page looks further.
    """
    conditions = chosen.conditions()
    last = (_older_than(cursor),) if cursor else ()
    unindexed = chosen.unindexed()
    end = end_of_search(conn, (*conditions, *last)) if unindexed else None
    conditions += unindexed
    if end:
        conditions.append(not_older_than(*end))
    # No column: an index that knows the conditions counts without a look at the rows.
    counted = select(literal(1)).select_from(jobs).where(*conditions).limit(COUNTED + 1).subquery()
    total = conn.execute(select(func.count()).select_from(counted)).scalar_one()
    query = select(jobs).where(*conditions, *last).order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(limit + 1)
    found = [JobRow.from_row(row) for row in conn.execute(query)] if total else []
    total_is_exact = total <= COUNTED and end is None
    if len(found) > limit:
        rest = write_cursor(found[limit - 1].created_at, found[limit - 1].id)
        return Listed(found[:limit], rest, min(total, COUNTED), total_is_exact)
    if end is None:
        return Listed(found, None, min(total, COUNTED), total_is_exact)
    return Listed(found, write_cursor(*end), min(total, COUNTED), total_is_exact, searched_to=end[0])


def _older_than(cursor: str) -> ColumnElement[bool]:
    at, job_id = read_cursor(cursor)
    return and_(jobs.c.created_at <= at, or_(jobs.c.created_at < at, jobs.c.id < job_id))


def not_older_than(at: float, job_id: str) -> ColumnElement[bool]:
    """Jobs that stand before this one in a list, and itself."""
    return and_(jobs.c.created_at >= at, or_(jobs.c.created_at > at, jobs.c.id >= job_id))


def end_of_search(conn: Connection, conditions: Iterable[ColumnElement[bool]]) -> tuple[float, str] | None:
    """When the last job that is looked at was created, and its id; None where no more are left after it."""
    newest = select(jobs.c.created_at, jobs.c.id).where(*conditions)
    newest = newest.order_by(jobs.c.created_at.desc(), jobs.c.id.desc())
    found = conn.execute(newest.offset(_LOOKED_AT - 1).limit(2)).all()
    return (found[0].created_at, found[0].id) if len(found) == 2 else None
