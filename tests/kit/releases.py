"""Databases as an earlier release has left them."""

from alembic import command

from bmn.db.engine import make_engine
from bmn.db.migrations.run import _config


def as_of(url: str, revision: str) -> None:
    """Takes the database back to an earlier release's form."""
    engine = make_engine(url, writer=True)
    with engine.connect() as conn, conn.begin():
        config = _config()
        config.attributes["connection"] = conn
        command.downgrade(config, revision)
    engine.dispose()
