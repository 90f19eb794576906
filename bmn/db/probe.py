"""What `doctor` wants to know of a database: does it answer, which one is it, what time does it have, may we write."""

import time
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bmn.db import retention
from bmn.db.engine import database_away, make_engine
from bmn.db.refusals import refusal


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
