"""All ten queues, gathered from their modules; the figures of nine are the specification's, the tenth is ours.

A generator's row stands in its own module, below `bmn.work.generators`; the others stand in `bmn.work.housekeeping`.
"""

from bmn.jobs.queue import DEAD_LETTER, Queue, find_queue
from bmn.work.generators import GENERATORS
from bmn.work.housekeeping import HOUSEKEEPING

QUEUES: dict[str, Queue] = {name: generator.queue for name, generator in GENERATORS.items()} | HOUSEKEEPING

# What RQ and its dashboard list: all of them, and the dead letters.
ALL_QUEUES: tuple[str, ...] = (*QUEUES, DEAD_LETTER)


def get_queue(name: str) -> Queue:
    """The row of a queue. Raises NotFound, which lists the names there are."""
    return find_queue(QUEUES, name)
