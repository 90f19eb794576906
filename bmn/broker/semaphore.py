"""One limit shared by all processes, such as the number of tasks that a provider lets an account have in flight."""

import asyncio
import contextlib
import random
import time
import uuid
from collections.abc import AsyncIterator, Collection

import redis
import redis.asyncio

from bmn.broker import redis_keys
from bmn.logs import get_logger

_log = get_logger(__name__)

_FIRST_WAIT_SECONDS = 0.01
_LONGEST_WAIT_SECONDS = 0.2
_AWAY_SECONDS = 5.0  # longer than a command takes to fail, or a frozen Redis would hold every slot up

# KEYS: the sorted set. ARGV: lease in ms, limit (-1: no question asked), how many tokens leave, these, those that ask.
# Answers how many of those, from the first on, have their slots now. Redis's clock is the only one that counts.
_TURN = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local limit, first = tonumber(ARGV[2]), 4 + ARGV[3]
for i = 4, first - 1 do redis.call('ZREM', KEYS[1], ARGV[i]) end
local free = #ARGV - first + 1
if limit >= 0 then free = math.min(free, math.max(0, limit - redis.call('ZCARD', KEYS[1]))) end
for i = first, first + free - 1 do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i]) end
if free > 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1] * 2) end
return free
"""


class Semaphore:
    """At most `limit` slots over all processes that use the same name.

    A slot is a lease: renewed while it is held, free again `lease` seconds after its process died. While Redis is away
    the limit holds within this process, and slots taken meanwhile are entered when Redis is back.
    """

    def __init__(
        self, client: "redis.asyncio.Redis", name: str, limit: int, *, lease: float = redis_keys.SEMAPHORE_SECONDS
    ) -> None:
        self._client = client
        self._key = redis_keys.semaphore(name)
        self._limit = limit
        self._lease = lease
        self._turn = client.register_script(_TURN)
        self._here = asyncio.Semaphore(limit)
        # All of this process that come and go meanwhile are told to Redis in one call.
        self._asking: dict[str, asyncio.Future[None]] = {}
        self._leaving: dict[str, asyncio.Future[None]] = {}
        self._talking: asyncio.Task[None] | None = None
        self._left = asyncio.Event()
        self._one_call = asyncio.Lock()  # so that a renewal under way does not enter a slot that was just given back
        self._held: set[str] = set()
        self._away_until = 0.0  # monotonic; until then Redis is not asked again
        self._renewing: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Waits for a slot, holds it inside the `with`."""
        token = uuid.uuid4().hex
        async with self._here:
            try:
                await self._told(self._asking, token)
                self._held.add(token)
                self._renew_while_held()
                yield
            finally:
                self._asking.pop(token, None)
                self._held.discard(token)
                if not self._held and self._renewing:
                    self._renewing.cancel()
                self._left.set()
                await self._told(self._leaving, token)

    async def _told(self, line: "dict[str, asyncio.Future[None]]", token: str) -> None:
        """Stands in a line until Redis has been told."""
        told = line[token] = asyncio.get_running_loop().create_future()
        if self._talking is None or self._talking.done():
            self._talking = asyncio.create_task(self._talk(), name=f"slots {self._key}")
        await told

    async def _talk(self) -> None:
        pause = _FIRST_WAIT_SECONDS
        while self._asking or self._leaving:
            self._left.clear()
            leaving, self._leaving = self._leaving, {}
            asking = list(self._asking)
            try:
                free = await self._ask(self._limit, asking, leaving)
            except BaseException:
                for told in (*leaving.values(), *self._asking.values(), *self._leaving.values()):
                    told.cancel()
                raise
            # Whoever gave up meanwhile is among those that leave next.
            entered = [self._asking.pop(token) for token in asking[:free] if token in self._asking]
            for told in (*leaving.values(), *entered):
                if not told.done():
                    told.set_result(None)
            pause = _FIRST_WAIT_SECONDS if entered else min(pause * 2, _LONGEST_WAIT_SECONDS)
            if self._asking and free < len(asking):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._left.wait(), pause * random.uniform(0.5, 1))

    async def _ask(self, limit: int, asking: Collection[str], leaving: Collection[str] = ()) -> int:
        """How many of those that ask have their slots: all of them while Redis is away."""
        if time.monotonic() < self._away_until:
            return len(asking)
        args: list[str | int] = [int(self._lease * 1000), limit, len(leaving), *leaving, *asking]
        try:
            async with self._one_call:
                return int(await self._turn(keys=[self._key], args=args))
        except (redis.RedisError, OSError) as error:
            _log.warning("shared limit holds in this process only", key=self._key, error=str(error))
            self._away_until = time.monotonic() + _AWAY_SECONDS
            return len(asking)

    def _renew_while_held(self) -> None:
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew(), name=f"renew {self._key}")

    async def _renew(self) -> None:
        while self._held:
            await asyncio.sleep(self._lease / 3)
            await self._ask(-1, self._held)
