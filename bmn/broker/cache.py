"""What is read often and changes seldom, kept in Redis as JSON. Without Redis everything is read from its source."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import redis
from pydantic import BaseModel, ValidationError
from redis.asyncio import Redis

from bmn.logs import get_logger

log = get_logger(__name__)

T = TypeVar("T", bound=BaseModel)

# An emptied key is closed for so long, so that a reader that began before the change cannot put the old value back.
_CLOSED = "-"
_CLOSED_SECONDS = 5


async def cached(client: Redis, key: str, seconds: int, kind: type[T], load: Callable[[], Awaitable[T]]) -> T:
    """The value of a key of `bmn.broker.redis_keys`, loaded and kept for these seconds where it is not there."""
    try:
        found = await client.get(key)
    except (redis.RedisError, OSError):
        return await load()
    if found is not None and found != _CLOSED:
        try:
            return kind.model_validate_json(found)
        except ValidationError:
            log.warning("a cached value of another release is read again", key=key)
            found = None
    value = await load()
    if found is None:
        try:
            await client.set(key, value.model_dump_json(by_alias=True), ex=seconds, nx=True)
        except (redis.RedisError, OSError) as error:
            log.debug("not cached", key=key, error=str(error))
    return value


async def forget(client: Redis, key: str) -> None:
    """Called after a change was committed."""
    try:
        await client.set(key, _CLOSED, ex=_CLOSED_SECONDS)
    except (redis.RedisError, OSError) as error:
        log.warning("a cached value may be old until it ends", key=key, error=str(error))
