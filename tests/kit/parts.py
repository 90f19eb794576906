"""Calls of providers as PostgreSQL has them after years: in many parts."""

from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select, text

from bmn.db.keeping import partitions
from bmn.db.keeping.partitions import Part
from bmn.db.tables import db_now, provider_calls, spending_mark

_AGO = 20  # months


def month_ago(conn: Connection, number: int) -> Part:
    """The part for a month that is so many before this one."""
    now = datetime.fromtimestamp(conn.execute(select(db_now())).scalar_one(), UTC)
    count = now.year * 12 + now.month - 1 - number
    return partitions.month_from(provider_calls, datetime(count // 12, count % 12 + 1, 1, tzinfo=UTC).timestamp())


def divide_long_ago(conn: Connection) -> None:
    """As if the table had been divided twenty months ago, and had got a part each month since; its rows are kept."""
    conn.execute(text("CREATE TEMPORARY TABLE kept ON COMMIT DROP AS SELECT * FROM provider_calls"))
    conn.execute(text("DELETE FROM provider_calls"))
    partitions.join(conn, provider_calls)
    upto = month_ago(conn, _AGO).since
    rule = f"ALTER TABLE provider_calls ADD CONSTRAINT provider_calls_before_months CHECK (at < {upto!r})"
    conn.execute(text(rule))
    partitions.divide(conn, provider_calls)
    for number in range(_AGO, -3, -1):
        partitions.make_month(conn, provider_calls, month_ago(conn, number))
    conn.execute(text("INSERT INTO provider_calls SELECT * FROM kept"))
    if conn.execute(select(spending_mark.c.upto)).first() is None:
        conn.execute(insert(spending_mark).values(id=1, upto=db_now()))
