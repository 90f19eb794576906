"""One limit shared by all processes, such as the number of tasks that a provider lets an account have in flight."""

import asyncio
import contextlib
import random
import time
import uuid
from collections.abc import AsyncIterator

import redis
import redis.asyncio

from bmn.broker import keys
from bmn.logs import get_logger

_log = get_logger(__name__)

_FIRST_WAIT_SECONDS = 0.01
_LONGEST_WAIT_SECONDS = 0.2
_AWAY_SECONDS = 5.0  # longer than a command takes to fail, or a frozen Redis would hold every slot up

# KEYS: the sorted set. ARGV: lease in ms, limit (-1: no question asked), tokens. Answers 1 where the tokens have their
# slots now. Redis's clock is the only one that counts.
_TAKE = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local limit = tonumber(ARGV[2])
if limit >= 0 and redis.call('ZCARD', KEYS[1]) >= limit then return 0 end
for i = 3, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1] * 2)
return 1
"""


class Semaphore:
    """At most `limit` slots over all processes that use the same name.

    A slot is a lease: renewed while it is held, free again `lease` seconds after its process died. While Redis is away
    the limit holds within this process, and slots taken meanwhile are entered when Redis is back.
    """

    def __init__(
        self, client: "redis.asyncio.Redis", name: str, limit: int, *, lease: float = keys.SEMAPHORE_SECONDS
    ) -> None:
        self._client = client
        self._key = keys.semaphore(name)
        self._limit = limit
        self._lease = lease
        self._take = client.register_script(_TAKE)
        self._here = asyncio.Semaphore(limit)
        self._turn = asyncio.Lock()  # one waiter of this process asks Redis, the others stand behind it
        self._renewal = asyncio.Lock()  # so that a renewal under way does not enter a slot that was just given back
        self._held: set[str] = set()
        self._away_until = 0.0  # monotonic; until then Redis is not asked again
        self._renewing: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Waits for a slot, holds it inside the `with`."""
        token = uuid.uuid4().hex
        async with self._here:
            try:
                async with self._turn:
                    await self._wait(token)
                self._held.add(token)
                self._renew_while_held()
                yield
            finally:
                self._held.discard(token)
                await self._give_back(token)

    async def _wait(self, token: str) -> None:
        pause = _FIRST_WAIT_SECONDS
        while not await self._ask(self._limit, token):
            await asyncio.sleep(pause * random.uniform(0.5, 1))
            pause = min(pause * 2, _LONGEST_WAIT_SECONDS)

    async def _ask(self, limit: int, *tokens: str) -> bool:
        if time.monotonic() < self._away_until:
            return True
        try:
            return bool(await self._take(keys=[self._key], args=[int(self._lease * 1000), limit, *tokens]))
        except (redis.RedisError, OSError) as error:
            _log.warning("shared limit holds in this process only", key=self._key, error=str(error))
            self._away_until = time.monotonic() + _AWAY_SECONDS
            return True

    async def _give_back(self, token: str) -> None:
        if not self._held and self._renewing:
            self._renewing.cancel()
        if time.monotonic() < self._away_until:
            return
        try:
            async with self._renewal:
                await self._client.zrem(self._key, token)
        except (redis.RedisError, OSError) as error:
            _log.warning("slot is left to its lease", key=self._key, error=str(error))

    def _renew_while_held(self) -> None:
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew(), name=f"renew {self._key}")

    async def _renew(self) -> None:
        while self._held:
            await asyncio.sleep(self._lease / 3)
            async with self._renewal:
                await self._ask(-1, *self._held)
