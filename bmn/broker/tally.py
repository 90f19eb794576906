"""How many of something a user has open, over all server processes on all hosts.

Each process counts its own; Redis has the numbers of all. A process says each second that it lives, and what a dead one
counted is forgotten when it has not for `ALIVE_SECONDS`. While Redis is away each process goes by its own count.
"""

import asyncio
import secrets
from collections import Counter

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bmn.broker import redis_keys
from bmn.broker.pipelined import Args, Call, Pipelined
from bmn.logs import get_logger

log = get_logger(__name__)

ALIVE_SECONDS = 4.0
_SAY_SECONDS = 1.0
_ALIVE_MS = int(ALIVE_SECONDS * 1000)

# KEYS: a user's counts, a field a process. ARGV: this process, how many it would have, the limit, the prefix of living
# processes, life in s. Answers 1 where that many may be.
_TAKE = """
local sum = tonumber(ARGV[2])
local counts = redis.call('HGETALL', KEYS[1])
for i = 1, #counts, 2 do
  if counts[i] ~= ARGV[1] then
    if redis.call('EXISTS', ARGV[4] .. counts[i]) == 1 then sum = sum + counts[i + 1]
    else redis.call('HDEL', KEYS[1], counts[i]) end
  end
end
if sum > tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[5])
return 1
"""
# KEYS: a user's counts. ARGV: this process, how many it has now, life in s.
_SET = """
if tonumber(ARGV[2]) > 0 then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[3])
else redis.call('HDEL', KEYS[1], ARGV[1]) end
return 1
"""


class Tally:
    """Of every kind of thing that is counted so. `run` has to run beside, or other processes take this one for dead."""

    def __init__(self, client: Redis, pipelined: Pipelined) -> None:
        self._client = client
        self._pipelined = pipelined
        self._name = secrets.token_hex(8)
        self._take = client.register_script(_TAKE)
        self._set = client.register_script(_SET)
        self._here: Counter[tuple[str, str]] = Counter()
        self._changed: set[tuple[str, str]] = set()
        self._giving: asyncio.Task[None] | None = None

    async def take(self, kind: str, user_id: str, limit: int) -> bool:
        """Counts one more, unless the user has as many as they may."""
        mine = kind, user_id
        if self._here[mine] >= limit:
            return False
        self._here[mine] += 1  # before anything waits, so that many at once do not all pass
        try:
            taken = await self._ask(mine, limit)
        except BaseException:
            self.give(*mine)
            raise
        if not taken:
            self.give(*mine)
        return taken

    async def _ask(self, mine: tuple[str, str], limit: int) -> bool:
        args: Args = [self._name, self._here[mine], limit, redis_keys.process(""), redis_keys.TALLY_SECONDS]
        try:
            return bool(await self._pipelined.run(Call(self._take, [redis_keys.tally(*mine)], args)))
        except (RedisError, OSError) as error:
            log.debug("counted in this process alone", error=str(error))
            self._changed.add(mine)
            return True

    def give(self, kind: str, user_id: str) -> None:
        """One of them has ended. Redis hears of it in a moment."""
        mine = kind, user_id
        self._less(mine)
        self._changed.add(mine)
        if self._giving is None or self._giving.done():
            self._giving = asyncio.create_task(self._tell(), name="tally")

    def open_here(self, kind: str, user_id: str) -> int:
        """How many this process has counted."""
        return self._here.get((kind, user_id), 0)

    async def run(self) -> None:
        """Says that this process lives, and tells what Redis has missed."""
        while True:
            try:
                if not await self._client.pexpire(redis_keys.process(self._name), _ALIVE_MS):
                    await self._client.set(redis_keys.process(self._name), "1", px=_ALIVE_MS)
                    self._changed.update(self._here)  # the others may have taken us for dead
                await self._tell()
            except (RedisError, OSError) as error:
                log.debug("a process could not say that it lives", error=str(error))
            await asyncio.sleep(_SAY_SECONDS)

    async def close(self) -> None:
        """What this process had is free for others at once."""
        self._here.clear()
        try:
            async with asyncio.timeout(_SAY_SECONDS):
                await self._client.delete(redis_keys.process(self._name))
        except (RedisError, OSError, TimeoutError) as error:
            log.debug("left to its time", error=str(error))
        if self._giving is not None:
            self._giving.cancel()
            await asyncio.gather(self._giving, return_exceptions=True)

    def _less(self, mine: tuple[str, str]) -> None:
        self._here[mine] -= 1
        if self._here[mine] <= 0:
            del self._here[mine]

    async def _tell(self) -> None:
        """Writes down what has changed: whole counts, so that telling twice does no harm."""
        while self._changed:
            changed = list(self._changed)
            self._changed.clear()
            calls = [
                Call(
                    self._set,
                    [redis_keys.tally(*each)],
                    [self._name, self._here.get(each, 0), redis_keys.TALLY_SECONDS],
                )
                for each in changed
            ]
            told = await asyncio.gather(*(self._pipelined.run(call) for call in calls), return_exceptions=True)
            failed = [each for each, answer in zip(changed, told, strict=True) if isinstance(answer, Exception)]
            if failed:
                self._changed.update(failed)
                return
