"""What a database says at the start that waiting does not heal: told as what it is, with the statement that mends it."""

import re
import sqlite3
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from bmn.errors import BmnError, Misconfigured
from bmn.redaction import redact

if TYPE_CHECKING:
    import psycopg

_LEAST_VERSION = 150_000
_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")

# By SQLSTATE; `{user}`, `{name}`, `{schema}` are those of the connection.
_REMEDIES = {
    "42501": 'As the owner or an admin: GRANT USAGE, CREATE ON SCHEMA "{schema}" TO "{user}"; '
    'GRANT ALL ON ALL TABLES IN SCHEMA "{schema}" TO "{user}"; GRANT ALL ON ALL SEQUENCES IN SCHEMA "{schema}" TO "{user}";',
    "3F000": 'As an admin: CREATE SCHEMA "{schema}" AUTHORIZATION "{user}";',
    "3D000": 'As an admin: CREATE DATABASE "{name}" OWNER "{user}" ENCODING \'UTF8\' TEMPLATE template0;',
    "28P01": "Correct the password in DATABASE_URL, or as an admin: ALTER ROLE \"{user}\" PASSWORD '…';",
    "28000": "Let this role in from here: a line in the server's pg_hba.conf, LOGIN for the role, or sslmode=require.",
    "25006": "Name the primary in DATABASE_URL; this is a replica, or set to read only.",
    "0A000": "Use PostgreSQL 15 or newer.",
    "22021": "The database has to be encoded in UTF8: CREATE DATABASE \"{name}\" ENCODING 'UTF8' TEMPLATE template0;",
    "53100": "Its disk is full: make room.",
}
# A connection that is refused carries no SQLSTATE, only the server's words.
_WORDS = (
    (r"password authentication failed|no password supplied|SASL authentication failed|Wrong password", "28P01"),
    (r"database .* does not exist", "3D000"),
    (r"permission denied for database", "connect"),
    (r"role .* does not exist", "role"),
    (r"not permitted to log in|no pg_hba.conf entry|rejects connection", "28000"),
    (r"Tenant or user not found|no such user", "tenant"),
    (r"server does not support SSL", "no ssl"),
    (r"certificate verify failed|root certificate file|SSL error|certificate .* does not match", "certificate"),
    (r"unsupported startup parameter", "startup"),
    (r"local user with ID", "no user"),
)
_REMEDIES |= {
    "connect": 'As an admin: GRANT CONNECT ON DATABASE "{name}" TO "{user}";',
    "role": "As an admin: CREATE ROLE \"{user}\" LOGIN PASSWORD '…';",
    "tenant": "A pooler wants the project in the user's name, such as postgres.PROJECT; copy the address once more.",
    "no ssl": "Leave sslmode out of DATABASE_URL, or turn TLS on in the server.",
    "certificate": "Name the authority's file in DATABASE_URL: ?sslmode=verify-full&sslrootcert=/path/ca.pem",
    "startup": "The pooler takes no such parameter: leave schema and options out of DATABASE_URL, and set it on the role: "
    'ALTER ROLE "{user}" SET search_path = …;',
    "no user": "Name the user in DATABASE_URL: this process has none of its own.",
}
_SQLITE = {
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; its folder has to be there, and ours to write in",
    sqlite3.SQLITE_READONLY: "is read-only; the file and its folder have to be ours to write in",
    sqlite3.SQLITE_PERM: "may not be opened by this user",
    sqlite3.SQLITE_NOTADB: "is not a SQLite database; is it another program's, or encrypted?",
    sqlite3.SQLITE_CORRUPT: "is damaged; restore a backup, or try `sqlite3 FILE .recover`",
    sqlite3.SQLITE_FULL: "finds its disk full; make room",
}


def refusal(error: Exception, url: str) -> BmnError | None:
    """What is wrong for good, in words; None where the database is merely away, or it is a defect of ours."""
    if type(error).__module__.startswith("alembic."):  # not imported here, for a few megabytes in every process
        revision = re.search(r"'(\w+)'", str(error))
        return Misconfigured(
            f"The database has been upgraded by a newer bmn: revision {revision[1] if revision else '?'} is unknown here.",
            hint="Update this installation, or restore a backup of the database.",
        )
    if not isinstance(error, DBAPIError):
        return None
    if isinstance(error.orig, sqlite3.Error):
        return _of_sqlite(error.orig, url)
    said = _sentence(error)
    code = str(getattr(error.orig, "sqlstate", None) or "")
    if code not in _REMEDIES:
        code = next((name for words, name in _WORDS if re.search(words, said, re.IGNORECASE)), "")
    return _misconfigured(said, code, url) if code else None


def check_server(connection: "psycopg.Connection[Any]", url: str) -> None:
    """Raises Misconfigured where a PostgreSQL is too old, or its database is not encoded in UTF8. Costs no query."""
    server = connection.pgconn
    if server.server_version < _LEAST_VERSION:
        version = (server.parameter_status(b"server_version") or b"").decode(errors="replace")
        raise Misconfigured(
            f"PostgreSQL {version} at {_where(url)} is too old.", hint="Use PostgreSQL 15 or newer; see pg_upgrade."
        )
    encoding = (server.parameter_status(b"server_encoding") or b"UTF8").decode(errors="replace")
    if encoding != "UTF8":
        raise _misconfigured(f"The database is encoded in {encoding}", "22021", url)


def check_rights(conn: Connection, url: str) -> None:
    """Raises Misconfigured where the tables are there and this role may not use them."""
    if conn.dialect.name != "postgresql":
        return
    lacking = " OR ".join(f"NOT has_table_privilege(c.oid, '{right}')" for right in _RIGHTS)
    query = (
        "SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace"
        f" AND c.relname <> 'alembic_version' AND ({lacking} OR row_security_active(c.oid)) ORDER BY c.relname LIMIT 5"
    )
    if names := list(conn.execute(text(query)).scalars()):
        raise _misconfigured(f"This role may not read and write {', '.join(names)}", "42501", url)


def _misconfigured(said: str, code: str, url: str) -> Misconfigured:
    address = make_url(url)
    schema = re.search(r"search_path=([\w$]+)", str(address.query.get("options", "")))
    user = address.username or "ROLE"
    names = {"user": user, "name": address.database or user, "schema": schema[1] if schema else "public"}
    return Misconfigured(f"{_where(url)}: {said.rstrip('.')}.", hint=_REMEDIES[code].format(**names))


def _where(url: str) -> str:
    return redact(url).replace("postgresql+psycopg://", "postgresql://").partition("?")[0]


def _sentence(error: DBAPIError) -> str:
    """The server's own words, without the driver's around them."""
    said = " ".join(str(error.orig).split())
    said = re.sub(r"^.*?(?:FATAL|ERROR):\s*", "", said)
    return redact(re.sub(r"^connection failed: ", "", said)[:300])


def _of_sqlite(error: sqlite3.Error, url: str) -> Misconfigured | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    what = _SQLITE.get(code)
    return Misconfigured(f"{url.removeprefix('sqlite:///')} {what}.", hint="See `bmn doctor`.") if what else None
