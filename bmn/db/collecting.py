"""What a cancelled job had ordered: its user pays for it, and a job that follows collects it.

    cancelled job        its unit is charged at once, and is the user's in the end
    collecting job       has a copy of the unit, free of charge; orders nothing
    what it cannot get   is refunded when it ends

Everything in the transaction that ends the job in question, so that nothing is charged, collected or refunded twice.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Connection, and_, insert, select, update

from bmn.db import claims, job_store
from bmn.db.accounts import credit_store
from bmn.db.accounts.credit_store import CreditsRow
from bmn.db.records import EventRow, JobRow, NewJob, UnitRow, UnitState
from bmn.db.tables import job_units, jobs

_ACCEPTED = (UnitState.SUBMITTED, UnitState.READY, UnitState.STORED)
_FIRST_IN_LINE = 0  # a provider keeps a picture for some minutes only


@dataclass(frozen=True, slots=True)
class NewLease:
    """Of an executor that has a cancelled job's calls under way and goes on with them. owner: its process."""

    owner: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Ordered:
    """What a cancelled job pays for without having it yet. shown: what of it the user has seen already.

    job: collects the rest; None where nothing is to come. event: the job's first, where it still waits in line.
    """

    units: int = 0
    shown: UnitRow | None = None
    balances: tuple[CreditsRow, ...] = ()
    job: JobRow | None = None
    event: EventRow | None = None


def collector_id(job: JobRow) -> str:
    """The job that collects for a cancelled one. There is one at most."""
    return f"{job.queue}-{uuid5(NAMESPACE_URL, f'{job.id}/collect')}"


def charge_ordered(conn: Connection, held: JobRow, lease: NewLease | None) -> Ordered:
    """Charges what the provider has accepted and stores the job that collects it. The caller holds the job's row.

    lease: None where nobody waits for an answer that is under way; what was asked for without an answer is lost then.
    """
    price = held.unit_credits
    if held.collects_id is not None or not price or held.user_id is None:
        return Ordered()
    units = job_store.units(conn, held.id)
    shown = [unit for unit in units if unit.state is UnitState.SHOWN]
    states = (*_ACCEPTED, UnitState.SUBMITTING) if lease else _ACCEPTED
    ordered = [unit for unit in units if unit.state in states]
    balances = [_charge(conn, held, unit, price) for unit in (*shown, *ordered)]
    found = Ordered(len(ordered), shown[0] if shown else None, tuple(filter(None, balances)))
    if not ordered:
        return found
    event = _store_collector(conn, held, ordered)
    job_id = collector_id(held)
    if lease is None:
        return replace(found, job=job_store.get_job(conn, job_id), event=event)
    return replace(found, job=claims.take(conn, job_id, lease.owner, lease.seconds), event=event)


def _charge(conn: Connection, held: JobRow, unit: UnitRow, price: int) -> CreditsRow | None:
    paid: dict[str, Any] = {"credits": price}
    if unit.state is UnitState.SHOWN:
        paid["state"] = UnitState.SAVED
    conn.execute(_unit(held.id, unit.unit).values(paid))
    more = update(jobs).where(jobs.c.id == held.id).values(credits_charged=jobs.c.credits_charged + price)
    conn.execute(more)
    return credit_store.settle(conn, str(held.user_id), held.id, unit.unit, price)


def _unit(job_id: str, unit: str) -> Any:
    return update(job_units).where(job_units.c.job_id == job_id, job_units.c.unit == unit)


def _store_collector(conn: Connection, held: JobRow, ordered: list[UnitRow]) -> EventRow:
    job = NewJob(
        id=collector_id(held),
        queue=held.queue,
        payload=held.payload,
        payload_version=held.payload_version,
        max_attempts=held.max_attempts,
        priority=_FIRST_IN_LINE,
        user_id=held.user_id,
        brand_id=held.brand_id,
        collects_id=held.id,
        request_id=held.request_id,
        trace_parent=held.trace_parent,
        message="Fetching what was ordered and paid for before the cancel",
    )
    event = job_store.insert_job(conn, job)
    for unit in ordered:
        conn.execute(insert(job_units).values(asdict(replace(unit, job_id=job.id, credits=0, cost_usd=0.0))))
    return event


def close_collected(conn: Connection, collector_id: str, cancelled_id: str, user_id: str) -> list[CreditsRow]:
    """The books of a collecting job that has ended: what it has got is the cancelled job's, the rest is refunded."""
    paid = {unit.unit: unit for unit in job_store.units(conn, cancelled_id)}
    balances: list[CreditsRow] = []
    for unit in job_store.units(conn, collector_id):
        if (before := paid.get(unit.unit)) is None:
            continue
        kept = asdict(unit)
        for name in ("job_id", "unit", "credits"):
            del kept[name]
        kept["cost_usd"] = max(before.cost_usd, unit.cost_usd)
        if unit.state is not UnitState.SAVED:
            kept["credits"] = 0
            if back := _refund(conn, user_id, cancelled_id, before):
                balances.append(back)
        conn.execute(_unit(cancelled_id, unit.unit).values(kept))
    return balances


def _refund(conn: Connection, user_id: str, job_id: str, unit: UnitRow) -> CreditsRow | None:
    row = update(jobs).where(jobs.c.id == job_id)
    conn.execute(
        row.values(
            credits_charged=jobs.c.credits_charged - unit.credits,
            credits_refunded=jobs.c.credits_refunded + unit.credits,
        )
    )
    return credit_store.refund_unit(conn, user_id, job_id, unit.unit, unit.credits)


def hold_row(conn: Connection, held: JobRow, *conditions: Any) -> bool:
    """Keeps everybody else from changing a job's row until this transaction ends. False: it is not as it was."""
    query = select(jobs.c.id).where(and_(jobs.c.id == held.id, *conditions)).with_for_update()
    return conn.execute(query).first() is not None
