"""How bytes go to Redis: without ever losing the cancellation of whoever sends them."""

import asyncio
from collections.abc import Iterable

import redis
import redis.asyncio
import redis.asyncio.connection


class CancellableSend(redis.asyncio.connection.AbstractConnection):
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


class Tcp(CancellableSend, redis.asyncio.Connection):
    """In the clear."""


class Tls(CancellableSend, redis.asyncio.SSLConnection):
    """By TLS."""


class Unix(CancellableSend, redis.asyncio.UnixDomainSocketConnection):
    """Through a socket of this machine."""
