"""The home of the release before, taken over by this one. `rehearse.py` does it with the old release itself."""

import json
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from psycopg import connect
from sqlalchemy import create_engine, text

import bmn.db.migrations
from tests.kit.terminal import BMN
from tests.upgrade import takeover
from tests.upgrade.fixture import copy_to_postgresql, unpack
from tests.upgrade.release import Release

pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_what_the_release_before_left_is_taken_over_whole(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    filled = unpack(home)
    sqlite = f"sqlite:///{home / 'bmn.sqlite3'}"
    new = Release(Path(BMN), home, _port(home))
    url = sqlite
    if database == "postgresql":
        url = _same_in_postgresql(sqlite, request.getfixturevalue("postgres_server"))
        new.env = {"DATABASE_URL": url}
        new.run("db", "upgrade")
    filled.token = new.token()
    before = takeover.snapshot(url)
    with new.serving(BMN_SANDBOX_SPEED="0"):
        problems = takeover.check_sessions(new, filled) + takeover.finish(new, filled)
        problems += takeover.check_books(new, url)
    problems += takeover.differences(before, takeover.snapshot(url))
    assert not problems, "\n".join(problem[:600] for problem in problems[:20])


def _port(home: Path) -> int:
    """The old release's own: the sandbox stands in for vendors, whose addresses do not move with an upgrade of ours."""
    address = json.loads((home / "serve.json").read_text())["api_url"]
    return int(address.rpartition(":")[2])


def _same_in_postgresql(sqlite: str, server: str) -> str:
    """The rows of the file in a PostgreSQL that is at the file's own revision."""
    with connect(f"{server.replace('+psycopg', '')}/postgres", autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS taken_over WITH (FORCE)")
        admin.execute("CREATE DATABASE taken_over")
    url = f"{server}/taken_over"
    engine = create_engine(sqlite)
    with engine.connect() as conn:
        revision = conn.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    engine.dispose()
    engine = create_engine(url)
    with engine.begin() as conn:
        config = Config()
        config.set_main_option("script_location", str(Path(bmn.db.migrations.__file__).parent))
        config.attributes["connection"] = conn
        command.upgrade(config, revision)
    engine.dispose()
    copy_to_postgresql(sqlite, url)
    return url
