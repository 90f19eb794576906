"""Rows on their way into the archive and back: read as they are, removed if they still are so, put back where they are not.

A row is what the database holds, its documents as text, so that what comes back is what went, byte for byte.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, Integer, Table, Text, bindparam, cast, delete, insert, select
from sqlalchemy.dialects.postgresql import JSONB

from bmn.db.keeping import retention
from bmn.db.keeping.retention import BOOKS, Book, Span
from bmn.db.tables import archive_holds, db_now, metadata

Scalar = str | int | float | None
Values = tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns of a table, in their order. documents: those that hold JSON."""

    table: str
    columns: tuple[str, ...]
    documents: frozenset[str]


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row of a table, its documents as text. columns: those that the table had when it was read."""

    table: str
    columns: tuple[str, ...]
    values: Values

    def get(self, column: str) -> Scalar:
        """A value by its column; None where the table has no such column."""
        return self.values[self.columns.index(column)] if column in self.columns else None


Group = tuple[StoredRow, ...]
"""A row of a book, and after it what belongs to it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A batch that is about to be archived. since, upto: the times of its oldest and newest row. rows: by table, as read."""

    book: Book
    keys: list[Any]
    since: float
    upto: float
    groups: list[Group]
    rows: dict[Table, list[Values]]


class RowsChanged(Exception):
    """Rows are no longer what was read: somebody else has written or removed them meanwhile."""


def shape_of(table: str) -> Shape:
    """The shape that a table has in this release. Raises KeyError for a table that it does not have."""
    columns = metadata.tables[table].columns
    documents = frozenset(column.name for column in columns if isinstance(column.type, JSON))
    return Shape(table, tuple(column.name for column in columns), documents)


# --- into the archive --------------------------------------------------------------------------------------------------


def take(conn: Connection, book: Book, limit: int, after: float) -> Taken | None:
    """Reads the next batch that is due, as `retention.due` finds it; None where nothing is."""
    found = retention.due(conn, book, limit, after, archiving=True)
    return _read(conn, book, found.keys, found.span) if found.keys else None


def take_letters(conn: Connection, limit: int) -> Taken | None:
    """Reads surplus dead letters; None where there are none."""
    found = retention.surplus_letters(conn, limit)
    return _read(conn, retention.BOOK_OF["dead_letters"], found) if found else None


def _read(conn: Connection, book: Book, keys: list[Any], span: Span | None = None) -> Taken:
    rows: dict[Table, list[Values]] = {}
    for table, these in book.named(keys, span).items():
        query = select(*_as_stored(table)).where(these).order_by(*table.primary_key)
        rows[table] = [tuple(row) for row in conn.execute(query)]
    at = _place(book.table, book.at.name)
    times = [float(row[at] or 0) for row in rows[book.table]]
    return Taken(book, keys, min(times, default=0.0), max(times, default=0.0), _grouped(book, rows), rows)


def _grouped(book: Book, rows: dict[Table, list[Values]]) -> list[Group]:
    own = shape_of(book.name)
    if not book.belonging:
        return [(StoredRow(own.table, own.columns, values),) for values in rows[book.table]]
    [key] = (_place(book.table, column.name) for column in book.table.primary_key)
    groups: dict[Scalar, list[StoredRow]] = {
        values[key]: [StoredRow(own.table, own.columns, values)] for values in rows[book.table]
    }
    for column in book.belonging:
        shape, place = shape_of(column.table.name), _place(column.table, column.name)
        for values in rows[column.table]:
            groups[values[place]].append(StoredRow(shape.table, shape.columns, values))
    return [tuple(group) for group in groups.values()]


def remove(conn: Connection, taken: Taken) -> None:
    """Deletes what was taken. Raises RowsChanged where that is not, to the last byte, what the tables hold by now."""
    for table, these in reversed(taken.book.named(taken.keys, (taken.since, taken.upto)).items()):
        gone = conn.execute(delete(table).where(these).returning(*_as_stored(table)))
        if Counter(map(tuple, gone)) != Counter(taken.rows[table]):
            raise RowsChanged


def _as_stored(table: Table) -> list[ColumnElement[Any]]:
    return [
        cast(column, Text).label(column.name) if isinstance(column.type, JSON) else column for column in table.columns
    ]


def _place(table: Table, column: str) -> int:
    return [each.name for each in table.columns].index(column)


# --- out of the archive ------------------------------------------------------------------------------------------------


def put_back(conn: Connection, groups: Sequence[Group]) -> int:
    """Inserts the groups of one book whose row is absent; returns how many. Doing it twice changes nothing.

    A number that the database gives by itself, and has given to another row since, becomes a new one.
    """
    if not groups:
        return 0
    table = metadata.tables[groups[0][0].table]
    absent = _absent(conn, table, [group[0] for group in groups])
    wanted: dict[Table, list[StoredRow]] = {}
    for group in (group for group, is_absent in zip(groups, absent, strict=True) if is_absent):
        for row in group:
            wanted.setdefault(metadata.tables[row.table], []).append(row)
    for each, rows in wanted.items():
        _insert(conn, each, rows)
    return sum(absent)


def hold(conn: Connection, book: str, since: float, upto: float, seconds: float) -> None:
    """Leaves rows of a book alone for so many seconds. since, upto: their times, both included."""
    values = {"book": book, "since": since, "upto": upto, "held_until": db_now() + seconds}
    conn.execute(insert(archive_holds).values(values))


def _absent(conn: Connection, table: Table, rows: Sequence[StoredRow]) -> list[bool]:
    stored = _with_keys(conn, table, rows)
    if _number_of(table) is None:
        return [_key(table, row) not in stored for row in rows]
    at = next(book.at for book in BOOKS if book.table is table)
    absent = []
    for row in rows:
        found = stored.get(_key(table, row))
        if found is not None and not _alike(found, row):
            query = select(*_as_stored(table)).where(at == row.get(at.name))
            found = next((other for other in _stored(conn, table, query) if _alike(other, row)), None)
        absent.append(found is None)
    return absent


def _insert(conn: Connection, table: Table, rows: list[StoredRow]) -> None:
    number = _number_of(table)
    taken = _with_keys(conn, table, rows) if number else {}
    for renumbered in (False, True):
        some = [row for row in rows if (_key(table, row) in taken) is renumbered]
        if not some:
            continue
        columns = [name for name in some[0].columns if not (renumbered and name == number)]
        conn.execute(
            insert(table).values({name: _given(conn, table, name) for name in columns}),
            [{f"v_{name}": row.get(name) for name in columns} for row in some],
        )


def _given(conn: Connection, table: Table, name: str) -> ColumnElement[Any]:
    column = table.columns[name]
    if not isinstance(column.type, JSON):
        return bindparam(f"v_{name}", type_=column.type)
    document = bindparam(f"v_{name}", type_=Text)
    return cast(document, JSONB) if conn.dialect.name == "postgresql" else document


def _with_keys(conn: Connection, table: Table, rows: Sequence[StoredRow]) -> dict[Values, StoredRow]:
    """What stands under the keys of these rows by now."""
    [first, *_] = table.primary_key
    query = select(*_as_stored(table)).where(first.in_({row.get(first.name) for row in rows}))
    return {_key(table, row): row for row in _stored(conn, table, query)}


def _stored(conn: Connection, table: Table, query: Any) -> Iterable[StoredRow]:
    columns = shape_of(table.name).columns
    return [StoredRow(table.name, columns, tuple(row)) for row in conn.execute(query)]


def _key(table: Table, row: StoredRow) -> Values:
    return tuple(row.get(column.name) for column in table.primary_key)


def _number_of(table: Table) -> str | None:
    """The column that the database counts by itself."""
    keys = list(table.primary_key)
    return keys[0].name if len(keys) == 1 and isinstance(keys[0].type, Integer) else None


def _alike(stored: StoredRow, row: StoredRow) -> bool:
    """Whether they say the same, whatever their number and the spelling of their documents."""
    shape, number = shape_of(row.table), _number_of(metadata.tables[row.table])
    for name in row.columns:
        left, right = stored.get(name), row.get(name)
        if name in shape.documents and isinstance(left, str) and isinstance(right, str):
            left, right = json.loads(left), json.loads(right)
        if name != number and left != right:
            return False
    return True
