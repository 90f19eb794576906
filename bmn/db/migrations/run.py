"""Runs Alembic from inside the program, so that no ini file has to be found."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from bmn.db.engine import database_away, make_engine

# Any number that nobody else uses: two hosts that upgrade at once take turns.
_ADVISORY_LOCK = 6_259_117


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def migrate(url: str) -> list[str]:
    """Brings the database to this release; returns the revisions that were applied. Safe to run twice, or twice at once.

    Raises TryLater where the database cannot be reached.
    """
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engine = make_engine(url, writer=True)
    try:
        with engine.connect() as conn, conn.begin():
            if engine.dialect.name == "postgresql":
                conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
            before = MigrationContext.configure(conn).get_current_heads()
            config = _config()
            config.attributes["connection"] = conn
            command.upgrade(config, "head")
            return _between(config, before)
    except OperationalError as error:
        raise database_away(error) from error
    finally:
        engine.dispose()


def pending_migrations(url: str) -> list[str]:
    """The revisions that `migrate` would apply, oldest first."""
    engine = make_engine(url)
    try:
        with engine.connect() as conn:
            return _between(_config(), MigrationContext.configure(conn).get_current_heads())
    finally:
        engine.dispose()


def _between(config: Config, before: tuple[str, ...]) -> list[str]:
    script = ScriptDirectory.from_config(config)
    newer = [revision.revision for revision in script.walk_revisions("base", "heads")]
    done: set[str] = set()
    for head in before:
        done |= {revision.revision for revision in script.iterate_revisions(head, "base")}
    return [revision for revision in reversed(newer) if revision not in done]
