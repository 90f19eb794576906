"""Kits as documents: each with its steps, their jobs, and what all of it has cost."""

from collections.abc import Sequence

from bmn.db.batches import kit_store
from bmn.db.batches.kit_store import KitRow
from bmn.db.engine import Connection
from bmn.db.library import brand_store
from bmn.db.records import JobRow
from bmn.schemas import documents
from bmn.schemas.base import when
from bmn.schemas.documents.kit_documents import StepState
from bmn.schemas.kit_requests import QUEUE_OF, KitPlan, Step

_NOTHING = (0, 0, 0, 0.0)


def kit_documents(conn: Connection, rows: Sequence[KitRow]) -> list[documents.Kit]:
    """These kits, in their order."""
    ids = [row.id for row in rows]
    made, money = kit_store.jobs_of(conn, ids), kit_store.money_of(conn, ids)
    names = brand_store.names(conn, {row.brand_id for row in rows})
    return [_document(row, made[row.id], money.get(row.id, _NOTHING), names.get(row.brand_id)) for row in rows]


def _document(
    row: KitRow, made: Sequence[JobRow], money: tuple[int, int, int, float], brand_name: str | None
) -> documents.Kit:
    plan = KitPlan.model_validate(row.plan)
    reserved, charged, refunded, usd = money
    return documents.Kit(
        group_id=row.id,
        brand_id=row.brand_id,
        brand_name=brand_name,
        user_id=row.user_id,
        state=row.state,
        step=row.step,
        message=row.message,
        cause=row.cause,
        pick=plan.pick,
        logo_id=row.logo_id,
        steps=[_step(row, plan, step, made) for step in plan.steps()],
        credits_estimated=row.credits_estimated,
        usd_estimated=row.usd_estimated,
        credits_left=row.credits_left,
        credits_reserved=reserved,
        credits_charged=charged,
        credits_refunded=refunded,
        cost_usd=round(usd, 6),
        created_at=when(row.created_at),
        ended_at=when(row.ended_at),
    )


def _step(row: KitRow, plan: KitPlan, step: Step, made: Sequence[JobRow]) -> documents.KitStep:
    mine = [job for job in made if job.queue == QUEUE_OF.get(step)]
    return documents.KitStep(step=step, state=_state(row, plan, step), jobs=[_job(job) for job in mine])


def _state(row: KitRow, plan: KitPlan, step: Step) -> StepState:
    """How a step stands, by where its kit does."""
    steps = plan.steps()
    here, place = steps.index(row.step), steps.index(step)
    if place < here or row.state == "done":
        return "done"
    if row.state == "cancelled":
        return "cancelled"
    return row.state if place == here else "waiting"


def _job(job: JobRow) -> documents.KitJob:
    return documents.KitJob(
        job_id=job.id,
        state=job.state,
        progress=job.progress,
        name=job.traits.name or None,
        message=job.message,
    )
