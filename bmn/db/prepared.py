"""Statements of the hot paths: compiled once, then handed to the driver as they are.

SQLAlchemy looks a statement up anew at each execution, sets a context and a result up, and takes them down again: for a
small statement that is ten times what the database needs. What it would do for the values of a row is done here by its own
processors, and an error of the driver goes its way, so that whoever writes or reads sees no difference.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Executable, Row
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.sql.compiler import SQLCompiler

_Processor = Callable[[Any], Any]
Found = Row[*tuple[Any, ...]]
"""A row as SQLAlchemy has it: its values by place and by name."""


class Prepared:
    """A statement that stands in a module and runs often. What it takes at a call may be a column or a parameter.

    Its lists have a fixed length: no `IN` of a list of values.
    """

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._compiled: dict[tuple[str, ...], _Compiled] = {}

    def all(self, conn: Connection, values: Mapping[str, Any]) -> list[Found]:
        """The rows that it finds, or returns. Raises what executing it would."""
        compiled = self._for(conn, values)
        cursor = compiled.send(conn, values)
        try:
            found = cursor.fetchall()
            return compiled.rows(conn.dialect, cursor.description, found) if found else []
        except conn.dialect.loaded_dbapi.Error as error:
            conn._handle_dbapi_exception(error, compiled.text, None, cursor, None)
        finally:
            cursor.close()

    def first(self, conn: Connection, values: Mapping[str, Any]) -> Found | None:
        """The row that it finds, or returns; None where there is none."""
        found = self.all(conn, values)
        return found[0] if found else None

    def one(self, conn: Connection, values: Mapping[str, Any]) -> Found:
        """The row that has to be there. Raises LookupError where it is not."""
        found = self.all(conn, values)
        if len(found) != 1:
            raise LookupError(f"{len(found)} rows instead of one: {self._statement}")
        return found[0]

    def run(self, conn: Connection, values: Mapping[str, Any]) -> int:
        """For one that returns nothing: how many rows it has changed."""
        cursor = self._for(conn, values).send(conn, values)
        changed = int(cursor.rowcount)
        cursor.close()
        return changed

    def _for(self, conn: Connection, values: Mapping[str, Any]) -> "_Compiled":
        key = (conn.dialect.name, *values)
        found = self._compiled.get(key)
        if found is None:
            found = self._compiled[key] = _Compiled.of(self._statement, conn.dialect, values)
        return found


@dataclass(slots=True)
class _Compiled:
    """A statement for one database and one set of names. fixed: values that never change, by name.

    order: the names by their places, where the driver takes them so.
    """

    text: str
    fixed: dict[str, Any]
    processors: Mapping[str, _Processor]
    order: tuple[str, ...] | None
    columns: Sequence[tuple[str, Any]]
    shape: "_Shape | None" = None

    @classmethod
    def of(cls, statement: Executable, dialect: Dialect, values: Mapping[str, Any]) -> "_Compiled":
        compiled = statement.compile(dialect=dialect, column_keys=list(values))  # type: ignore[attr-defined]
        if not isinstance(compiled, SQLCompiler):
            raise TypeError(f"not a statement that can be prepared: {statement}")
        ready = compiled.construct_expanded_state({**_defaults(compiled), **values})
        by_name: Mapping[str, Any] = compiled._bind_processors
        if ready.parameter_expansion:
            raise TypeError(f"a list of any length cannot be prepared: {statement}")
        fixed = {name: value for name, value in ready.parameters.items() if name not in values}
        for name in fixed.keys() & by_name.keys():
            fixed[name] = by_name[name](fixed[name])
        processors = {name: by_name[name] for name in values if name in by_name}
        order = None if ready.positiontup is None else tuple(ready.positiontup)
        columns = [(column.keyname, column.type) for column in compiled._result_columns]
        return cls(ready.statement, fixed, processors, order, columns)

    def send(self, conn: Connection, values: Mapping[str, Any]) -> Any:
        """Executes it; the cursor is the caller's to close."""
        taken = {**self.fixed, **values}
        for name, process in self.processors.items():
            taken[name] = process(taken[name])
        sent: Any = taken if self.order is None else [taken[name] for name in self.order]
        if not conn.in_transaction():
            conn.begin()
        cursor = conn.connection.cursor()
        for listen in conn.dispatch.before_cursor_execute:
            listen(conn, cursor, self.text, sent, None, False)
        try:
            cursor.execute(self.text, sent)
        except conn.dialect.loaded_dbapi.Error as error:
            conn._handle_dbapi_exception(error, self.text, sent, cursor, None)
        return cursor

    def rows(self, dialect: Dialect, description: Sequence[Any], found: Sequence[Any]) -> list[Found]:
        """As SQLAlchemy has them: values as their columns mean them, by place and by name."""
        if self.shape is None:  # only the driver's answer says which types it sends
            self.shape = _Shape.of(self.columns, dialect, description)
        parent, processors, places = self.shape.parent, self.shape.processors, self.shape.parent._key_to_index
        return [Row(parent, processors, places, row) for row in found]


@dataclass(frozen=True, slots=True)
class _Shape:
    """What makes a row of what the driver has read."""

    parent: SimpleResultMetaData
    processors: Sequence[Any] | None

    @classmethod
    def of(cls, columns: Sequence[tuple[str, Any]], dialect: Dialect, description: Sequence[Any]) -> "_Shape":
        found = [
            kind.dialect_impl(dialect).result_processor(dialect, told[1])
            for (_, kind), told in zip(columns, description, strict=True)
        ]
        return cls(SimpleResultMetaData([name for name, _ in columns]), found if any(found) else None)


def _defaults(compiled: SQLCompiler) -> dict[str, object]:
    """What columns get that no value is given for. Raises TypeError where that is not the same each time."""
    found: dict[str, Any] = {}
    for default, columns in (("default", compiled.insert_prefetch), ("onupdate", compiled.update_prefetch)):
        for column in columns:
            made: Any = getattr(column, default)
            value = made.arg(None) if made.is_callable else made.arg
            if made.is_callable and value not in ({}, []):
                raise TypeError(f"{column} gets another value for each row, and cannot be prepared")
            found[column.key] = value
    return found
