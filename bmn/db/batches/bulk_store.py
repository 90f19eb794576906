"""Bulk actions: what was chosen, row by row, how far each is, and what became of every job.

A job's outcome is written in the transaction that acts on it, so that nothing is done twice, whoever dies meanwhile.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection, and_, bindparam, case, func, insert, literal, select, update
from sqlalchemy.sql import ColumnElement

from bmn.db.lists.paging import read_cursor
from bmn.db.prepared import Prepared
from bmn.db.tables import bulk_actions, bulk_items, db_now, jobs
from bmn.db.upsert import insert_once
from bmn.schemas.payloads import JobState

Action = Literal["retry", "cancel", "replay", "purge"]
State = Literal["running", "paused", "done", "stopped", "aborted"]
ItemState = Literal["waiting", "done", "refused"]

MOST = 100_000
"""Jobs that one action takes at most."""

_CHECK_SECONDS = 1.0  # between two counts of what failed again
_BEFORE_STOP = 20  # outcomes that say something about a share
_RATE_BEHIND = 1.0  # seconds that a rate may catch up
IS_OPEN = bulk_actions.c.ended_at.is_(None)
# Asked each second, so built once.
_RUNNING = Prepared(
    select(bulk_actions.c.id, bulk_actions.c.due_at - db_now())
    .where(IS_OPEN, bulk_actions.c.state == "running")
    .order_by(bulk_actions.c.created_at)
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A job that was chosen. credits: reserved and not charged. units: paid steps that are missing. user_id: whose it is.

    fits: its state is one that the action takes; one that was named and does not fit will be refused with its reason.
    """

    job_id: str
    queue: str
    credits: int
    units: int
    user_id: str | None = None
    fits: bool = True


@dataclass(frozen=True, slots=True)
class NewBulk:
    """An action about to begin. owner_id: whose jobs alone. rate: jobs a second. stop_at: share of failures."""

    id: str
    action: Action
    selection_key: str
    selection: dict[str, Any]
    owner_id: str | None
    asked_by: str
    key_id: str | None = None
    address: str | None = None
    on_behalf_of: str | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None
    rate: float | None = None
    stop_at: float | None = None
    usd_estimated: float = 0.0


@dataclass(frozen=True, slots=True)
class Bulk:
    """An action as it stands. credits: reserved by retries, given back by cancels. failed_again: of the jobs brought back.

    due_in: seconds until its rate lets the next job through. unchecked: seconds since failures were counted.
    """

    id: str
    action: Action
    state: State
    selection: dict[str, Any]
    owner_id: str | None
    changes: dict[str, Any]
    asked_by: str
    key_id: str | None
    address: str | None
    on_behalf_of: str | None
    reason: str | None
    rate: float | None
    stop_at: float | None
    total: int
    done: int
    refused: int
    failed_again: int
    credits_estimated: int
    usd_estimated: float
    credits: int
    message: str | None
    created_at: float
    ended_at: float | None
    due_in: float
    unchecked: float


@dataclass(frozen=True, slots=True)
class BulkItemRow:
    """One job of an action. detail: what became of it, in words, or why it was refused. new_job_id: what brought it back."""

    number: int
    job_id: str
    state: ItemState
    new_job_id: str | None = None
    credits: int = 0
    detail: str | None = None
    at: float | None = None


_COLUMNS = (
    *(
        bulk_actions.c[name]
        for name in (
            *("id", "action", "state", "selection", "owner_id", "changes", "asked_by", "key_id", "address"),
            *(
                "on_behalf_of",
                "reason",
                "rate",
                "stop_at",
                "total",
                "done",
                "refused",
                "failed_again",
                "credits_estimated",
                "usd_estimated",
            ),
            *("credits", "message", "created_at", "ended_at"),
        )
    ),
    (bulk_actions.c.due_at - db_now()).label("due_in"),
    (db_now() - bulk_actions.c.checked_at).label("unchecked"),
)
_ITEM = tuple(bulk_items.c[name] for name in ("number", "job_id", "state", "new_job_id", "credits", "detail", "at"))


# --- beginning and looking -------------------------------------------------------------------------------------------------


def start(conn: Connection, new: NewBulk, chosen: Sequence[Candidate]) -> bool:
    """Stores an action with what it was chosen for; False where the same is open already."""
    row = {name: getattr(new, name) for name in NewBulk.__slots__}
    row |= {
        "state": "running",
        "total": len(chosen),
        "credits_estimated": 0 if new.action == "purge" else sum(each.credits for each in chosen if each.fits),
    }
    stored = insert_once(conn, bulk_actions).values(row).on_conflict_do_nothing().returning(bulk_actions.c.id)
    if conn.execute(stored).first() is None:
        return False
    items = [{"bulk_id": new.id, "number": number, "job_id": each.job_id} for number, each in enumerate(chosen, 1)]
    conn.execute(insert(bulk_items), items)
    return True


def find_open(conn: Connection, selection_key: str) -> Bulk | None:
    """The open action on this selection."""
    return _one(conn, IS_OPEN, bulk_actions.c.selection_key == selection_key)


def count_open(conn: Connection, asked_by: str) -> int:
    """How many open actions somebody has."""
    query = select(func.count()).select_from(bulk_actions).where(IS_OPEN, bulk_actions.c.asked_by == asked_by)
    return int(conn.execute(query).scalar_one())


def get(conn: Connection, bulk_id: str, owner_id: str | None = None) -> Bulk | None:
    """One action; with an owner only if it is about their jobs alone."""
    return _one(conn, bulk_actions.c.id == bulk_id, *_of(owner_id))


def listed(conn: Connection, owner_id: str | None, *, limit: int, cursor: str | None = None) -> list[Bulk]:
    """The newest actions, newest first. owner_id: None for everybody's."""
    query = select(*_COLUMNS).where(*_of(owner_id))
    if cursor:
        at, last = read_cursor(cursor)
        column = bulk_actions.c
        query = query.where((column.created_at < at) | and_(column.created_at == at, column.id < last))
    query = query.order_by(bulk_actions.c.created_at.desc(), bulk_actions.c.id.desc()).limit(limit)
    return [Bulk(*row) for row in conn.execute(query)]


def items(conn: Connection, bulk_id: str, *, state: ItemState | None, after: int, limit: int) -> list[BulkItemRow]:
    """Jobs of an action in their order. after: the number of the last one that is known."""
    query = select(*_ITEM).where(bulk_items.c.bulk_id == bulk_id, bulk_items.c.number > after)
    if state is not None:
        query = query.where(bulk_items.c.state == state)
    return [BulkItemRow(*row) for row in conn.execute(query.order_by(bulk_items.c.number).limit(limit))]


def _one(conn: Connection, *conditions: ColumnElement[bool], lock: bool = False) -> Bulk | None:
    query = select(*_COLUMNS).where(*conditions)
    row = conn.execute(query.with_for_update() if lock else query).first()
    return Bulk(*row) if row else None


def _of(owner_id: str | None) -> list[ColumnElement[bool]]:
    return [] if owner_id is None else [bulk_actions.c.owner_id == owner_id]


# --- carrying out ----------------------------------------------------------------------------------------------------------


def running(conn: Connection) -> list[tuple[str, float]]:
    """The actions that go on, and in how many seconds each is due."""
    return [(row[0], float(row[1])) for row in _RUNNING.all(conn, {})]


def hold(conn: Connection, bulk_id: str) -> Bulk | None:
    """An action that runs, for this transaction alone. None: it was paused or has ended."""
    return _one(conn, bulk_actions.c.id == bulk_id, bulk_actions.c.state == "running", lock=True)


def allowed(bulk: Bulk, at_once: int) -> int:
    """How many jobs an action may act on now, `at_once` at most: those that its rate has let through by this moment."""
    if not bulk.rate:
        return at_once
    return min(at_once, 1 + int(min(max(-bulk.due_in, 0.0), _RATE_BEHIND) * bulk.rate)) if bulk.due_in <= 0 else 0


def next_items(conn: Connection, bulk_id: str, limit: int) -> list[BulkItemRow]:
    """The jobs whose turn it is."""
    return items(conn, bulk_id, state="waiting", after=0, limit=limit)


def note_outcomes(conn: Connection, bulk: Bulk, outcomes: Sequence[BulkItemRow]) -> None:
    """Writes down what became of jobs, how far the action is by that, and when its rate lets the next one through."""
    rows = [
        {
            "of_bulk": bulk.id,
            "of_number": each.number,
            "state": each.state,
            "new_job_id": each.new_job_id,
            "credits": each.credits,
            "detail": each.detail,
        }
        for each in outcomes
    ]
    conn.execute(_OUTCOME, rows)
    columns = bulk_actions.c
    refused = sum(each.state == "refused" for each in outcomes)
    changes: dict[str, Any] = {
        "done": columns.done + (len(outcomes) - refused),
        "refused": columns.refused + refused,
        "credits": columns.credits + sum(each.credits for each in outcomes),
    }
    if bulk.rate:
        late = case((columns.due_at < db_now() - _RATE_BEHIND, db_now() - _RATE_BEHIND), else_=columns.due_at)
        changes["due_at"] = late + literal(len(outcomes) / bulk.rate)
    conn.execute(update(bulk_actions).where(columns.id == bulk.id).values(changes))


_OUTCOME = (
    update(bulk_items)
    .where(bulk_items.c.bulk_id == bindparam("of_bulk"), bulk_items.c.number == bindparam("of_number"))
    .values(at=db_now())
)


def failures_stop(conn: Connection, bulk: Bulk) -> str | None:
    """Why an action has to stop, where the share of failures that it may have is reached.

    A failure is a job that was refused, or brought back and failed again; counted once a second.
    """
    if bulk.stop_at is None or bulk.unchecked < _CHECK_SECONDS or (acted := bulk.done + bulk.refused) < _BEFORE_STOP:
        return None
    query = (
        select(func.count())
        .select_from(bulk_items.join(jobs, jobs.c.id == bulk_items.c.new_job_id))
        .where(bulk_items.c.bulk_id == bulk.id, bulk_items.c.state == "done", jobs.c.state == JobState.FAILED)
    )
    again = int(conn.execute(query).scalar_one())
    noted = update(bulk_actions).where(bulk_actions.c.id == bulk.id)
    conn.execute(noted.values(failed_again=again, checked_at=db_now()))
    if (bulk.refused + again) / acted < bulk.stop_at:
        return None
    return f"Of {acted} jobs {bulk.refused} were refused and {again} failed again."


def change_state(
    conn: Connection, bulk_id: str, state: State, *, among: Iterable[State], message: str | None = None
) -> bool:
    """Sets the state of an action that is in one of these; False where it is not."""
    values: dict[str, Any] = {"state": state, "message": message}
    if state in ("done", "stopped", "aborted"):
        values["ended_at"] = db_now()
    if state == "running":
        due = bulk_actions.c.due_at  # a pause makes up for no rate: what is due later stays so
        values["due_at"] = case((due > db_now(), due), else_=db_now())
    statement = update(bulk_actions).where(bulk_actions.c.id == bulk_id, bulk_actions.c.state.in_(tuple(among)))
    return conn.execute(statement.values(values)).rowcount == 1
