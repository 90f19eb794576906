"""How words are looked for in a column, without anything in them meaning more than itself."""

from typing import Any

from sqlalchemy import ColumnElement, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnClause
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean


def contains(column: ColumnElement[Any], words: str) -> ColumnElement[bool]:
    """Whether the words stand anywhere in a column, in whatever case. No index answers it."""
    condition: ColumnElement[bool] = column.ilike(f"%{_escaped(words)}%", escape="\\")
    return condition


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


class begins_with(FunctionElement[bool]):
    """Whether a column begins with these characters, each as it is; in the form that each database's index serves."""

    type = Boolean()
    inherit_cache = True

    def __init__(self, column: ColumnClause[str] | ColumnElement[str], prefix: str) -> None:
        super().__init__(column, literal(prefix), literal(_escaped(prefix) + "%"), literal(prefix + "\U0010ffff"))


@compiles(begins_with, "sqlite")
def _in_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    column, prefix, _, after = element.clauses
    low, high = compiler.process(prefix, **options), compiler.process(after, **options)
    name = compiler.process(column, **options)
    return f"({name} >= {low} AND {name} < {high})"


@compiles(begins_with, "postgresql")
def _in_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    column, _, pattern, _ = element.clauses
    return f"({compiler.process(column, **options)} LIKE {compiler.process(pattern, **options)} ESCAPE '\\')"
