"""Redis behind sentinels: each new connection goes to the server that they name as the primary at that moment.

After a failover that was asked for, the old primary takes writes for ten seconds more, and throws them away. So whoever
sends asks again every second, and leaves a server that is not named any more.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import redis
import redis.asyncio
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import ReadOnlyError
from redis.retry import Retry

from bmn.broker import redis_wire

_SUFFIX = "+sentinel"
_ANSWER_SECONDS = 0.5  # one that is away must not make whoever waits for a connection give up before the next is asked

_LOOK_SECONDS = 1.0
_LISTEN_SECONDS = 3.0  # between two looks of somebody who only listens

Place = tuple[str, int]


_LEFT = "this server is not the primary any more"


class Sentinels:
    """The sentinels of one service, the one that answered last first. options: of a connection to any of them."""

    def __init__(self, places: list[Place], service: str, options: dict[str, Any]) -> None:
        self.places = places
        self.service = service
        self.named: Place | None = None
        self._looked = 0.0
        self._looking: asyncio.Task[None] | None = None
        limits = {"socket_timeout": _ANSWER_SECONDS, "socket_connect_timeout": _ANSWER_SECONDS}
        self._options = {**options, **limits, "decode_responses": True, "driver_info": None}

    async def primary(self) -> Place:
        """Where the primary is. Raises redis.ConnectionError where none of them says so."""
        problems: list[str] = []
        for place in list(self.places):
            pool = redis.asyncio.ConnectionPool(
                connection_class=redis_wire.Tls if self._has_tls else redis_wire.Tcp,
                host=place[0],
                port=place[1],
                retry=AsyncRetry(NoBackoff(), 0),
                **self._options,
            )
            try:
                async with redis.asyncio.Redis.from_pool(pool) as client:
                    found = await client.sentinel_get_master_addr_by_name(self.service)
            except (redis.RedisError, OSError) as error:
                problems.append(f"{name_of(place)}: {error}")
            else:
                if found:  # (host, port), whatever the library's types say
                    return self._take(place, found)  # type: ignore[arg-type]
                problems.append(f"{name_of(place)} knows no {self.service}")
        raise self._unknown(problems)

    def primary_sync(self) -> Place:
        """As `primary`, for threads."""
        problems: list[str] = []
        for place in list(self.places):
            try:
                if found := self.ask(place):
                    return self._take(place, found)
                problems.append(f"{name_of(place)} knows no {self.service}")
            except (redis.RedisError, OSError) as error:
                problems.append(f"{name_of(place)}: {error}")
        raise self._unknown(problems)

    def ask(self, place: Place) -> Place | None:
        """Where one sentinel believes the primary to be; None where it does not know the service."""
        pool = redis.ConnectionPool(
            connection_class=redis.SSLConnection if self._has_tls else redis.Connection,
            host=place[0],
            port=place[1],
            retry=Retry(NoBackoff(), 0),
            **self._options,
        )
        with redis.Redis.from_pool(pool) as client:
            found: Place | None = client.sentinel_get_master_addr_by_name(self.service)
            return found

    def is_left(self, place: Place) -> bool:
        """Whether another server than this one has been named meanwhile."""
        return self.named is not None and self.named != place

    def look(self) -> None:
        """Asks again beside whoever sends, a second after the last time; for an event loop."""
        if self._is_time():
            self._looking = asyncio.create_task(self._look(), name="sentinels")

    def look_sync(self) -> None:
        """As `look`, and waits for the answer."""
        if self._is_time():
            with contextlib.suppress(redis.RedisError, OSError):
                self.primary_sync()

    async def _look(self) -> None:
        with contextlib.suppress(redis.RedisError, OSError):
            await self.primary()

    def _is_time(self) -> bool:
        now = time.monotonic()
        if now < self._looked + _LOOK_SECONDS:
            return False
        self._looked = now
        return True

    def doubt(self) -> None:
        """Whoever is asked first has named a server that is no primary: another one is asked first from now on."""
        self.places = [*self.places[1:], self.places[0]]

    @property
    def _has_tls(self) -> bool:
        return "ssl_cert_reqs" in self._options

    def _take(self, place: Place, found: Place) -> Place:
        if self.places[0] != place:
            self.places = [place, *(other for other in self.places if other != place)]
        self.named, self._looked = (found[0], int(found[1])), time.monotonic()
        return self.named

    def _unknown(self, problems: list[str]) -> redis.ConnectionError:
        return redis.ConnectionError(f"no sentinel names a primary of {self.service}: {'; '.join(problems)}")


def divide(url: str) -> tuple[str, Sentinels | None]:
    """The URL of a single server, whose place is left open, and its sentinels; None for a URL without any."""
    parts = urlsplit(url)
    if not parts.scheme.endswith(_SUFFIX):
        return url, None
    userinfo, separator, hosts = parts.netloc.rpartition("@")
    service, _, database = parts.path.strip("/").partition("/")
    params = dict(parse_qsl(parts.query))
    signed_in = {name: params.pop(f"sentinel_{name}", None) for name in ("username", "password")}
    scheme = parts.scheme.removesuffix(_SUFFIX)
    plain = f"{scheme}://{userinfo}{separator}sentinels:0/{database or 0}?{urlencode(params)}"
    options = {name: value for name, value in parse_url(plain).items() if name.startswith("ssl_")}
    if scheme == "rediss":
        options.setdefault("ssl_cert_reqs", "required")
    options |= {name: value for name, value in signed_in.items() if value}
    return plain, Sentinels(list(_places(hosts)), service, options)


def _places(hosts: str) -> Iterator[Place]:
    for place in hosts.split(","):
        host, _, port = place.rpartition(":")
        yield host.strip("[]"), int(port)


def name_of(place: Place) -> str:
    """`host:port`."""
    return f"{place[0]}:{place[1]}"


class _Led(redis_wire.CancellableSend):
    def __init__(self, *, sentinels: Sentinels, **options: Any) -> None:
        super().__init__(**options)
        self._sentinels = sentinels

    async def _connect(self) -> None:
        self.host, self.port = await self._sentinels.primary()
        await super()._connect()  # type: ignore[safe-super, no-untyped-call]

    async def _follow(self) -> None:
        self._sentinels.look()
        if self.is_connected and self._sentinels.is_left((self.host, self.port)):
            await self.disconnect(nowait=True)
            raise redis.ConnectionError(_LEFT)

    async def send_packed_command(self, command: bytes | str | Iterable[bytes], check_health: bool = True) -> None:
        await self._follow()
        await super().send_packed_command(command, check_health)

    async def read_response(self, *args: Any, **options: Any) -> Any:
        await self._follow()  # whoever only listens sends nothing
        try:
            return await super().read_response(*args, **options)
        except ReadOnlyError as error:
            self._sentinels.doubt()
            await self.disconnect(nowait=True)
            raise redis.ConnectionError(_LEFT) from error


class _LedTcp(_Led, redis.asyncio.Connection):
    pass


class _LedTls(_Led, redis.asyncio.SSLConnection):
    pass


class _LedSync(redis.Connection):
    def __init__(self, *, sentinels: Sentinels, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._sentinels = sentinels

    def _connect(self) -> Any:
        self.host, self.port = self._sentinels.primary_sync()
        return super()._connect()  # type: ignore[no-untyped-call]

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        self._sentinels.look_sync()
        if self._sock is not None and self._sentinels.is_left((self.host, self.port)):
            self.disconnect()
            raise redis.ConnectionError(_LEFT)
        super().send_packed_command(command, check_health)  # type: ignore[no-untyped-call]

    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return super().read_response(*args, **options)
        except ReadOnlyError as error:
            self._sentinels.doubt()
            self.disconnect()  # type: ignore[no-untyped-call]
            raise redis.ConnectionError(_LEFT) from error


class _LedTlsSync(_LedSync, redis.SSLConnection):
    pass


LED: dict[type, type] = {redis.asyncio.Connection: _LedTcp, redis.asyncio.SSLConnection: _LedTls}
LED_SYNC: dict[type, type] = {redis.Connection: _LedSync, redis.SSLConnection: _LedTlsSync}
"""The class that follows the sentinels, by the one that a pool would take."""
