"""Figures that are added up once: a mark moves over the rows, and what it has passed is read from sums by hour and day.

Who moves the mark over a span adds what lies in it, in the same transaction; of two who try, one does.
"""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Double, Table, func, literal_column, select, update
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from bmn.db.tables import db_now
from bmn.db.upsert import insert_once

MINUTE, HOUR, DAY, TOTAL = 60, 3600, 86_400, 0
BEHIND = 120.0  # seconds; a transaction that has noted when something happened has committed by then
_STEP = float(DAY)  # how much of an old table one transaction adds up


def mark_of(conn: Connection, marks: Table) -> float | None:
    """Up to where rows have been added up, in seconds since 1970; None where nobody has begun."""
    value: float | None = conn.execute(select(marks.c.upto)).scalar()
    return value


def move_mark(conn: Connection, marks: Table, at: ColumnElement[float]) -> tuple[float, float, bool] | None:
    """Moves the mark towards two minutes ago, a day at most: from where, to where, whether more is left.

    None: it is there already, or somebody else moves it. at: the column of time, whose lowest value it begins at.
    """
    now = float(conn.execute(select(db_now())).scalar_one())
    until = (now - BEHIND) // MINUTE * MINUTE
    mark = mark_of(conn, marks)
    if mark is None:
        first = conn.execute(select(func.min(at)).where(at.is_not(None))).scalar()
        mark = until if first is None else min(until, first // MINUTE * MINUTE)
        conn.execute(insert_once(conn, marks).values(id=1, upto=mark).on_conflict_do_nothing())
    target = min(until, mark + _STEP)
    moved = update(marks).where(marks.c.upto == mark, marks.c.upto < target)
    if conn.execute(moved.values(upto=target)).rowcount == 0:
        return None
    return mark, target, target < until


def bucket_of(at: float, span: int) -> float:
    """Where the minute, hour or day of a moment begins; 0.0 for the sum of all."""
    return at // span * span if span else 0.0


class beginning_of(FunctionElement[float]):
    """Where the minute, hour or day of a column's moment begins, in SQL."""

    type = Double()
    inherit_cache = True

    def __init__(self, at: ColumnElement[float], span: int) -> None:
        # The span is spelled out, since PostgreSQL does not take two parameters of one value for the same expression.
        super().__init__(at, literal_column(str(span)))


@compiles(beginning_of, "sqlite")
def _in_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    at, span = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(CAST({at} / {span} AS INTEGER) * {span}.0)"


@compiles(beginning_of, "postgresql")
def _in_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    at, span = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(floor({at} / {span}) * {span})"
