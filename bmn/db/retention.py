"""How long records are kept, and deleting what is older. Each function deletes a bounded number of rows."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Table, delete, exists, or_, select

from bmn.db.sums import activity, spending
from bmn.db.tables import (
    agent_sessions,
    audit_log,
    brand_assets,
    credit_ledger,
    db_now,
    dead_letters,
    escalations,
    idempotency_keys,
    job_events,
    job_logs,
    job_units,
    jobs,
    provider_calls,
)
from bmn.schemas.payloads import TERMINAL_STATES

_DAY = 86_400
JOB_SECONDS = 30 * _DAY
BOOK_SECONDS = 400 * _DAY
SESSION_SECONDS = 30 * _DAY
_BATCH = 500
_LETTERS = 1000


def delete_old_jobs(conn: Connection) -> int:
    """Ended jobs after 30 days, with their events, units and logs. Open dead letters keep theirs for ever."""
    open_letter = exists().where(dead_letters.c.job_id == jobs.c.id, dead_letters.c.state == "open")
    query = (
        select(jobs.c.id)
        .where(
            jobs.c.state.in_(tuple(TERMINAL_STATES)),
            jobs.c.completed_at < db_now() - JOB_SECONDS,
            ~open_letter,
        )
        .order_by(jobs.c.completed_at)
        .limit(_BATCH)
    )
    ids = list(conn.execute(query).scalars())
    if not ids:
        return 0
    for table in (job_events, job_units, job_logs, dead_letters):
        conn.execute(delete(table).where(table.c.job_id.in_(ids)))
    conn.execute(delete(jobs).where(jobs.c.id.in_(ids)))
    return len(ids)


def delete_old_records(conn: Connection) -> dict[str, int]:
    """The books after 400 days, resolved dead letters after 30, idempotency keys after one."""
    resolved = dead_letters.c.state != "open"
    newest = select(dead_letters.c.id).where(resolved).order_by(dead_letters.c.resolved_at.desc()).limit(_LETTERS)
    return {
        "ledger rows": _older(conn, credit_ledger, credit_ledger.c.created_at, BOOK_SECONDS),
        "provider calls": _older(conn, provider_calls, provider_calls.c.at, BOOK_SECONDS),
        "audit rows": _older(conn, audit_log, audit_log.c.at, BOOK_SECONDS),
        "idempotency keys": _older(conn, idempotency_keys, idempotency_keys.c.created_at, _DAY),
        "escalations": _older(conn, escalations, escalations.c.created_at, JOB_SECONDS),
        "activity rows": activity.delete_old(conn) + spending.delete_old(conn),
        "dead letters": conn.execute(
            delete(dead_letters).where(
                resolved,
                or_(dead_letters.c.resolved_at < db_now() - JOB_SECONDS, dead_letters.c.id.not_in(newest)),
            )
        ).rowcount,
    }


def _older(conn: Connection, table: Table, column: Any, seconds: float) -> int:
    return conn.execute(delete(table).where(column < db_now() - seconds)).rowcount


def delete_old_sessions(conn: Connection) -> int:
    """Removes the wizard's conversations that nobody goes on with."""
    return _older(conn, agent_sessions, agent_sessions.c.updated_at, SESSION_SECONDS)


def known_keys(conn: Connection, keys: Iterable[str]) -> set[str]:
    """Which of these storage keys some row still names: an asset, its thumbnail, or a unit of a job that goes on."""
    wanted = list(keys)
    named = set(
        conn.execute(select(brand_assets.c.storage_key).where(brand_assets.c.storage_key.in_(wanted))).scalars()
    )
    named |= set(
        conn.execute(
            select(job_units.c.storage_key)
            .join(jobs, jobs.c.id == job_units.c.job_id)
            .where(job_units.c.storage_key.in_(wanted), jobs.c.state.not_in(tuple(TERMINAL_STATES)))
        ).scalars()
    )
    thumbnails = {key for key in wanted if "/thumbnail/" in key}
    if thumbnails:
        urls = conn.execute(select(brand_assets.c.thumbnail_url).where(brand_assets.c.thumbnail_url.is_not(None)))
        shown = {str(url).split("/brands/", 1)[-1] for url in urls.scalars()}
        named |= {key for key in thumbnails if key.removeprefix("brands/") in shown}
    return named


def rows_without_object(conn: Connection, stored: set[str], *, older_than: float) -> list[str]:
    """Storage keys of assets whose object is not in the store."""
    query = select(brand_assets.c.storage_key).where(brand_assets.c.created_at < db_now() - older_than)
    return [key for key in conn.execute(query).scalars() if key not in stored]
