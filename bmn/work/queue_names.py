"""The names of all queues, for whoever only checks a name: what a generator's row says brings the engine with it."""

from bmn.jobs.queue import check_name
from bmn.schemas.generators import KIND_OF
from bmn.work.housekeeping import HOUSEKEEPING

QUEUE_NAMES: tuple[str, ...] = (*KIND_OF, *HOUSEKEEPING)


def known_queue(name: str) -> str:
    """The name itself. Raises NotFound, which lists the names there are."""
    return check_name(QUEUE_NAMES, name)
