"""What provider calls cost, by kind, provider, model and user: a user's own from their calls, everybody's from sums.

Each call is added once, when the mark passes it: to its hour, its day and a total that outlives the calls. So what the
fleet has spent costs as much to ask for after a million calls as after a thousand, and is exact at every moment. Beside
them, by kind and by user, the same of jobs: when one has ended, what it was expected to cost when it was submitted, and the
credits that its user was charged.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Float, Integer, String, delete, func, literal_column, select
from sqlalchemy.sql import ColumnElement

from bmn.db.records import Cost
from bmn.db.sums.rollup import DAY, HOUR, TOTAL, beginning_of, bucket_of, mark_of, move_mark
from bmn.db.tables import db_now, jobs, provider_calls, provider_spending, spending_mark
from bmn.db.upsert import insert_once

CostsBy = Literal["kind", "provider", "user", "model"]
ExpectedBy = Literal["kind", "user"]

# Spelled out, since PostgreSQL does not take two parameters of one value for the same expression.
_NONE: ColumnElement[str] = literal_column("'-'", String)
_NOTHING: ColumnElement[float] = literal_column("0.0", Float)


@dataclass(frozen=True, slots=True)
class _Dimension:
    """By what is added up. name: in the table of sums. of_jobs: what of a job that has ended, instead of what was called."""

    name: str
    key: ColumnElement[Any]
    of_jobs: ColumnElement[Any] | None = None

    @property
    def at(self) -> ColumnElement[Any]:
        return provider_calls.c.at if self.of_jobs is None else jobs.c.completed_at

    @property
    def owner(self) -> ColumnElement[Any]:
        return provider_calls.c.user_id if self.of_jobs is None else jobs.c.user_id


_CALLS: dict[CostsBy, _Dimension] = {
    "kind": _Dimension("kind", func.coalesce(provider_calls.c.queue, _NONE)),
    "provider": _Dimension("provider", func.coalesce(provider_calls.c.provider, _NONE)),
    "user": _Dimension("user", func.coalesce(provider_calls.c.user_id, _NONE)),
    "model": _Dimension("model", func.coalesce(provider_calls.c.model, _NONE)),
}
_JOBS: dict[ExpectedBy, ColumnElement[Any]] = {"kind": jobs.c.queue, "user": func.coalesce(jobs.c.user_id, _NONE)}
_EXPECTED = {by: _Dimension(f"{by} expected", key, jobs.c.usd_estimated) for by, key in _JOBS.items()}
_CHARGED = {by: _Dimension(f"{by} charged", key, jobs.c.credits_charged) for by, key in _JOBS.items()}
_DIMENSIONS = (*_CALLS.values(), *_EXPECTED.values(), *_CHARGED.values())
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
    if user_id is not None:
        found = _of_rows(conn, _CALLS[by], user_id=user_id, since=since)
    else:
        found = _added_up(conn, _CALLS[by], since=since)
    return sorted(found, key=lambda cost: (-round(cost.usd, 6), cost.key, cost.sandboxed))[:limit]


def expected(
    conn: Connection, by: ExpectedBy, *, user_id: str | None = None, since: float | None = None
) -> dict[str, float]:
    """USD that the jobs which have ended were expected to cost, by key; those that the sandbox carried out, nothing.

    user_id: only that user's, and by `user` alone. since: as in `costs`.
    """
    return {each.key: each.usd for each in _added_up(conn, _EXPECTED[by], since=since, only=user_id)}


def credits_charged(conn: Connection, *, user_id: str | None = None, since: float | None = None) -> int:
    """Credits that users were charged for the jobs which have ended. user_id: only that user's. since: as in `costs`."""
    by = _CHARGED["kind" if user_id is None else "user"]
    return round(sum(each.units for each in _added_up(conn, by, since=since, only=user_id)))


def _added_up(conn: Connection, by: _Dimension, *, since: float | None, only: str | None = None) -> list[Cost]:
    """From sums as far as they go, and from rows at both ends. only: of this key, a user's id."""
    mark = mark_of(conn, spending_mark)
    if mark is None or (since is not None and since >= mark):
        return _of_rows(conn, by, user_id=only, since=since)
    if since is None:
        return _merged((*_of_sums(conn, by, TOTAL, only=only), *_of_rows(conn, by, user_id=only, since=mark)))
    span = HOUR if not by.name.startswith("user") and since > _now(conn) - _KEPT[HOUR] + DAY else DAY
    first = min(mark, bucket_of(since + span, span))
    edges = (
        *_of_rows(conn, by, user_id=only, since=since, until=first),
        *_of_rows(conn, by, user_id=only, since=mark),
    )
    return _merged((*_of_sums(conn, by, span, first, only=only), *edges))


def roll_up(conn: Connection) -> bool:
    """Moves the mark towards two minutes ago; False where it is there already. Of two who do it at once, one adds."""
    moved = move_mark(conn, spending_mark, provider_calls.c.at)
    if moved is None:
        return False
    start, end, further = moved
    sums: dict[tuple[int, float, str, str, int], list[float]] = {}
    for by in _DIMENSIONS:
        hour = beginning_of(by.at, HOUR).label("hour")
        query = _added(by, hour).where(by.at >= start, by.at < end)
        for row in conn.execute(query.group_by(hour)):
            for span in _SPANS:
                place = (span, bucket_of(row.hour, span), by.name, row.key, row.sandboxed)
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
            delete(table).where(table.c.span == span, table.c.dimension == by.name, table.c.bucket < db_now() - kept)
        ).rowcount
        for span, kept in _KEPT.items()
        for by in _DIMENSIONS
    )


def _now(conn: Connection) -> float:
    return float(conn.execute(select(db_now())).scalar_one())


def _added(by: _Dimension, *columns: ColumnElement[Any]) -> Any:
    key = by.key.label("key")
    if by.of_jobs is not None:
        real, added, credited = literal_column("0", Integer), func.sum(by.of_jobs), by.of_jobs is jobs.c.credits_charged
        units, usd = (added, _NOTHING) if credited else (_NOTHING, added)
        sums = real.label("sandboxed"), func.count().label("calls"), units.label("units"), usd.label("usd")
        query = select(key, *columns, *sums)
        return query.where(jobs.c.completed_at.is_not(None), by.of_jobs > 0).group_by(key)
    called = provider_calls.c
    return select(
        key,
        *columns,
        called.sandboxed,
        func.count().label("calls"),
        func.coalesce(func.sum(called.units), 0.0).label("units"),
        func.coalesce(func.sum(called.usd), 0.0).label("usd"),
    ).group_by(key, called.sandboxed)


def _of_rows(
    conn: Connection,
    by: _Dimension,
    *,
    user_id: str | None = None,
    since: float | None = None,
    until: float | None = None,
) -> list[Cost]:
    query = _added(by)
    if user_id is not None:
        query = query.where(by.owner == user_id)
    if since is not None:
        query = query.where(by.at >= since)
    if until is not None:
        query = query.where(by.at < until)
    return [Cost.from_row(row) for row in conn.execute(query)]


def _of_sums(conn: Connection, by: _Dimension, span: int, first: float = 0.0, *, only: str | None = None) -> list[Cost]:
    table = provider_spending.c
    query = (
        select(table.key, table.sandboxed, *(func.sum(table[name]).label(name) for name in _SUMS))
        .where(table.span == span, table.dimension == by.name, table.bucket >= first)
        .group_by(table.key, table.sandboxed)
    )
    if only is not None:
        query = query.where(table.key == only)
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
