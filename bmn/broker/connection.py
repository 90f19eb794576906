"""Connections to Redis that fail in bounded time."""

from collections.abc import Mapping

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialWithJitterBackoff
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from bmn.broker import redis_wire, sentinels
from bmn.errors import Misconfigured

REPLY_SECONDS = 2.0
_CONNECT_SECONDS = 2.0
_HEALTH_CHECK_SECONDS = 15
_RETRIES = 3
_FIRST_RETRY_SECONDS = 0.02
_LONGEST_RETRY_SECONDS = 0.3

UNAVAILABLE = (redis.ConnectionError, redis.TimeoutError, redis.exceptions.ReadOnlyError, OSError)
"""What a call raises while Redis is away, frozen, or only a replica. A full one: redis.exceptions.OutOfMemoryError."""


_CONNECTIONS: dict[type, type] = {
    redis.asyncio.Connection: redis_wire.Tcp,
    redis.asyncio.SSLConnection: redis_wire.Tls,
    redis.asyncio.UnixDomainSocketConnection: redis_wire.Unix,
}


def connect(url: str, *, reply_seconds: float = REPLY_SECONDS, connections: int = 64) -> "redis.asyncio.Redis":
    """A pool for one event loop; answers are str. Nothing is opened before the first command.

    reply_seconds: how long one command may take. A client for blocking reads needs more than the longest block.
    connections: the most that are open at once; callers beyond it wait. Raises Misconfigured for an invalid URL.
    """
    try:
        plain, group = sentinels.divide(url)
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            plain,
            decode_responses=True,
            encoding_errors="surrogateescape",  # bytes that are no text can be read, and written back as they were
            max_connections=connections,
            timeout=reply_seconds,
            retry=AsyncRetry(_backoff(), _RETRIES, supported_errors=(redis.ConnectionError,)),
            **_options(reply_seconds),
        )
    except ValueError as error:
        raise _bad_url(error) from error
    # from_url takes no class of ours for every scheme
    pool.connection_class = (sentinels.LED if group else _CONNECTIONS)[pool.connection_class]
    if group:
        pool.connection_kwargs["sentinels"] = group
    return redis.asyncio.Redis.from_pool(pool)


def connect_sync(url: str, *, reply_seconds: float = REPLY_SECONDS) -> "redis.Redis":
    """A client for threads and for RQ; answers are bytes. Arguments and errors as in `connect`."""
    try:
        plain, group = sentinels.divide(url)
        client = redis.Redis.from_url(
            plain,
            retry=Retry(_backoff(), _RETRIES, supported_errors=(redis.ConnectionError,)),
            **_options(reply_seconds),
        )
    except ValueError as error:
        raise _bad_url(error) from error
    if group:
        pool = client.connection_pool
        pool.connection_class = sentinels.LED_SYNC[pool.connection_class]
        pool.connection_kwargs["sentinels"] = group
    return client


def _backoff() -> ExponentialWithJitterBackoff:
    return ExponentialWithJitterBackoff(cap=_LONGEST_RETRY_SECONDS, base=_FIRST_RETRY_SECONDS)


def _options(reply_seconds: float) -> Mapping[str, object]:
    return {
        "socket_timeout": reply_seconds,
        "socket_connect_timeout": _CONNECT_SECONDS,
        "health_check_interval": _HEALTH_CHECK_SECONDS,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        "driver_info": None,  # spares each new connection two commands
    }


def _bad_url(error: ValueError) -> Misconfigured:
    return Misconfigured(f"REDIS_URL cannot be used: {error}", hint="For example redis://127.0.0.1:6379/0")
