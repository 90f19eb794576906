"""Empty, migrated PostgreSQL databases for one test after the other: emptied and renamed where a test left the tables as
they were, which costs a hundredth of a copy of all their files.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname"
_SEQUENCES = "SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace"
_SHAPE = """
SELECT md5(string_agg(part, '|' ORDER BY part)) FROM (
    SELECT concat_ws(' ', oid, relname, relkind, reloptions, relhastriggers) AS part FROM pg_class
    WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', attrelid, attname, atttypid, attnotnull, atthasdef) FROM pg_attribute
    WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
    UNION ALL SELECT concat_ws(' ', conrelid, conname, convalidated, pg_get_constraintdef(oid)) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
) AS parts
"""
_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"


class EmptyDatabases:
    """The databases of one server. Each has a new name: what a test left running cannot reach the next one's."""

    def __init__(self, server: str, template: str) -> None:
        self._server = server.replace("+psycopg", "")
        self._template = template
        self._spare = ""
        with self._connect(template) as conn:
            tables = [name for (name,) in conn.execute(_TABLES)]
            self._kept = [name for name in tables if conn.execute(_of("SELECT 1 FROM {} LIMIT 1", name)).fetchone()]
            self._emptied = [name for name in tables if name not in self._kept]

    @contextmanager
    def lend(self) -> Iterator[str]:
        """The name of a database for one test."""
        name = f"t{uuid.uuid4().hex[:16]}"
        with self._connect("postgres") as conn:
            if self._spare:
                conn.execute(_of("ALTER DATABASE {} RENAME TO {}", self._spare, name))
            else:
                conn.execute(_of("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, self._template))
        before, self._spare = self._state(name), ""
        yield name
        if self._emptied_again(name, before):
            self._spare = name
        else:
            with self._connect("postgres") as conn:
                conn.execute(_of("DROP DATABASE {} WITH (FORCE)", name))

    def _emptied_again(self, name: str, before: str) -> bool:
        """False where the test changed more than the rows of the tables that are empty at first."""
        try:
            with self._connect(name) as conn, conn.transaction():
                conn.execute(_OTHERS, [name])
                if self._state(name) != before:
                    return False
                conn.execute("SET LOCAL session_replication_role = replica")  # in any order, past the foreign keys
                for table in self._emptied:
                    conn.execute(_of("DELETE FROM {}", table))
                for (sequence,) in conn.execute(_SEQUENCES).fetchall():
                    conn.execute(_of("ALTER SEQUENCE {} RESTART", sequence))
            return True
        except psycopg.Error:
            return False

    def _state(self, name: str) -> str:
        """The shape of the tables, and what stands in those that are not empty at first."""
        with self._connect(name) as conn:
            contents = [
                conn.execute(
                    _of("SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {} AS t", table)
                ).fetchone()
                for table in self._kept
            ]
            return f"{conn.execute(_SHAPE).fetchone()} {contents}"

    def _connect(self, name: str) -> "psycopg.Connection[tuple[str]]":
        return psycopg.connect(f"{self._server}/{name}", autocommit=True)


def _of(statement: str, *names: str) -> sql.Composed:
    return sql.SQL(statement).format(*map(sql.Identifier, names))  # type: ignore[arg-type]
