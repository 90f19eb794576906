"""What a database refuses for good is told as that by every command that meets it, with the statement that mends it."""

import re
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from bmn.db import database_refusals
from bmn.db.migrations import migrate, pending_migrations
from bmn.errors import Misconfigured
from tests.kit.terminal import forked

COMMANDS = (("db", "upgrade"), ("serve", "--port", "0"), ("doctor",))


def run(server: str, *statements: str, database: str = "postgres") -> None:
    engine = create_engine(f"{server}/{database}", isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        for statement in statements:
            conn.execute(text(statement))
    engine.dispose()


@pytest.fixture
def role(postgres_server: str) -> Iterator[str]:
    """A role that may sign in and owns nothing."""
    name = f"r{uuid.uuid4().hex[:12]}"
    run(postgres_server, f"CREATE ROLE {name} LOGIN PASSWORD 'right'")
    yield name
    run(postgres_server, f"DROP ROLE {name}")


@pytest.fixture
def database(postgres_server: str) -> Iterator[str]:
    name = f"d{uuid.uuid4().hex[:12]}"
    run(postgres_server, f"CREATE DATABASE {name}")
    yield name
    run(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


def address(server: str, user: str, database: str, password: str = "CANARY", query: str = "") -> str:
    url = make_url(server)
    return f"postgres://{user}:{password}@{url.host}:{url.port}/{database}{query}"


def refused_everywhere(
    home: Path, url: str, said: str, remedy: str, commands: tuple[tuple[str, ...], ...] = COMMANDS
) -> None:
    for command in commands:
        done = forked(*command, env={"BMN_HOME": str(home), "DATABASE_URL": url})
        shown = " ".join((done.out + done.err).split())
        assert done.code == (1 if command == ("doctor",) else 2), shown
        assert re.search(said, shown), shown
        assert remedy in shown, shown
        assert "CANARY" not in shown
        assert "defect" not in shown


def test_a_database_that_is_not_there(home: Path, postgres_server: str, role: str) -> None:
    url = address(postgres_server, role, "nowhere")
    refused_everywhere(home, url, 'database "nowhere" does not exist', f'CREATE DATABASE "nowhere" OWNER "{role}"')


def test_a_role_that_is_not_there(home: Path, postgres_server: str) -> None:
    url = address(postgres_server, "nobody_known", "postgres")
    refused_everywhere(home, url, 'role "nobody_known" does not exist', 'CREATE ROLE "nobody_known" LOGIN')


def test_a_role_that_may_not_sign_in(home: Path, postgres_server: str, role: str) -> None:
    run(postgres_server, f"ALTER ROLE {role} NOLOGIN")
    refused_everywhere(
        home, address(postgres_server, role, "postgres"), "not permitted to log in", "LOGIN for the role"
    )


def test_a_database_that_lets_nobody_in(home: Path, postgres_server: str, role: str, database: str) -> None:
    run(postgres_server, f"REVOKE CONNECT ON DATABASE {database} FROM PUBLIC")
    url = address(postgres_server, role, database)
    refused_everywhere(
        home, url, "permission denied for database", f'GRANT CONNECT ON DATABASE "{database}" TO "{role}"'
    )


def test_a_wrong_password(home: Path, postgres_server: str, role: str) -> None:
    engine = create_engine(f"{postgres_server}/postgres")
    with engine.connect() as conn:
        file = conn.execute(text("SHOW hba_file")).scalar_one()
    engine.dispose()
    lines = f"ARRAY['host all {role} 127.0.0.1/32 scram-sha-256', 'host all all 127.0.0.1/32 trust']"
    run(postgres_server, f"COPY (SELECT unnest({lines})) TO '{file}'", "SELECT pg_reload_conf()")
    refused_everywhere(
        home,
        address(postgres_server, role, "postgres"),
        "password authentication failed",
        f'ALTER ROLE "{role}" PASSWORD',
    )


def test_a_schema_that_is_not_ours_to_write_in(home: Path, postgres_server: str, role: str, database: str) -> None:
    url = address(postgres_server, role, database)
    upgrade = (("db", "upgrade"),)
    refused_everywhere(
        home, url, "permission denied for schema public", f'GRANT USAGE, CREATE ON SCHEMA "public" TO "{role}"', upgrade
    )


def test_a_schema_that_is_not_there(home: Path, postgres_server: str, role: str, database: str) -> None:
    url = address(postgres_server, role, database, query="?schema=brands")
    refused_everywhere(
        home, url, "no schema has been selected", f'CREATE SCHEMA "brands" AUTHORIZATION "{role}"', (("db", "upgrade"),)
    )


def test_tables_that_are_not_ours_to_use(home: Path, postgres_server: str, role: str, database: str) -> None:
    migrate(f"{postgres_server}/{database}")
    url = address(postgres_server, role, database)
    remedy = f'GRANT ALL ON ALL TABLES IN SCHEMA "public" TO "{role}"'
    refused_everywhere(home, url, "permission denied|may not read and write", remedy)
    run(postgres_server, f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}", database=database)
    run(postgres_server, "ALTER TABLE jobs ENABLE ROW LEVEL SECURITY", database=database)
    refused_everywhere(home, url, "may not read and write jobs", remedy, COMMANDS[1:])
    run(postgres_server, f"DROP OWNED BY {role}", database=database)


def test_a_role_with_little_time_is_upgraded_all_the_same(postgres_server: str, role: str, database: str) -> None:
    limits = ("statement_timeout = '30ms'", "idle_in_transaction_session_timeout = '30ms'")
    run(postgres_server, *(f"ALTER ROLE {role} SET {limit}" for limit in limits))
    run(postgres_server, f"ALTER DATABASE {database} OWNER TO {role}")
    url = str(address(postgres_server, role, database)).replace("postgres://", "postgresql+psycopg://")
    assert migrate(url)
    assert pending_migrations(url) == []
    run(postgres_server, f"ALTER DATABASE {database} OWNER TO postgres")
    run(postgres_server, f"REASSIGN OWNED BY {role} TO postgres", f"DROP OWNED BY {role}", database=database)


def test_a_server_without_room_is_told_as_that(home: Path, postgres_server: str, role: str, database: str) -> None:
    run(postgres_server, f"ALTER ROLE {role} CONNECTION LIMIT 0")
    env = {"BMN_HOME": str(home), "DATABASE_URL": address(postgres_server, role, database)}
    done = forked("db", "upgrade", env=env)
    assert done.code == 75
    assert "The database takes no further connections." in done.err


def test_a_database_in_another_encoding(home: Path, postgres_server: str, role: str) -> None:
    name = f"e{uuid.uuid4().hex[:12]}"
    run(
        postgres_server,
        f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0",
    )
    try:
        refused_everywhere(
            home, address(postgres_server, role, name), "encoded in SQL_ASCII", "ENCODING 'UTF8' TEMPLATE template0"
        )
    finally:
        run(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


def test_a_server_that_is_too_old(postgres_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_refusals, "_LEAST_VERSION", 990_000)
    for look in (migrate, pending_migrations):
        with pytest.raises(Misconfigured, match="too old"):
            look(f"{postgres_server}/postgres")


def test_a_database_of_a_newer_release(home: Path, database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '0099'"))
    engine.dispose()
    refused_everywhere(home, database_url, "newer bmn: revision 0099", "Update this installation")


def test_a_server_that_is_away_is_no_mistake_of_the_settings(home: Path) -> None:
    url = "postgres://me:CANARY@127.0.0.1:1/d"
    for command in COMMANDS:
        done = forked(*command, env={"BMN_HOME": str(home), "DATABASE_URL": url})
        assert done.code == (1 if command == ("doctor",) else 75), done.err
        assert "cannot be reached" in done.out + done.err
        assert "CANARY" not in done.out + done.err


def test_a_file_that_is_no_database(home: Path) -> None:
    (home / "bmn.sqlite3").write_bytes(b"something else entirely, and long enough to be looked at" * 20)
    for command in COMMANDS:
        done = forked(*command, env={"BMN_HOME": str(home)})
        assert "is not a SQLite database" in done.out + done.err
        assert "defect" not in done.err


def test_a_home_whose_path_means_something_in_an_address(tmp_path: Path) -> None:
    home = tmp_path / "a?b#c%20 d"
    done = forked("db", "upgrade", env={"BMN_HOME": str(home)})
    assert done.code == 0, done.err
    assert sqlite3.connect(home / "bmn.sqlite3").execute("SELECT count(*) FROM jobs").fetchone() == (0,)
