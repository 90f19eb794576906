"""The ledger of paid steps: what a job has asked a provider for, and how far each answer got.

    planned ──> submitting ──> submitted ──> ready ──> saved
                    │
                    └─ no answer recorded: ambiguous, asked again once at most

A turn of a conversation ends as `answered`. What is worth its price before it is finished is `shown`. Between `ready` and
`saved` the object is written; `stored` is what the attempt at work calls that, and no row ever says it.

Committed before and after each call, so that a re-run starts where the last one stopped and pays only for what is missing.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import cache
from typing import Any

from sqlalchemy import Connection, Double, Integer, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bmn.db import event_store, job_store
from bmn.db.accounts import credit_store
from bmn.db.hooks import webhook_store
from bmn.db.library import asset_store
from bmn.db.prepared import Prepared
from bmn.db.records import JobRow, NewAsset, NewJob, UnitRow, UnitState
from bmn.db.tables import db_now, is_running, job_units, jobs
from bmn.db.transitions import Change, asset_row, highest, progress_event
from bmn.schemas.events import Progress
from bmn.schemas.payloads import JobState

# Built once, as building one costs more than running it.
# It locks the job's row: what is written after it must not fall between the reading and the end of who takes the job away.
_HOLDS = Prepared(
    select(jobs.c.id)
    .where(jobs.c.id == bindparam("of_job"), jobs.c.fence == bindparam("held"), is_running)
    .with_for_update(key_share=True)
)
_RENEW = Prepared(
    update(jobs)
    .where(jobs.c.id == bindparam("of_job"), jobs.c.fence == bindparam("held"), is_running)
    .values(lease_until=db_now() + bindparam("lease", type_=Double))
)
_SAVE = Prepared(
    update(jobs)
    .where(jobs.c.id == bindparam("of_job"), jobs.c.fence == bindparam("held"), is_running)
    .values(
        last_seq=jobs.c.last_seq + 1,
        progress=highest(jobs.c.progress, bindparam("percent", type_=Integer)),
        credits_charged=jobs.c.credits_charged + bindparam("price", type_=Integer),
    )
    .returning(*(jobs.c[name] for name in (
        "id", "queue", "brand_id", "user_id", "collects_id", "group_id", "state", "fence", "attempt", "last_seq",
        "progress", "webhooks",
    )))
)  # fmt: skip


@cache
def _upsert(dialect: str, columns: tuple[str, ...]) -> Prepared:
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(job_units).values(updated_at=db_now())
    changed: dict[str, Any] = {name: statement.excluded[name] for name in columns}
    changed["updated_at"] = db_now()
    return Prepared(statement.on_conflict_do_update(index_elements=["job_id", "unit"], set_=changed))


def holds(conn: Connection, held: JobRow) -> bool:
    """Whether this executor still has the job; until the transaction ends nobody can take it away."""
    return _HOLDS.first(conn, {"of_job": held.id, "held": held.fence}) is not None


def put(conn: Connection, held: JobRow, unit: str, values: Mapping[str, object], *, lease: float | None = None) -> bool:
    """Writes a unit's row, under the fence. False: another executor has the job by now. lease: renewed along with it."""
    if lease is None:
        if not holds(conn, held):
            return False
    elif _RENEW.run(conn, {"of_job": held.id, "held": held.fence, "lease": lease}) == 0:
        return False
    _upsert(conn.dialect.name, tuple(values)).run(conn, {"job_id": held.id, "unit": unit, **values})
    return True


def save(
    conn: Connection,
    held: JobRow,
    unit: str,
    *,
    asset: NewAsset | None,
    price: int,
    usd: float,
    shown: Progress,
    follow_up: NewJob | None = None,
) -> Change | None:
    """The last step of a unit: its asset's row, its credits, the event, and the job that makes its thumbnail.

    shown: the `job:progress` that goes with it.
    """
    bar = {"percent": round(shown.percent), "stage": shown.status, "message": shown.message}
    job = _SAVE.first(conn, {"of_job": held.id, "held": held.fence, "price": price, **bar})
    if job is None:
        return None
    saved = None
    change = Change(held.id, JobState(job.state), job.fence)
    values: dict[str, Any] = {"state": UnitState.SAVED, "credits": price, "cost_usd": usd, "error": None, "cause": None}
    if asset is not None:
        row = asset_store.add(conn, asset)
        values["asset_id"] = row.id
        saved = asset_row(row)
        change.assets.append((job.user_id, row))
    put(conn, held, unit, values)
    if job.user_id and (spent := credit_store.settle(conn, job.user_id, held.id, unit, price)):
        change.balances.append(spent)
    event = progress_event(job, shown, saved)
    webhook_store.follow(conn, job, event)
    change.events.append(event_store.add(conn, job, event))
    if follow_up is not None and not job_store.exists(conn, follow_up.id):
        change.events.append(job_store.insert_job(conn, follow_up))
        change.queued.append((follow_up.queue, follow_up.id))
    return change


_KEPT = (UnitState.SUBMITTED, UnitState.ANSWERED, UnitState.READY, UnitState.STORED, UnitState.SAVED)


def inherit(conn: Connection, parent_id: str, job_id: str) -> None:
    """Gives a replay its parent's finished and running units."""
    query = select(job_units).where(job_units.c.job_id == parent_id, job_units.c.state.in_(_KEPT))
    for unit in [UnitRow.from_row(row) for row in conn.execute(query)]:
        # What the parent charged stays charged there; the replay pays for the others only.
        inherited = replace(unit, job_id=job_id, credits=0, cost_usd=0.0)
        conn.execute(insert(job_units).values(asdict(inherited)))
