"""Counting how often something is done, in Redis, for all processes together."""

from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import Redis


class _Storage(RedisStorage):
    """Knows the one client that is used here; its base imports every one that is installed."""

    DEPENDENCIES = {"redis": RedisStorage.DEPENDENCIES["redis"]}  # noqa: RUF012 - as its base has it


def open_limiter(client: Redis) -> SlidingWindowCounterRateLimiter:
    """A limiter on the connections of this client."""
    storage = _Storage(
        # The address only has to be well-formed.
        "async+redis://127.0.0.1:6379",
        implementation="redispy",
        key_prefix="rate",
        connection_pool=client.connection_pool,  # type: ignore[arg-type]
    )
    return SlidingWindowCounterRateLimiter(storage)
