"""Providers that are out while another one of their queue does the work: shared by all workers, asked again now and then."""

from sqlalchemy import Connection, bindparam, delete, select, update

from bmn.db.prepared import Prepared
from bmn.db.records import OutageRow
from bmn.db.tables import db_now, provider_outages
from bmn.db.upsert import insert_once
from bmn.errors import Cause

_OF_QUEUE = Prepared(select(provider_outages).where(provider_outages.c.queue == bindparam("of_queue")))


def of_queue(conn: Connection, queue: str) -> dict[str, OutageRow]:
    """Those of a queue, by the provider's name."""
    return {row.provider: OutageRow.from_row(row) for row in _OF_QUEUE.all(conn, {"of_queue": queue})}


def note(conn: Connection, queue: str, provider: str, *, cause: Cause, reason: str, probe_in: float) -> bool:
    """A provider is out, or still is; False if that was known. probe_in: seconds until it is asked again."""
    known = provider in of_queue(conn, queue)
    values = {"cause": cause, "reason": reason, "probe_at": db_now() + probe_in}
    statement = insert_once(conn, provider_outages).values(queue=queue, provider=provider, since=db_now(), **values)
    conn.execute(statement.on_conflict_do_update(index_elements=["queue", "provider"], set_=values))
    return not known


def take_probe(conn: Connection, queue: str, provider: str, *, again: float, at_once: bool = False) -> bool:
    """Whether this worker is to ask a provider that is out: one at a time does, and the next one `again` seconds later.

    at_once: though it is not due yet.
    """
    mine = [provider_outages.c.queue == queue, provider_outages.c.provider == provider]
    if not at_once:
        mine.append(provider_outages.c.probe_at <= db_now())
    return conn.execute(update(provider_outages).where(*mine).values(probe_at=db_now() + again)).rowcount == 1


def end(conn: Connection, queue: str, provider: str | None = None) -> bool:
    """A provider is well again; False if it was not out. None: all of the queue, as nobody has asked them yet."""
    mine = [provider_outages.c.queue == queue]
    if provider is not None:
        mine.append(provider_outages.c.provider == provider)
    return conn.execute(delete(provider_outages).where(*mine)).rowcount > 0
