"""What provider calls cost, by kind, provider, model and user: a user's own from their calls, everybody's from sums.

Each call is added once, when the mark passes it: to its hour, its day and a total that outlives the calls. So what the
fleet has spent costs as much to ask for after a million calls as after a thousand, and is exact at every moment.
"""

from collections.abc import Iterable
from typing import Any, Literal

from sqlalchemy import Connection, String, delete, func, literal_column, select
from sqlalchemy.sql import ColumnElement

from bmn.db.records import Cost
from bmn.db.sums.rollup import DAY, HOUR, TOTAL, beginning_of, bucket_of, mark_of, move_mark
from bmn.db.tables import db_now, provider_calls, provider_spending, spending_mark
from bmn.db.upsert import insert_once

CostsBy = Literal["kind", "provider", "user", "model"]

# Spelled out, since PostgreSQL does not take two parameters of one value for the same expression.
_NONE: ColumnElement[str] = literal_column("'-'", String)
_KEYS: dict[CostsBy, ColumnElement[Any]] = {
    "kind": func.coalesce(provider_calls.c.queue, _NONE),
    "provider": func.coalesce(provider_calls.c.provider, _NONE),
    "user": func.coalesce(provider_calls.c.user_id, _NONE),
    "model": func.coalesce(provider_calls.c.model, _NONE),
}
_SPANS = (HOUR, DAY, TOTAL)
_KEPT = {HOUR: 35 * DAY, DAY: 400 * DAY}
_PRIMARY = ("span", "bucket", "dimension", "key", "sandboxed")
_SUMS = ("calls", "units", "usd")


def costs(
    conn: Connection, by: CostsBy, *, user_id: str | None = None, since: float | None = None, limit: int = 200
) -> list[Cost]:
    """Calls, units and dollars per key, dearest first; sandboxed ones apart, since nobody is billed for those.

    user_id: only that user's. since: seconds since 1970.
    """
    mark = None if user_id is not None else mark_of(conn, spending_mark)
    if mark is None or (since is not None and since >= mark):
        found = _of_calls(conn, by, user_id=user_id, since=since)
    elif since is None:
        found = _merged((*_of_sums(conn, by, TOTAL), *_of_calls(conn, by, since=mark)))
    else:
        span = HOUR if by != "user" and since > _now(conn) - _KEPT[HOUR] + DAY else DAY
        first = min(mark, bucket_of(since + span, span))
        edges = (*_of_calls(conn, by, since=since, until=first), *_of_calls(conn, by, since=mark))
        found = _merged((*_of_sums(conn, by, span, first), *edges))
    return sorted(found, key=lambda cost: (-round(cost.usd, 6), cost.key, cost.sandboxed))[:limit]


def roll_up(conn: Connection) -> bool:
    """Moves the mark towards two minutes ago; False where it is there already. Of two who do it at once, one adds."""
    moved = move_mark(conn, spending_mark, provider_calls.c.at)
    if moved is None:
        return False
    start, end, further = moved
    hour = beginning_of(provider_calls.c.at, HOUR).label("hour")
    sums: dict[tuple[int, float, str, str, int], list[float]] = {}
    for by, key in _KEYS.items():
        query = _added(key.label("key"), hour).where(provider_calls.c.at >= start, provider_calls.c.at < end)
        for row in conn.execute(query.group_by(hour)):
            for span in _SPANS:
                place = (span, bucket_of(row.hour, span), by, row.key, row.sandboxed)
                held = sums.setdefault(place, [0, 0.0, 0.0])
                for position, value in enumerate((row.calls, row.units, row.usd)):
                    held[position] += value
    _add(conn, sums)
    return further


def delete_old(conn: Connection) -> int:
    """Drops hours after 35 days and days after 400; totals stay."""
    table = provider_spending
    return sum(
        conn.execute(
            delete(table).where(table.c.span == span, table.c.dimension == by, table.c.bucket < db_now() - kept)
        ).rowcount
        for span, kept in _KEPT.items()
        for by in _KEYS
    )


def _now(conn: Connection) -> float:
    return float(conn.execute(select(db_now())).scalar_one())


def _added(*columns: ColumnElement[Any]) -> Any:
    called = provider_calls.c
    return select(
        *columns,
        called.sandboxed,
        func.count().label("calls"),
        func.coalesce(func.sum(called.units), 0.0).label("units"),
        func.coalesce(func.sum(called.usd), 0.0).label("usd"),
    ).group_by(columns[0], called.sandboxed)


def _of_calls(
    conn: Connection, by: CostsBy, *, user_id: str | None = None, since: float | None = None, until: float | None = None
) -> list[Cost]:
    query = _added(_KEYS[by].label("key"))
    if user_id is not None:
        query = query.where(provider_calls.c.user_id == user_id)
    if since is not None:
        query = query.where(provider_calls.c.at >= since)
    if until is not None:
        query = query.where(provider_calls.c.at < until)
    return [Cost.from_row(row) for row in conn.execute(query)]


def _of_sums(conn: Connection, by: CostsBy, span: int, first: float = 0.0) -> list[Cost]:
    table = provider_spending.c
    query = (
        select(table.key, table.sandboxed, *(func.sum(table[name]).label(name) for name in _SUMS))
        .where(table.span == span, table.dimension == by, table.bucket >= first)
        .group_by(table.key, table.sandboxed)
    )
    return [Cost.from_row(row) for row in conn.execute(query)]


def _merged(parts: Iterable[Cost]) -> list[Cost]:
    found: dict[tuple[str, bool], Cost] = {}
    for part in parts:
        held = found.get((part.key, part.sandboxed))
        found[part.key, part.sandboxed] = part if held is None else _sum(held, part)
    return list(found.values())


def _sum(one: Cost, other: Cost) -> Cost:
    return Cost(one.key, one.sandboxed, one.calls + other.calls, one.units + other.units, one.usd + other.usd)


def _add(conn: Connection, sums: dict[tuple[int, float, str, str, int], list[float]]) -> None:
    if not sums:
        return
    statement = insert_once(conn, provider_spending)
    added = {name: provider_spending.c[name] + statement.excluded[name] for name in _SUMS}
    statement = statement.on_conflict_do_update(index_elements=list(_PRIMARY), set_=added)
    conn.execute(
        statement, [dict(zip((*_PRIMARY, *_SUMS), (*place, *held), strict=True)) for place, held in sums.items()]
    )
