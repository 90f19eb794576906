"""Who saw the end of a job, or how a kit stands: then nobody has to be told by mail."""

import asyncio

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bmn.broker import keys
from bmn.logs import get_logger

log = get_logger(__name__)

_noting: set[asyncio.Task[None]] = set()


async def note_watched(redis: Redis, name: str) -> None:
    """Somebody saw it. name: a job's id, or a kit as `keys.kit_at` names it.

    While Redis is away it is not noted, and a mail may tell what was seen.
    """
    try:
        await redis.set(keys.watched(name), 1, ex=keys.WATCHED_SECONDS)
    except (RedisError, OSError) as error:
        log.debug("not noted who watched", error=str(error))


def note_beside(redis: Redis, job_id: str) -> None:
    """The same without waiting for it."""
    task = asyncio.get_running_loop().create_task(note_watched(redis, job_id), name="note-watched")
    _noting.add(task)
    task.add_done_callback(_noting.discard)
