"""Connections to Redis that fail in bounded time."""

import asyncio
from collections.abc import Iterable
from typing import Any

import redis
import redis.asyncio
import redis.asyncio.connection
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialWithJitterBackoff
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from bmn.errors import Misconfigured

REPLY_SECONDS = 2.0
_CONNECT_SECONDS = 2.0
_HEALTH_CHECK_SECONDS = 15
_RETRIES = 3
_FIRST_RETRY_SECONDS = 0.02
_LONGEST_RETRY_SECONDS = 0.3

UNAVAILABLE = (redis.ConnectionError, redis.TimeoutError, redis.exceptions.ReadOnlyError, OSError)
"""What a call raises while Redis is away, frozen, or only a replica. A full one: redis.exceptions.OutOfMemoryError."""


class _CancellableSend(redis.asyncio.connection.AbstractConnection):
    """Sends without `asyncio.wait_for`, which before Python 3.12 swallows a cancellation that comes as the send ends.

    A job's cancellation or timeout must never be lost inside a Redis command.
    """

    async def send_packed_command(self, command: bytes | str | Iterable[bytes], check_health: bool = True) -> None:
        if not self.is_connected:
            await self.connect_check_health(check_health=False)
        if check_health:
            await self.check_health()  # type: ignore[no-untyped-call]
        if isinstance(command, str):
            command = command.encode()
        try:
            async with asyncio.timeout(self.socket_timeout):
                await self._send_packed_command([command] if isinstance(command, bytes) else command)
        except BaseException as error:
            # Half a command may be on its way, so the connection is of no more use.
            await self.disconnect(nowait=True)
            if isinstance(error, TimeoutError):
                raise redis.TimeoutError("Timeout writing to socket") from error
            if isinstance(error, OSError):
                raise redis.ConnectionError(f"Error while writing to socket: {error}") from error
            raise


class _Tcp(_CancellableSend, redis.asyncio.Connection):
    pass


class _Tls(_CancellableSend, redis.asyncio.SSLConnection):
    pass


class _Unix(_CancellableSend, redis.asyncio.UnixDomainSocketConnection):
    pass


_CONNECTIONS: dict[type, type] = {
    redis.asyncio.Connection: _Tcp,
    redis.asyncio.SSLConnection: _Tls,
    redis.asyncio.UnixDomainSocketConnection: _Unix,
}


def connect(url: str, *, reply_seconds: float = REPLY_SECONDS, connections: int = 64) -> "redis.asyncio.Redis":
    """A pool for one event loop; answers are str. Nothing is opened before the first command.

    reply_seconds: how long one command may take. A client for blocking reads needs more than the longest block.
    connections: the most that are open at once; callers beyond it wait. Raises Misconfigured for an invalid URL.
    """
    try:
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            url,
            decode_responses=True,
            encoding_errors="surrogateescape",  # bytes that are no text can be read, and written back as they were
            max_connections=connections,
            timeout=reply_seconds,
            retry=AsyncRetry(_backoff(), _RETRIES, supported_errors=(redis.ConnectionError,)),
            **_options(reply_seconds),
        )
    except ValueError as error:
        raise _bad_url(error) from error
    pool.connection_class = _CONNECTIONS[pool.connection_class]  # from_url takes no class of ours for every scheme
    return redis.asyncio.Redis.from_pool(pool)


def connect_sync(url: str, *, reply_seconds: float = REPLY_SECONDS) -> "redis.Redis":
    """A client for threads and for RQ; answers are bytes. Arguments and errors as in `connect`."""
    try:
        return redis.Redis.from_url(
            url,
            retry=Retry(_backoff(), _RETRIES, supported_errors=(redis.ConnectionError,)),
            **_options(reply_seconds),
        )
    except ValueError as error:
        raise _bad_url(error) from error


def _backoff() -> ExponentialWithJitterBackoff:
    return ExponentialWithJitterBackoff(cap=_LONGEST_RETRY_SECONDS, base=_FIRST_RETRY_SECONDS)


def _options(reply_seconds: float) -> dict[str, Any]:
    return {
        "socket_timeout": reply_seconds,
        "socket_connect_timeout": _CONNECT_SECONDS,
        "health_check_interval": _HEALTH_CHECK_SECONDS,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        "driver_info": None,  # spares each new connection two commands
    }


def _bad_url(error: ValueError) -> Misconfigured:
    return Misconfigured(f"REDIS_URL cannot be used: {error}", hint="For example redis://127.0.0.1:6379/0")
