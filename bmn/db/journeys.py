"""What the CRM and the mailbox need to know of users and their wizards."""

from sqlalchemy import Connection, select, update

from bmn.db.records import AbandonedWizard
from bmn.db.tables import agent_sessions, brand_assets, brands, db_now, generation_credits


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


def note_reminded(conn: Connection, session_id: str) -> None:
    """Marks every session of the same brand, so that it is reminded of once."""
    brand = select(agent_sessions.c.brand_id).where(agent_sessions.c.id == session_id).scalar_subquery()
    conn.execute(update(agent_sessions).where(agent_sessions.c.brand_id == brand).values(reminded_at=db_now()))
