"""Sessions of the brand wizard: the conversation so far, what it cost, and what it has led to."""

from typing import Any

from sqlalchemy import Connection, insert, select, update

from bmn.db import units
from bmn.db.tables import agent_sessions, db_now, jobs

SessionRow = dict[str, Any]


def get(conn: Connection, session_id: str) -> SessionRow | None:
    row = conn.execute(select(agent_sessions).where(agent_sessions.c.id == session_id)).mappings().first()
    return dict(row) if row else None


def save(conn: Connection, job_id: str, fence: int, session: SessionRow) -> bool:
    """Writes a session, new or not, under the fence of the job that holds it. False: another executor has the job."""
    if not units.holds(conn, job_id, fence):
        return False
    known = {
        name: value for name, value in session.items() if name in ("step", "messages", "turns", "cost_usd", "state")
    }
    where = agent_sessions.c.id == session["id"]
    changed = conn.execute(update(agent_sessions).where(where).values(**known, updated_at=db_now(), reminded_at=None))
    if changed.rowcount == 0:
        owner = {"id": session["id"], "user_id": session["user_id"], "brand_id": session["brand_id"]}
        conn.execute(insert(agent_sessions).values(**owner, **known))
    return True


def spent(conn: Connection, job_id: str) -> float:
    """US dollars that a job has cost over all its attempts, lost answers included."""
    return float(conn.execute(select(jobs.c.cost_usd).where(jobs.c.id == job_id)).scalar() or 0.0)
