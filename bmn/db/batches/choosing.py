"""Which jobs or dead letters a bulk action is for, and what a sample of them says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, func, literal, select
from sqlalchemy.sql import ColumnElement

from bmn.db.batches.bulk_store import IS_OPEN, MOST, Action, Candidate
from bmn.db.dead_letters import DeadFilter
from bmn.db.lists.listing import JobFilter
from bmn.db.records import LetterState
from bmn.db.tables import bulk_actions, bulk_items, dead_letters, jobs
from bmn.schemas.payloads import REPLAYABLE_STATES, TERMINAL_STATES, JobState

_SAMPLE = 1_000
_BY_DEFAULT: dict[Action, tuple[JobState, ...]] = {
    "retry": (JobState.FAILED, JobState.PARTIAL),
    "cancel": (JobState.QUEUED, JobState.ACTIVE, JobState.RETRYING),
}
_TAKES: dict[Action, frozenset[JobState]] = {
    "retry": REPLAYABLE_STATES,
    "cancel": frozenset(JobState) - TERMINAL_STATES,
}


def choose_jobs(conn: Connection, action: Action, chosen: JobFilter, ids: Sequence[str] = ()) -> list[Candidate]:
    """The jobs that an action is for, oldest first, MOST + 1 at most. ids: only these, whatever their state.

    Without a state in the filter, those whose state the action is for; with some, those of them that it takes. Left out
    is what was brought back already, and what an open action of the same kind has.
    """
    conditions = [*chosen.conditions(), *chosen.unindexed(), *_not_taken(action)]
    conditions.append(jobs.c.id.in_(ids) if ids else _of_state(action, chosen))
    query = select(*_CANDIDATE, jobs.c.state).where(*conditions).order_by(jobs.c.created_at, jobs.c.id).limit(MOST + 1)
    return [_candidate(*row, fits=state in _TAKES[action]) for *row, state in conn.execute(query)]


@dataclass(frozen=True, slots=True)
class Sample:
    """Some of the jobs that an action is for. looked_at: among so many these are; of: so many fit the filter."""

    candidates: list[Candidate]
    looked_at: int
    of: int


def sample_jobs(conn: Connection, action: Action, chosen: JobFilter) -> Sample | None:
    """What `choose_jobs` would choose, by any thousand that fit the filter, so that it costs the same whatever there is.

    None where there are no more than that, or a sample says nothing: words may be in one of a million.
    """
    if chosen.unindexed():
        return None
    plain = [*chosen.conditions(), _of_state(action, chosen)]
    counted = select(literal(1)).select_from(jobs).where(*plain).limit(MOST + 1).subquery()  # no column: by index alone
    total = int(conn.execute(select(func.count()).select_from(counted)).scalar_one())
    some = select(jobs.c.id).where(*plain).limit(_SAMPLE).subquery()
    query = select(*_CANDIDATE).where(jobs.c.id.in_(select(some.c.id)), *_not_taken(action))
    return _sample(conn, query, total)


def sample_letters(conn: Connection, action: Action, chosen: DeadFilter) -> Sample | None:
    """The same of dead letters."""
    if chosen.text:
        return None
    plain = (dead_letters.c.state == LetterState.OPEN, *chosen.conditions())
    counted = select(literal(1)).select_from(dead_letters).where(*plain).limit(MOST + 1).subquery()
    total = int(conn.execute(select(func.count()).select_from(counted)).scalar_one())
    some = select(dead_letters.c.job_id).where(*plain).limit(_SAMPLE).subquery()
    return _sample(
        conn, select(*_CANDIDATE).where(jobs.c.id.in_(select(some.c.job_id)), ~_in_open_action(action)), total
    )


def _sample(conn: Connection, query: Select[Any], total: int) -> Sample | None:
    if total <= _SAMPLE:
        return None
    found = [_candidate(*row) for row in conn.execute(query)]
    return Sample(found, _SAMPLE, total) if found else None


def _of_state(action: Action, chosen: JobFilter) -> ColumnElement[bool]:
    return jobs.c.state.in_(_TAKES[action] if chosen.states else _BY_DEFAULT[action])


def _not_taken(action: Action) -> list[ColumnElement[bool]]:
    """Neither in an open action of the same kind, nor brought back already."""
    found = [~_in_open_action(action)]
    if action == "retry":
        child = jobs.alias()
        found.append(~select(child.c.id).where(child.c.parent_id == jobs.c.id).exists())
    return found


def choose_letters(conn: Connection, action: Action, chosen: DeadFilter) -> list[Candidate]:
    """The same of dead letters: those that are open."""
    query = (
        select(*_CANDIDATE)
        .join(dead_letters, dead_letters.c.job_id == jobs.c.id)
        .where(dead_letters.c.state == LetterState.OPEN, *chosen.conditions(), ~_in_open_action(action))
        .order_by(dead_letters.c.created_at, dead_letters.c.id)
        .limit(MOST + 1)
    )
    return [_candidate(*row) for row in conn.execute(query)]


_CANDIDATE = (
    *(jobs.c.id, jobs.c.queue, jobs.c.credits_reserved - jobs.c.credits_charged),
    *(jobs.c.unit_credits, jobs.c.user_id),
)


def _candidate(
    job_id: str, queue: str, credits: int, price: int | None, user_id: str | None, *, fits: bool = True
) -> Candidate:
    return Candidate(job_id, queue, credits, credits // price if price else 0, user_id, fits)


def _in_open_action(action: Action) -> ColumnElement[bool]:
    mine = and_(bulk_items.c.bulk_id == bulk_actions.c.id, bulk_items.c.job_id == jobs.c.id)
    query = select(bulk_items.c.number).where(mine, IS_OPEN, bulk_actions.c.action == action)
    return query.correlate(jobs).exists()
