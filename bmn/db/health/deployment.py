"""Which deployment these rows are: an identity that the first migration drew, and that goes wherever the rows go."""

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from bmn.db.database_refusals import refusal
from bmn.db.engine import database_away, make_engine
from bmn.db.tables import deployment


def get_identity(conn: Connection) -> str:
    """32 hexadecimal digits."""
    return str(conn.execute(select(deployment.c.identity)).scalar_one())


def read_identity(url: str) -> str:
    """The same, for who has no connection yet. Raises TryLater for a database that is away, Misconfigured for a refusal."""
    engine = make_engine(url)
    try:
        with engine.connect() as conn:
            return get_identity(conn)
    except SQLAlchemyError as error:
        raise (refusal(error, url) or database_away(error)) from error
    finally:
        engine.dispose()
