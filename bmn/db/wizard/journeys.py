"""What the CRM and the mailbox need to know of users and their wizards."""

from collections.abc import Sequence

from sqlalchemy import Connection, and_, exists, or_, select, update
from sqlalchemy.sql import ColumnElement

from bmn.db.records import AbandonedWizard, DeliveryState, EndedJob, KitNews
from bmn.db.tables import (
    agent_sessions,
    brand_assets,
    brands,
    db_now,
    generation_credits,
    jobs,
    kits,
    webhook_deliveries,
)
from bmn.errors import NotFound
from bmn.schemas.payloads import JobState
from bmn.schemas.webhook_payloads import ENDS


def email_of(conn: Connection, user_id: str) -> str | None:
    """A user's address; None for one that is unknown or has none."""
    query = select(generation_credits.c.email).where(generation_credits.c.user_id == user_id)
    return conn.execute(query).scalar()


def chosen_logo(conn: Connection, brand_id: str) -> str | None:
    """The address of the selected logo; None where none is."""
    query = select(brand_assets.c.url).where(
        brand_assets.c.brand_id == brand_id, brand_assets.c.asset_type == "logo", brand_assets.c.is_selected == 1
    )
    return conn.execute(query).scalar()


def abandoned(conn: Connection, seconds: float, limit: int = 100) -> list[AbandonedWizard]:
    """The sessions of unfinished brands that nobody touched for so long and nobody was reminded of, the newest per brand."""
    query = (
        select(
            agent_sessions.c.id,
            agent_sessions.c.user_id,
            agent_sessions.c.brand_id,
            agent_sessions.c.step,
            brands.c.name,
        )
        .join(brands, brands.c.id == agent_sessions.c.brand_id)
        .where(
            brands.c.status != "complete",
            agent_sessions.c.reminded_at.is_(None),
            agent_sessions.c.updated_at < db_now() - seconds,
        )
        .order_by(agent_sessions.c.updated_at.desc())
        .limit(limit)
    )
    found: dict[str, AbandonedWizard] = {}
    for row in conn.execute(query):
        found.setdefault(row.brand_id, AbandonedWizard.from_row(row))
    return list(found.values())


_TOLD = (JobState.COMPLETED, JobState.PARTIAL, JobState.FAILED)
_WAITS = ("picking", "held")
# By what became of it, and not by who was to hear: a receiver may be gone, disabled or removed by the time that a job ends.
_IS_HEARD = exists().where(
    webhook_deliveries.c.job_id == jobs.c.id,
    webhook_deliveries.c.event.in_(ENDS),
    webhook_deliveries.c.state.in_((DeliveryState.PENDING, DeliveryState.DELIVERED)),
)
_WANTED = (generation_credits.c.email.is_not(None), generation_credits.c.job_mails_off_at.is_(None))


def ended_lately(
    conn: Connection, queues: Sequence[str], *, after: float, before: float, limit: int = 500
) -> list[EndedJob]:
    """Jobs of these queues that ended so many seconds ago, oldest first, of users who have an address and want mails.

    A job whose end a receiver of webhooks has heard, or is still to hear, is told of in that way; one of a kit is told of
    with its kit.
    """
    fields = (jobs.c.id, jobs.c.user_id, generation_credits.c.email, jobs.c.queue, jobs.c.state, jobs.c.group_id)
    query = (
        select(*fields, jobs.c.brand_id, brands.c.name)
        .join(generation_credits, generation_credits.c.user_id == jobs.c.user_id)
        .join(brands, brands.c.id == jobs.c.brand_id)
        .where(
            jobs.c.completed_at.is_not(None),
            jobs.c.completed_at.between(db_now() - after, db_now() - before),
            jobs.c.queue.in_(queues),
            jobs.c.state.in_(_TOLD),
            jobs.c.collects_id.is_(None),
            ~_IS_HEARD,
            ~exists().where(kits.c.id == jobs.c.group_id),
            *_WANTED,
        )
        .order_by(jobs.c.completed_at)
        .limit(limit)
    )
    return [EndedJob.from_row(row) for row in conn.execute(query)]


def kit_news(conn: Connection, *, after: float, before: float, limit: int = 500) -> list[KitNews]:
    """Kits that were done, or came to wait for their owner, so many seconds ago; of users as in `ended_lately`."""
    last = select(jobs.c.id).where(jobs.c.group_id == kits.c.id).order_by(jobs.c.created_at.desc()).limit(1)
    fields = (kits.c.id, kits.c.user_id, generation_credits.c.email, kits.c.state, kits.c.message, brands.c.name)

    def lately(column: ColumnElement[float]) -> ColumnElement[bool]:
        return column.between(db_now() - after, db_now() - before)

    query = (
        select(*fields, last.scalar_subquery().label("last_job_id"))
        .join(generation_credits, generation_credits.c.user_id == kits.c.user_id)
        .join(brands, brands.c.id == kits.c.brand_id)
        .where(
            or_(
                and_(kits.c.state == "done", lately(kits.c.ended_at)),
                and_(kits.c.ended_at.is_(None), kits.c.state.in_(_WAITS), lately(kits.c.changed_at)),
            ),
            ~exists().where(jobs.c.group_id == kits.c.id, _IS_HEARD),
            *_WANTED,
        )
        .limit(limit)
    )
    return [KitNews.from_row(row) for row in conn.execute(query)]


def wants_job_mails(conn: Connection, user_id: str) -> bool:
    """Whether a user gets mails about jobs that ended while nobody watched. Raises NotFound for an unknown one."""
    query = select(generation_credits.c.job_mails_off_at).where(generation_credits.c.user_id == user_id)
    row = conn.execute(query).first()
    if row is None:
        raise NotFound("User not found")
    return row.job_mails_off_at is None


def set_job_mails(conn: Connection, user_id: str, *, wanted: bool) -> None:
    """Whether a user gets them from now on."""
    mine = update(generation_credits).where(generation_credits.c.user_id == user_id)
    conn.execute(mine.values(job_mails_off_at=None if wanted else db_now()))


def note_reminded(conn: Connection, session_id: str) -> None:
    """Marks every session of the same brand, so that it is reminded of once."""
    brand = select(agent_sessions.c.brand_id).where(agent_sessions.c.id == session_id).scalar_subquery()
    conn.execute(update(agent_sessions).where(agent_sessions.c.brand_id == brand).values(reminded_at=db_now()))
