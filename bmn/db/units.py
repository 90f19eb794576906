"""The ledger of paid steps: what a job has asked a provider for, and how far each answer got.

    planned ──> submitting ──> submitted ──> ready ──> stored ──> saved
                    │
                    └─ no answer recorded: ambiguous, asked again once at most

Committed before and after each call, so that a re-run starts where the last one stopped and pays only for what is missing.
"""

from functools import cache
from typing import Any

from sqlalchemy import Connection, Double, Integer, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bmn.db import credits, events
from bmn.db import jobs as job_rows
from bmn.db.records import NewJob
from bmn.db.tables import brand_assets, db_now, is_running, job_units, jobs, provider_calls
from bmn.db.transitions import Change, asset_row, highest, progress_event
from bmn.schemas.events import Progress

UnitRow = dict[str, Any]


# Built once, as building one costs more than running it.
_HOLDS = select(jobs.c.id).where(jobs.c.id == bindparam("of_job"), jobs.c.fence == bindparam("held"), is_running)
_RENEW = (
    update(jobs)
    .where(jobs.c.id == bindparam("of_job"), jobs.c.fence == bindparam("held"), is_running)
    .values(lease_until=db_now() + bindparam("lease", type_=Double))
)
_SAVE = (
    update(jobs)
    .where(jobs.c.id == bindparam("of_job"), jobs.c.fence == bindparam("held"), is_running)
    .values(
        last_seq=jobs.c.last_seq + 1,
        progress=highest(jobs.c.progress, bindparam("percent", type_=Integer)),
        credits_charged=jobs.c.credits_charged + bindparam("price", type_=Integer),
    )
    .returning(*(jobs.c[name] for name in (
        "id", "queue", "brand_id", "user_id", "state", "fence", "attempt", "last_seq", "progress"
    )))
)  # fmt: skip


@cache
def _upsert(dialect: str, columns: tuple[str, ...]) -> Any:
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(job_units).values(updated_at=db_now())
    changed = {name: statement.excluded[name] for name in columns}
    return statement.on_conflict_do_update(index_elements=["job_id", "unit"], set_={**changed, "updated_at": db_now()})


def holds(conn: Connection, job_id: str, fence: int) -> bool:
    """Whether this executor still has the job."""
    return conn.execute(_HOLDS, {"of_job": job_id, "held": fence}).first() is not None


def put(
    conn: Connection, job_id: str, fence: int, unit: str, values: dict[str, Any], *, lease: float | None = None
) -> bool:
    """Writes a unit's row, under the fence. False: another executor has the job by now. lease: renewed along with it."""
    if lease is None:
        if not holds(conn, job_id, fence):
            return False
    elif conn.execute(_RENEW, {"of_job": job_id, "held": fence, "lease": lease}).rowcount == 0:
        return False
    conn.execute(_upsert(conn.dialect.name, tuple(values)), {"job_id": job_id, "unit": unit, **values})
    return True


def save(
    conn: Connection,
    job_id: str,
    fence: int,
    unit: str,
    *,
    asset: dict[str, Any] | None,
    price: int,
    usd: float,
    shown: Progress,
    follow_up: NewJob | None = None,
) -> Change | None:
    """The last step of a unit: its asset's row, its credits, the event, and the job that makes its thumbnail.

    shown: the `job:progress` that goes with it.
    """
    bar = {"percent": round(shown.percent), "stage": shown.status, "message": shown.message}
    job = conn.execute(_SAVE, {"of_job": job_id, "held": fence, "price": price, **bar}).first()
    if job is None:
        return None
    saved = None
    change = Change(job_id, job.state, job.fence)
    values: dict[str, Any] = {"state": "saved", "credits": price, "cost_usd": usd, "error": None, "cause": None}
    if asset is not None:
        row = conn.execute(insert(brand_assets).values(asset).returning(*brand_assets.c)).mappings().one()
        values["asset_id"] = row["id"]
        saved = asset_row(dict(row))
        change.assets.append((job.user_id, dict(row)))
    put(conn, job_id, fence, unit, values)
    if job.user_id and (spent := credits.settle(conn, job.user_id, job_id, unit, price)):
        change.balances.append(spent)
    change.events.append(events.add(conn, job.queue, progress_event(job, shown, saved)))
    if follow_up is not None and not job_rows.exists(conn, follow_up.id):
        change.events.append(job_rows.insert_job(conn, follow_up))
        change.queued.append((follow_up.queue, follow_up.id))
    return change


def inherit(conn: Connection, parent_id: str, job_id: str) -> list[str]:
    """Gives a replay its parent's finished and running units; returns the names of those that are saved."""
    query = select(job_units).where(
        job_units.c.job_id == parent_id, job_units.c.state.in_(("submitted", "ready", "stored", "saved"))
    )
    rows = [dict(row) for row in conn.execute(query).mappings()]
    for row in rows:
        # What the parent charged stays charged there; the replay pays for the others only.
        conn.execute(insert(job_units).values({**row, "job_id": job_id, "credits": 0, "cost_usd": 0.0}))
    return [row["unit"] for row in rows if row["state"] == "saved"]


def add_call(conn: Connection, call: dict[str, Any]) -> None:
    """Writes down what a provider was asked, and adds its price to the job's cost."""
    conn.execute(insert(provider_calls).values(call))
    if call.get("job_id") and call["usd"]:
        statement = update(jobs).where(jobs.c.id == call["job_id"])
        conn.execute(statement.values(cost_usd=jobs.c.cost_usd + call["usd"]))
