"""What every test stands on: a private home, a real Redis, SQLite and PostgreSQL, and no setting of the machine."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from sqlalchemy import create_engine, text

from bmn.settings import Settings

for _name in list(os.environ):
    if _name.lower() in Settings.model_fields or _name in ("NODE_ENV", "SUPABASE_SERVICE_ROLE_KEY"):
        del os.environ[_name]
os.environ.update(NO_PROXY="127.0.0.1,localhost", BMN_ENV="development", COLUMNS="100")
for _name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(_name, None)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A BMN_HOME of this test's own, and a working folder without a `.env`."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("BMN_HOME", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from bmn.broker.embedded import EmbeddedRedis

    server = EmbeddedRedis(tmp_path_factory.mktemp("redis"))
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


@pytest.fixture
def redis_url(redis_server: str) -> Iterator[str]:
    """An empty Redis. The process is shared by the session, its contents are not."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
        yield redis_server
        client.flushall()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running PostgreSQL, without a database name at its end."""
    from tests.postgres import running_postgres

    with running_postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty, migrated database; each test that asks for it runs on SQLite and on PostgreSQL."""
    from bmn.db.migrations import migrate

    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'test.sqlite3'}"
        migrate(url)
        yield url
        return
    server: str = request.getfixturevalue("postgres_server")
    name = f"t{uuid.uuid4().hex[:16]}"
    admin = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.execute(text(f"CREATE DATABASE {name}"))
    url = f"{server}/{name}"
    migrate(url)
    try:
        yield url
    finally:
        with admin.connect() as conn:
            conn.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()
