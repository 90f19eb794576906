"""What is read often and changes seldom, kept in Redis as JSON. Without Redis everything is read from its source."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import redis
from redis.asyncio import Redis

from bmn.logs import get_logger

log = get_logger(__name__)

# An emptied key is closed for so long, so that a reader that began before the change cannot put the old value back.
_CLOSED = "-"
_CLOSED_SECONDS = 5


async def cached(client: Redis, key: str, seconds: int, load: Callable[[], Awaitable[Any]]) -> Any:
    """The value of a key of `bmn.broker.keys`, loaded and kept for these seconds where it is not there."""
    try:
        found = await client.get(key)
    except (redis.RedisError, OSError):
        return await load()
    if found is not None and found != _CLOSED:
        return json.loads(found)
    value = await load()
    if found is None:
        try:
            await client.set(key, json.dumps(value, separators=(",", ":")), ex=seconds, nx=True)
        except (redis.RedisError, OSError) as error:
            log.debug("not cached", key=key, error=str(error))
    return value


async def forget(client: Redis, key: str) -> None:
    """Called after a change was committed."""
    try:
        await client.set(key, _CLOSED, ex=_CLOSED_SECONDS)
    except (redis.RedisError, OSError) as error:
        log.warning("a cached value may be old until it ends", key=key, error=str(error))
