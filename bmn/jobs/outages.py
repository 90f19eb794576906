"""When a provider is down for everybody, and whether another one of its queue does the work meanwhile."""

from bmn.db import call_store, outage_store
from bmn.db.engine import Connection
from bmn.errors import OUTAGES
from bmn.jobs.queue import Queue
from bmn.settings import Settings

_WINDOW = 600.0  # seconds within which jobs in a row count together


def is_down(conn: Connection, settings: Settings, queue: Queue, provider: str | None = None) -> bool:
    """Whether several jobs in a row have got no answer. provider: of a queue that has several."""
    enough = settings.bmn_outage_jobs
    return bool(enough) and call_store.unanswered_jobs(conn, queue.name, OUTAGES, _WINDOW, provider) >= enough


def in_service(conn: Connection, settings: Settings, queue: Queue) -> str | None:
    """The provider that does a queue's work at the moment; None where all of them are out."""
    order = queue.order(settings)
    if not queue.has_order(settings):
        return next(iter(order), None)
    out = outage_store.of_queue(conn, queue.name)
    return next((name for name in order if name not in out), None)


def stand_in(conn: Connection, settings: Settings, queue: Queue) -> str | None:
    """The provider that does a queue's work in place of its first one; None where that does it, or nobody."""
    maker = in_service(conn, settings, queue)
    return maker if maker != next(iter(queue.order(settings)), None) else None
