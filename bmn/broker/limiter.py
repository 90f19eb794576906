"""Counting how often something is done, in Redis, for all processes together."""

from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import Redis


def open_limiter(client: Redis) -> SlidingWindowCounterRateLimiter:
    """A limiter on the connections of this client."""
    storage = RedisStorage(
        # The address only has to be well-formed.
        "async+redis://127.0.0.1:6379",
        implementation="redispy",
        key_prefix="rate",
        connection_pool=client.connection_pool,  # type: ignore[arg-type]
    )
    return SlidingWindowCounterRateLimiter(storage)
