"""Rates that hold over all processes: how many messages a user may send, and how often a vendor may be called.

While Redis is away each process keeps the rate by itself.
"""

import asyncio
import time

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bmn.broker import redis_keys
from bmn.broker.pipelined import Call, Pipelined
from bmn.logs import get_logger

log = get_logger(__name__)

_AWAY_SECONDS = 5.0
_MOST_USERS = 10_000

# KEYS: a bucket. ARGV: rate a second, burst, how many are wanted. Answers how many of them there are.
_TAKE = """
local t = redis.call('TIME')
local now = t[1] + t[2] / 1000000
local known = redis.call('HMGET', KEYS[1], 'left', 'at')
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local left = math.min(burst, (tonumber(known[1]) or burst) + math.max(0, now - (tonumber(known[2]) or now)) * rate)
local given = math.min(tonumber(ARGV[3]), math.floor(left))
redis.call('HSET', KEYS[1], 'left', tostring(left - given), 'at', string.format('%.6f', now))
redis.call('EXPIRE', KEYS[1], math.ceil(burst / rate) + 1)
return given
"""
# KEYS: when the next turn is, in microseconds. ARGV: microseconds between two turns. Answers how many to wait.
_TURN = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local turn = math.max(now, tonumber(redis.call('GET', KEYS[1])) or 0)
redis.call('SET', KEYS[1], string.format('%.0f', turn + ARGV[1]), 'PX', math.ceil((turn - now + ARGV[1]) / 1000) + 1000)
return turn - now
"""


class Allowance:
    """A token bucket for each user, taken from by `at_once`, so that most messages ask nobody."""

    def __init__(self, client: Redis, pipelined: Pipelined, name: str, *, rate: float, burst: int, at_once: int = 10):
        self._pipelined = pipelined
        self._script = client.register_script(_TAKE)
        self._name, self._rate, self._burst, self._at_once = name, rate, burst, at_once
        self._left: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        self._away_until = 0.0

    async def take(self, user_id: str) -> bool:
        """Whether one more is allowed now."""
        if not self._left.get(user_id):
            now = time.monotonic()
            if now < self._away_until:
                return True
            if now < self._not_before.get(user_id, 0.0):
                return False
            await self._fetch(user_id)
        left = self._left.get(user_id, 0)
        if left:
            self._left[user_id] = left - 1
        return left > 0

    async def _fetch(self, user_id: str) -> None:
        args = [self._rate, self._burst, self._at_once]
        try:
            given = int(await self._pipelined.run(Call(self._script, [redis_keys.bucket(self._name, user_id)], args)))
        except (RedisError, OSError) as error:
            log.debug("a rate holds in this process only", error=str(error))
            self._away_until = time.monotonic() + _AWAY_SECONDS
            given = self._at_once
        if len(self._left) > _MOST_USERS:
            self._left.clear()
            self._not_before.clear()
        self._left[user_id] = self._left.get(user_id, 0) + given  # two may have asked at the same time
        if not given:
            self._not_before[user_id] = time.monotonic() + 1 / self._rate


class Turns:
    """Turns at a vendor that all processes share: one after another, `per_second` at most."""

    def __init__(self, client: Redis) -> None:
        self._script = client.register_script(_TURN)

    async def wait(self, name: str, per_second: float) -> bool:
        """Waits for the next turn; False at once where Redis is away, so that the caller keeps its own."""
        try:
            micros = int(await self._script(keys=[redis_keys.turn(name)], args=[int(1_000_000 / per_second)]))
        except (RedisError, OSError) as error:
            log.debug("a pace holds in this process only", name=name, error=str(error))
            return False
        await asyncio.sleep(micros / 1_000_000)
        return True
