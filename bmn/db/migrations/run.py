"""Runs Alembic from inside the program, so that no ini file has to be found."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, OperationalError

from bmn.db.engine import database_away, make_engine
from bmn.db.refusals import check_rights, refusal

# Any number that nobody else uses: two hosts that upgrade at once take turns.
_ADVISORY_LOCK = 6_259_117


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def migrate(url: str) -> list[str]:
    """Brings the database to this release; returns the revisions that were applied. Safe to run twice, or twice at once.

    Raises TryLater where the database cannot be reached, Misconfigured where it refuses us or cannot hold our records.
    """
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)

    def upgrade(conn: Connection) -> list[str]:
        if conn.dialect.name == "postgresql":
            conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        before = MigrationContext.configure(conn).get_current_heads()
        config = _config()
        due = _between(config, before)
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
        return due

    return _with_connection(url, upgrade, writer=True)


def pending_migrations(url: str) -> list[str]:
    """The revisions that `migrate` would apply, oldest first.

    Raises like `migrate`, and where this role may not use the tables.
    """

    def look(conn: Connection) -> list[str]:
        due = _between(_config(), MigrationContext.configure(conn).get_current_heads())
        if not due:
            check_rights(conn, url)
        return due

    return _with_connection(url, look)


def _with_connection(url: str, work: Callable[[Connection], list[str]], *, writer: bool = False) -> list[str]:
    engine = make_engine(url, writer=writer)
    try:
        with engine.connect() as conn, conn.begin():
            return work(conn)
    except (DBAPIError, CommandError, RevisionError) as error:
        if problem := refusal(error, url):
            raise problem from error
        if isinstance(error, OperationalError):
            raise database_away(error) from error
        raise
    finally:
        engine.dispose()


def _between(config: Config, before: tuple[str, ...]) -> list[str]:
    script = ScriptDirectory.from_config(config)
    newer = [revision.revision for revision in script.walk_revisions("base", "heads")]
    done: set[str] = set()
    for head in before:
        done |= {revision.revision for revision in script.iterate_revisions(head, "base")}
    return [revision for revision in reversed(newer) if revision not in done]
