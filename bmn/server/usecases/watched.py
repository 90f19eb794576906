"""Whether the owner saw the end of a job, or how a kit stands: then they need not be told by mail."""

import asyncio

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bmn.broker import redis_keys
from bmn.identity.rights import Right
from bmn.identity.tokens import Principal
from bmn.logs import get_logger

log = get_logger(__name__)

_noting: set[asyncio.Task[None]] = set()


async def note_watched(redis: Redis, name: str, looker: Principal, owner_id: str | None) -> None:
    """Somebody saw it, which counts where it is theirs: who else looks takes no mail from its owner.

    name: a job's id, or a kit as `keys.kit_at` names it.
    """
    if looker.user_id == owner_id and (looker.may(Right.OWN) or looker.may(Right.FOLLOW)):
        await _note(redis, name)


async def _note(redis: Redis, name: str) -> None:
    """While Redis is away it is not noted, and a mail may tell what was seen."""
    try:
        await redis.set(redis_keys.watched(name), 1, ex=redis_keys.WATCHED_SECONDS)
    except (RedisError, OSError) as error:
        log.debug("not noted who watched", error=str(error))


def note_beside(redis: Redis, job_id: str) -> None:
    """A socket heard it, whose rooms are its own user's; not waited for."""
    task = asyncio.get_running_loop().create_task(_note(redis, job_id), name="note-watched")
    _noting.add(task)
    task.add_done_callback(_noting.discard)
