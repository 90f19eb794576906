"""What `doctor` wants to know of a database: does it answer, which one is it, what time does it have, may we write."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from bmn.db.database_refusals import refusal
from bmn.db.engine import database_away, make_engine
from bmn.db.keeping import orphans, retention
from bmn.db.operators import queue_store
from bmn.db.tables import db_now, is_running, jobs


@dataclass(frozen=True, slots=True)
class DatabaseProbe:
    """skew: seconds by which its clock is ahead of ours."""

    version: str
    skew: float
    read_only: bool


def probe(url: str) -> DatabaseProbe:
    """Asks the database; an absent SQLite file is made by asking.

    Raises TryLater where it is away, Misconfigured where it refuses us.
    """
    engine = make_engine(url)
    try:
        with engine.connect() as conn:
            if engine.dialect.name == "sqlite":
                version = f"SQLite {conn.execute(text('SELECT sqlite_version()')).scalar_one()}"
                read_only = bool(conn.execute(text("PRAGMA query_only")).scalar_one())
                return DatabaseProbe(version, 0.0, read_only)
            version = f"PostgreSQL {conn.execute(text('SHOW server_version')).scalar_one()}"
            read_only = conn.execute(text("SHOW transaction_read_only")).scalar_one() == "on"
            before = time.time()
            now = float(conn.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
            return DatabaseProbe(version, now - (before + time.time()) / 2, read_only)
    except SQLAlchemyError as error:
        raise (refusal(error, url) or database_away(error)) from error
    finally:
        engine.dispose()


@dataclass(frozen=True, slots=True)
class StuckJobs:
    """Jobs that stand still. lost: their lease has run out, and nobody has taken them. overdue: seconds, by queue, of the
    oldest that should have begun and whose queue is not paused.
    """

    lost: int
    overdue: dict[str, float]


def stuck_jobs(url: str, *, lost_for: float, overdue_for: float) -> StuckJobs:
    """What has stood still for longer than so many seconds. Raises as `probe` does."""
    engine = make_engine(url)
    try:
        with engine.connect() as conn:
            gone = select(func.count()).select_from(jobs).where(is_running, jobs.c.lease_until < db_now() - lost_for)
            paused = {name for name, each in queue_store.settings(conn).items() if each.paused}
            waits = queue_store.oldest_waiting(conn).items()
            overdue = {name: age for name, age in waits if age > overdue_for and name not in paused}
            return StuckJobs(int(conn.execute(gone).scalar_one()), overdue)
    except SQLAlchemyError as error:
        raise (refusal(error, url) or database_away(error)) from error
    finally:
        engine.dispose()


def unnamed(url: str, keys: Sequence[str]) -> list[str]:
    """Which of these storage keys no row names. Raises as `probe` does."""
    engine = make_engine(url)
    try:
        with engine.connect() as conn:
            return sorted(set(keys) - orphans.known_keys(conn, keys))
    except SQLAlchemyError as error:
        raise (refusal(error, url) or database_away(error)) from error
    finally:
        engine.dispose()


def retention_lags(url: str) -> dict[str, float]:
    """By table: for how many seconds its oldest row should have been gone. Raises as `probe` does."""
    engine = make_engine(url)
    try:
        with engine.connect() as conn:
            return retention.lags(conn)
    except SQLAlchemyError as error:
        raise (refusal(error, url) or database_away(error)) from error
    finally:
        engine.dispose()
