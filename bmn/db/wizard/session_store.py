"""Sessions of the brand wizard: the conversation so far, what it cost, and what it has led to."""

from sqlalchemy import Connection, insert, select, update

from bmn.db import unit_store
from bmn.db.records import AgentSessionRow, JobRow
from bmn.db.tables import agent_sessions, db_now, jobs

_COLUMNS = ("id", "user_id", "brand_id", "step", "messages", "turns", "cost_usd", "state")
_GET = select(*(agent_sessions.c[name] for name in _COLUMNS))


def get(conn: Connection, session_id: str) -> AgentSessionRow | None:
    """A session as it was saved last."""
    row = conn.execute(_GET.where(agent_sessions.c.id == session_id)).first()
    return AgentSessionRow.from_row(row) if row else None


def save(conn: Connection, job: JobRow, session: AgentSessionRow) -> bool:
    """Writes a session, new or not, under the fence of the job that holds it. False: another executor has the job."""
    if not unit_store.holds(conn, job):
        return False
    fields = {name: getattr(session, name) for name in _COLUMNS}
    owner = {name: fields.pop(name) for name in ("id", "user_id", "brand_id")}
    where = agent_sessions.c.id == session.id
    changed = conn.execute(update(agent_sessions).where(where).values(**fields, updated_at=db_now(), reminded_at=None))
    if changed.rowcount == 0:
        conn.execute(insert(agent_sessions).values(**owner, **fields))
    return True


def spent(conn: Connection, job_id: str) -> float:
    """US dollars that a job has cost over all its attempts, lost answers included."""
    return float(conn.execute(select(jobs.c.cost_usd).where(jobs.c.id == job_id)).scalar() or 0.0)
