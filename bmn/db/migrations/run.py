"""Runs Alembic from inside the program, so that no ini file has to be found; loads it only where something is due."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from bmn.db.database_refusals import check_rights, refusal
from bmn.db.engine import database_away, is_away, make_engine

if TYPE_CHECKING:
    from alembic.config import Config

# Any number that nobody else uses: two hosts that upgrade at once take turns.
_ADVISORY_LOCK = 6_259_117
_TRANSACTION_TIMEOUT = (17,)  # since when PostgreSQL knows one


def newest_revision() -> str:
    """This release's, by the names of its files: four digits, then words."""
    return max(path.name[:4] for path in (Path(__file__).parent / "versions").glob("[0-9]*.py"))


def revisions_behind(conn: Connection) -> int:
    """How many revisions of this release a migrated database lacks; 0 for one of this release or a newer one."""
    found = max(conn.execute(text("SELECT version_num FROM alembic_version")).scalars(), default="")
    names = (path.name[:4] for path in (Path(__file__).parent / "versions").glob("[0-9]*.py"))
    return sum(name > found for name in names)


def _is_current(conn: Connection) -> bool:
    if not inspect(conn).has_table("alembic_version"):
        return False
    return list(conn.execute(text("SELECT version_num FROM alembic_version")).scalars()) == [newest_revision()]


def _config() -> "Config":
    from alembic.config import Config

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
        if _is_current(conn):
            return []
        if conn.dialect.name == "postgresql":
            _take_time(conn)  # before anything is loaded, which a busy machine takes a second for
        from alembic import command
        from alembic.migration import MigrationContext

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
        if not _is_current(conn):
            from alembic.migration import MigrationContext

            if due := _between(_config(), MigrationContext.configure(conn).get_current_heads()):
                return due
        check_rights(conn, url)
        return []

    return _with_connection(url, look)


def _take_time(conn: Connection) -> None:
    """An upgrade takes as long as it takes, whatever the role is allowed elsewhere; for this transaction alone."""
    names = ["statement_timeout", "idle_in_transaction_session_timeout"]
    if (conn.dialect.server_version_info or (0,)) >= _TRANSACTION_TIMEOUT:
        names.append("transaction_timeout")
    for name in names:
        conn.execute(text(f"SET LOCAL {name} = 0"))


def _with_connection(url: str, work: Callable[[Connection], list[str]], *, writer: bool = False) -> list[str]:
    engine = make_engine(url, writer=writer)
    try:
        with engine.connect() as conn, conn.begin():
            return work(conn)
    except Exception as error:
        if problem := refusal(error, url):
            raise problem from error
        if is_away(error):
            raise database_away(error) from error
        raise
    finally:
        engine.dispose()


def _between(config: "Config", before: tuple[str, ...]) -> list[str]:
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(config)
    newer = [revision.revision for revision in script.walk_revisions("base", "heads")]
    done: set[str] = set()
    for head in before:
        done |= {revision.revision for revision in script.iterate_revisions(head, "base")}
    return [revision for revision in reversed(newer) if revision not in done]
