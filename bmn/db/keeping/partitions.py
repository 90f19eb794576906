"""Tables that PostgreSQL keeps by the month: made ahead, and dropped whole once all rows of a month are past their time.

What was there before is the first part, up to a month soon to come. What no part is for goes into the last: rows of a month
that is gone, brought back from the archive, or of one that nobody has made. Each part has the primary key for itself; one of
the whole table would have to contain the time. SQLite has none of this.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Table, select, text

from bmn.db.tables import db_now

_AHEAD = 2  # months that are there before their first row
_NOTICE = 7 * 86_400.0  # seconds between the division of a table and the first month of its own
_BOUNDS = re.compile(r"FROM \(('(?P<since>[-+.e\d]+)'|MINVALUE)\) TO \('(?P<upto>[-+.e\d]+)'\)")


@dataclass(frozen=True, slots=True)
class Part:
    """A partition. since, upto: seconds since 1970, the second one excluded; -inf where it begins with the first row."""

    name: str
    since: float
    upto: float

    @property
    def is_month(self) -> bool:
        """Not what was there before the table was divided."""
        return self.since != float("-inf")


def is_divided(conn: Connection, table: Table) -> bool:
    """Whether it is kept in parts; never on SQLite."""
    if conn.dialect.name != "postgresql":
        return False
    query = text("SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(:name)")
    return bool(conn.execute(query, {"name": table.name}).scalar())


def is_to_be_divided(conn: Connection, table: Table) -> bool:
    """Whether it is still whole, and this role may change that."""
    return is_owner(conn, table) and not is_divided(conn, table)


def parts_of(conn: Connection, table: Table) -> list[Part]:
    """Oldest first, without the one for what no other is for; none where the table is whole."""
    if conn.dialect.name != "postgresql":
        return []
    query = text(
        "SELECT relname, pg_get_expr(relpartbound, oid) FROM pg_inherits JOIN pg_class ON oid = inhrelid"
        " WHERE inhparent = to_regclass(:name)"
    )
    found = [_part(name, bound) for name, bound in conn.execute(query, {"name": table.name})]
    return sorted((part for part in found if part), key=lambda part: part.since)


def _part(name: str, bound: str) -> Part | None:
    given = _BOUNDS.search(bound)
    return Part(name, float(given["since"] or "-inf"), float(given["upto"])) if given else None


def first_month(conn: Connection, table: Table) -> float:
    """When the oldest part of a single month begins: what is older is deleted row by row. inf where there is none."""
    return min((part.since for part in parts_of(conn, table) if part.is_month), default=float("inf"))


def has_rows(conn: Connection, part: Part) -> bool:
    """Whether anything is left in a part."""
    return conn.execute(text(f'SELECT 1 FROM ONLY "{part.name}" LIMIT 1')).first() is not None


# --- months ahead ------------------------------------------------------------------------------------------------------


def missing_months(conn: Connection, table: Table) -> list[Part]:
    """The months that ought to be there already; none where the table is whole, or belongs to another role.

    A month that has begun without its part stays where its rows are by now.
    """
    parts = parts_of(conn, table)
    if not parts or not is_owner(conn, table):
        return []
    now = _now(conn)
    start = max(parts[-1].upto, _next_month(now))
    last = now
    for _ in range(_AHEAD):
        last = _next_month(last)
    return list(_months(table, start, last))


def month_from(table: Table, start: float) -> Part:
    """The part for the month that begins at a time."""
    return Part(f"{table.name}_{datetime.fromtimestamp(start, UTC):%Y_%m}", start, _next_month(start))


def _months(table: Table, start: float, last: float) -> Iterator[Part]:
    while start <= last:
        yield month_from(table, start)
        start = _next_month(start)


def _next_month(at: float) -> float:
    day = datetime.fromtimestamp(at, UTC)
    return datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC).timestamp()


def make_month(conn: Connection, table: Table, month: Part) -> None:
    """Makes a part beside the table and attaches it, which keeps nobody from reading the table or writing to it.

    Rows of it that are there too early, by a clock that was ahead, move into it.
    """
    own, bounds = f'"{month.name}"', f"FROM ({month.since!r}) TO ({month.upto!r})"
    conn.execute(text(f"CREATE TABLE {own} (LIKE {table.name} INCLUDING DEFAULTS, PRIMARY KEY (id))"))
    early = f"DELETE FROM {table.name} WHERE at >= {month.since!r} AND at < {month.upto!r} RETURNING *"
    conn.execute(text(f"WITH early AS ({early}) INSERT INTO {own} SELECT * FROM early"))
    conn.execute(text(f"ALTER TABLE {table.name} ATTACH PARTITION {own} FOR VALUES {bounds}"))


def close_part(conn: Connection, table: Table, part: Part) -> None:
    """Until this transaction ends nobody reads or writes a part. The table first: others take their locks in this order."""
    conn.execute(text(f'LOCK TABLE ONLY {table.name}, ONLY "{part.name}" IN ACCESS EXCLUSIVE MODE'))


def drop_part(conn: Connection, part: Part) -> None:
    """Drops a part with all of its rows."""
    conn.execute(text(f'DROP TABLE "{part.name}"'))


# --- the division ------------------------------------------------------------------------------------------------------


def size_of(conn: Connection, table: Table) -> int:
    """Bytes of its rows, without indexes."""
    return int(conn.execute(text("SELECT pg_relation_size(to_regclass(:name))"), {"name": table.name}).scalar_one())


def promise(conn: Connection, table: Table) -> None:
    """First step for a large table: it takes nothing of the months that will have parts of their own. Reads no row."""
    if _promised(conn, table) is None:
        rule = f"CHECK (at < {_first_of_its_own(_now(conn))!r}) NOT VALID"
        conn.execute(text(f"ALTER TABLE {table.name} ADD CONSTRAINT {_rule(table)} {rule}"))


def verify(conn: Connection, table: Table) -> None:
    """Second step: reads every row, while everybody goes on reading and writing."""
    conn.execute(text(f"ALTER TABLE {table.name} VALIDATE CONSTRAINT {_rule(table)}"))


def take_back(conn: Connection, table: Table) -> None:
    """Forgets a promise whose month is near: a division that was interrupted must not refuse a row."""
    promised = _promised(conn, table)
    if promised is not None and promised < _now(conn) + _NOTICE:
        conn.execute(text(f"ALTER TABLE {table.name} DROP CONSTRAINT {_rule(table)}"))


def divide(conn: Connection, table: Table) -> None:
    """Makes the table the first part of one of the same name, in which nobody's statement has to change. No row moves.

    After `verify` it changes names alone; without that it reads every row, and nobody else can meanwhile.
    """
    name, before = table.name, f"{table.name}_before"
    upto = _promised(conn, table) or _first_of_its_own(_now(conn))
    conn.execute(text(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE"))
    indexes = _indexes(conn, name)
    grants = _grants(conn, name)
    conn.execute(text(f"ALTER TABLE {name} RENAME TO {before}"))
    for index, _ in indexes:
        conn.execute(text(f"ALTER INDEX {index} RENAME TO {index}_before"))
    conn.execute(text(f"CREATE TABLE {name} (LIKE {before} INCLUDING DEFAULTS) PARTITION BY RANGE (at)"))
    conn.execute(text(f"ALTER SEQUENCE {name}_id_seq OWNED BY {name}.id"))
    for statement in (*(made for _, made in indexes), *grants):
        conn.execute(text(statement))
    conn.execute(text(f"ALTER TABLE {name} ATTACH PARTITION {before} FOR VALUES FROM (MINVALUE) TO ({upto!r})"))
    conn.execute(text(f"ALTER TABLE {before} DROP CONSTRAINT IF EXISTS {_rule(table)}"))
    conn.execute(text(f"CREATE TABLE {name}_other PARTITION OF {name} (PRIMARY KEY (id)) DEFAULT"))


def join(conn: Connection, table: Table) -> None:
    """Makes one whole table of all parts again; copies every row."""
    name, whole = table.name, f"{table.name}_whole"
    conn.execute(text(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE"))
    indexes, grants = _indexes(conn, name), _grants(conn, name)
    conn.execute(text(f"CREATE TABLE {whole} (LIKE {name} INCLUDING DEFAULTS)"))
    conn.execute(text(f"INSERT INTO {whole} SELECT * FROM {name}"))
    conn.execute(text(f"ALTER SEQUENCE {name}_id_seq OWNED BY {whole}.id"))
    conn.execute(text(f"DROP TABLE {name}"))
    conn.execute(text(f"ALTER TABLE {whole} RENAME TO {name}"))
    conn.execute(text(f"ALTER TABLE {name} ADD CONSTRAINT {name}_pkey PRIMARY KEY (id)"))
    for statement in (*(made.replace(" ON ONLY ", " ON ") for _, made in indexes), *grants):
        conn.execute(text(statement))


def _first_of_its_own(now: float) -> float:
    return _next_month(now + _NOTICE)


def _rule(table: Table) -> str:
    return f"{table.name}_before_months"


def _promised(conn: Connection, table: Table) -> float | None:
    """From when on the table takes no row, where it has promised that."""
    query = text(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = to_regclass(:name) AND conname = :rule"
    )
    found = conn.execute(query, {"name": table.name, "rule": _rule(table)}).scalar()
    numbers = re.search(r"at < \(?'?([\d.e+]+)", found or "")
    return float(numbers[1]) if numbers else None


def _indexes(conn: Connection, name: str) -> list[tuple[str, str]]:
    """Name and statement of each but the primary key's."""
    query = text(
        "SELECT relname, pg_get_indexdef(oid) FROM pg_index JOIN pg_class ON oid = indexrelid"
        " WHERE indrelid = to_regclass(:name) AND NOT indisprimary ORDER BY relname"
    )
    return [(index, made) for index, made in conn.execute(query, {"name": name})]


def _grants(conn: Connection, name: str) -> list[str]:
    """What gives a new table of that name the owner and the rights of the one that has it now."""
    query = text(
        "SELECT format('GRANT %s ON %I TO %s', privilege_type, relname,"
        " CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)"
        " || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END"
        " FROM pg_class, aclexplode(relacl) WHERE oid = to_regclass(:name) AND grantee <> relowner"
        " UNION ALL SELECT format('ALTER TABLE %I OWNER TO %I', relname, pg_get_userbyid(relowner))"
        " FROM pg_class WHERE oid = to_regclass(:name)"
    )
    return list(conn.execute(query, {"name": name}).scalars())


def is_owner(conn: Connection, table: Table) -> bool:
    """Whether this role may change the table's form; never on SQLite."""
    if conn.dialect.name != "postgresql":
        return False
    query = text("SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass(:name)")
    return bool(conn.execute(query, {"name": table.name}).scalar())


def _now(conn: Connection) -> float:
    return float(conn.execute(select(db_now())).scalar_one())
