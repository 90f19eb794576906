"""Kits: a whole brand as one group of jobs, step by step; which step each is at, and what it waits for.

    running ──> picking (a person has to pick) ──> running ──> done
       │  ▲
       ▼  │ a job of it is retried, or credits are there
      held                                    any of these ──> cancelled

`bmn.work.kits` says what a step orders. A step is begun once: `begin_step` is false for everybody but the first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, and_, func, insert, select, update
from sqlalchemy.sql import ColumnElement

from bmn.db.lists.paging import read_cursor
from bmn.db.records import JobRow
from bmn.db.tables import db_now, generation_credits, jobs, kit_steps, kits
from bmn.db.upsert import insert_once
from bmn.errors import Conflict, NotFound
from bmn.schemas.kit_requests import Step

State = Literal["running", "picking", "held", "done", "cancelled"]

SHORT_OF_CREDITS = "insufficient_credits"
"""The cause of a kit that is held until its next step can be paid."""

OVER_BUDGET = "budget_reached"
"""The cause of a kit that is held until its user's budget of a day takes its next step."""

_TRY_AGAIN = 60.0  # seconds between two looks whether it does

_OPEN = kits.c.ended_at.is_(None)
_RUNNING = (_OPEN, kits.c.state == "running")
_OVER_BUDGET = (_OPEN, kits.c.state == "held", kits.c.cause == OVER_BUDGET)


@dataclass(frozen=True, slots=True)
class NewKit:
    """A kit about to begin. id: the group of its jobs. usd_estimated: what providers would charge for all of it."""

    id: str
    user_id: str
    brand_id: str
    step: Step
    plan: dict[str, Any]
    message: str
    credits_estimated: int
    usd_estimated: float
    idempotency_key: str | None = None
    request_hash: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class KitRow:
    """A kit as it stands. step: the one it is at. logo_id: the picture that was picked. cause: why it is held.

    credits_left: of the estimate, what no step has reserved yet. credits_short: what its next step needs, where that was
    not there.
    """

    id: str
    user_id: str
    brand_id: str
    state: State
    step: Step
    plan: dict[str, Any]
    logo_id: str | None
    message: str
    cause: str | None
    credits_estimated: int
    usd_estimated: float
    credits_left: int
    credits_short: int
    request_id: str | None
    created_at: float
    ended_at: float | None


_COLUMNS = tuple(kits.c[name] for name in KitRow.__slots__)


def add(conn: Connection, new: NewKit) -> None:
    """Stores a kit. Raises IntegrityError where its idempotency key was stored meanwhile."""
    row = {name: getattr(new, name) for name in NewKit.__slots__}
    conn.execute(insert(kits).values(**row, state="running", credits_left=new.credits_estimated))


def repeated(conn: Connection, user_id: str, key: str, request_hash: str) -> KitRow | None:
    """The kit that this key has begun. Raises Conflict where it stood for another body."""
    row = conn.execute(
        select(*_COLUMNS, kits.c.request_hash).where(kits.c.user_id == user_id, kits.c.idempotency_key == key)
    ).first()
    if row is None:
        return None
    if row.request_hash != request_hash:
        raise Conflict(
            "This Idempotency-Key was used with another request.", hint="Send a fresh key, or repeat the same request."
        )
    return KitRow(*row[:-1])


def get(conn: Connection, kit_id: str, user_id: str | None = None, *, lock: bool = False) -> KitRow:
    """One kit; with a user id only if it is theirs. Raises NotFound, the same for absent and foreign.

    lock: nobody else changes it before this transaction ends.
    """
    query = select(*_COLUMNS).where(kits.c.id == kit_id)
    if user_id is not None:
        query = query.where(kits.c.user_id == user_id)
    row = conn.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise NotFound("Kit not found")
    return KitRow(*row)


def listed(
    conn: Connection,
    user_id: str | None,
    *,
    brand_id: str | None = None,
    state: State | None = None,
    limit: int,
    cursor: str | None = None,
) -> list[KitRow]:
    """A user's newest kits, newest first. user_id: None for everybody's."""
    chosen = {kits.c.user_id: user_id, kits.c.brand_id: brand_id, kits.c.state: state}
    query = select(*_COLUMNS).where(*(column == value for column, value in chosen.items() if value is not None))
    if cursor:
        at, last = read_cursor(cursor)
        query = query.where((kits.c.created_at < at) | and_(kits.c.created_at == at, kits.c.id < last))
    query = query.order_by(kits.c.created_at.desc(), kits.c.id.desc()).limit(limit)
    return [KitRow(*row) for row in conn.execute(query)]


def jobs_of(conn: Connection, kit_ids: Iterable[str]) -> dict[str, list[JobRow]]:
    """The jobs of kits, oldest first, without those that a retry has taken the place of."""
    wanted = list(kit_ids)
    query = select(jobs).where(jobs.c.group_id.in_(wanted)).order_by(jobs.c.created_at, jobs.c.id)
    rows = [JobRow.from_row(row) for row in conn.execute(query)]
    replaced = {row.parent_id for row in rows}
    found: dict[str, list[JobRow]] = {kit_id: [] for kit_id in wanted}
    for row in rows:
        if row.id not in replaced:
            found[str(row.group_id)].append(row)
    return found


def money_of(conn: Connection, kit_ids: Iterable[str]) -> dict[str, tuple[int, int, int, float]]:
    """What all jobs of kits have reserved, charged and refunded, in credits, and cost their providers, in USD."""
    table = jobs.c
    sums = (table.credits_reserved, table.credits_charged, table.credits_refunded, table.cost_usd)
    query = select(table.group_id, *(func.sum(column) for column in sums)).where(table.group_id.in_(list(kit_ids)))
    return {row[0]: (int(row[1]), int(row[2]), int(row[3]), float(row[4])) for row in conn.execute(_by_group(query))}


def _by_group(query: Any) -> Any:
    return query.group_by(jobs.c.group_id)


def promised(conn: Connection, user_id: str, but: str | None = None) -> int:
    """The credits that a user's open kits are still going to reserve. but: a kit that is not counted."""
    conditions = [kits.c.user_id == user_id, _OPEN]
    if but is not None:
        conditions.append(kits.c.id != but)
    return int(conn.execute(select(func.coalesce(func.sum(kits.c.credits_left), 0)).where(*conditions)).scalar_one())


# --- carrying on -----------------------------------------------------------------------------------------------------------


def due(conn: Connection, limit: int) -> list[str]:
    """The kits that go on: those of which no job is open. A kit that waits for somebody is not among them."""
    is_open = select(jobs.c.id).where(jobs.c.group_id == kits.c.id, jobs.c.completed_at.is_(None)).correlate(kits)
    query = select(kits.c.id).where(*_RUNNING, ~is_open.exists()).order_by(kits.c.created_at).limit(limit)
    return list(conn.execute(query).scalars())


def hold_row(conn: Connection, kit_id: str) -> KitRow | None:
    """A kit that runs, for this transaction alone. None: it waits for somebody, or has ended."""
    row = conn.execute(select(*_COLUMNS).where(kits.c.id == kit_id, *_RUNNING).with_for_update()).first()
    return KitRow(*row) if row else None


def over_budget(conn: Connection, limit: int) -> list[str]:
    """The kits that are held for a budget, but for those that were tried a moment ago."""
    query = select(kits.c.id).where(*_OVER_BUDGET, kits.c.changed_at < db_now() - _TRY_AGAIN)
    return list(conn.execute(query.order_by(kits.c.changed_at).limit(limit)).scalars())


def hold_over_budget(conn: Connection, kit_id: str) -> KitRow | None:
    """A kit that is held for a budget, for this transaction alone. None: it is not, any more."""
    row = conn.execute(select(*_COLUMNS).where(kits.c.id == kit_id, *_OVER_BUDGET).with_for_update()).first()
    return KitRow(*row) if row else None


def begin_step(conn: Connection, kit_id: str, step: Step, credits: int) -> bool:
    """Notes that a step is ordered in this transaction, for so many credits; False where it was before."""
    row = {"kit_id": kit_id, "step": step}
    begun = insert_once(conn, kit_steps).values(row).on_conflict_do_nothing().returning(kit_steps.c.step)
    if conn.execute(begun).first() is None:
        return False
    left = update(kits).where(kits.c.id == kit_id).values(credits_left=kits.c.credits_left - credits)
    conn.execute(left)
    return True


def change(
    conn: Connection,
    kit_id: str,
    *,
    state: State,
    step: Step | None = None,
    message: str,
    cause: str | None = None,
    credits_short: int = 0,
    logo_id: str | None = None,
) -> KitRow:
    """Where a kit stands from now on; its step and picture stay where none is given."""
    values: dict[str, Any] = {"state": state, "message": message, "cause": cause, "credits_short": credits_short}
    values |= {name: value for name, value in (("step", step), ("logo_id", logo_id)) if value is not None}
    if state in ("done", "cancelled"):
        values |= {"ended_at": db_now(), "credits_left": 0}
    return _changed(conn, values, kits.c.id == kit_id)[0]


def note_pick(conn: Connection, brand_id: str, asset_id: str) -> list[KitRow]:
    """A logo of a brand was picked: the kits that wait for that go on with it."""
    waits = (kits.c.brand_id == brand_id, _OPEN, kits.c.state == "picking")
    return _changed(conn, {"state": "running", "logo_id": asset_id, "message": "The logo is picked."}, *waits)


def go_on(conn: Connection, kit_id: str) -> list[KitRow]:
    """A job of a kit is made again: if the kit was held, it goes on when that has ended."""
    held = (kits.c.id == kit_id, _OPEN, kits.c.state == "held")
    return _changed(conn, _AGAIN, *held)


def end_cancelled(conn: Connection, kit_id: str) -> KitRow | None:
    """Its whole group is cancelled: nothing more is ordered. None where it has ended, or the group is no kit."""
    words = "Cancelled: nothing more is ordered; what was made stays."
    ended = _changed(
        conn,
        {"state": "cancelled", "cause": None, "message": words, "ended_at": db_now(), "credits_left": 0},
        *(kits.c.id == kit_id, _OPEN),
    )
    return ended[0] if ended else None


def go_on_paid(conn: Connection) -> list[KitRow]:
    """The kits that were held for credits which are there by now go on."""
    enough = select(generation_credits.c.user_id).where(
        generation_credits.c.user_id == kits.c.user_id, generation_credits.c.credits_remaining >= kits.c.credits_short
    )
    held = (_OPEN, kits.c.state == "held", kits.c.cause == SHORT_OF_CREDITS)
    return _changed(conn, _AGAIN, *held, enough.correlate(kits).exists())


_AGAIN: dict[str, Any] = {"state": "running", "cause": None, "credits_short": 0, "message": "Goes on."}


def _changed(conn: Connection, values: Mapping[str, object], *conditions: ColumnElement[bool]) -> list[KitRow]:
    statement = update(kits).where(*conditions).values(**values, changed_at=db_now()).returning(*_COLUMNS)
    rows: Sequence[Any] = conn.execute(statement).all()
    return [KitRow(*row) for row in rows]
