"""One Redis, one deployment: a mark says for whose database it works, so that a second one is refused and not mixed in.

Two would share RQ's lists and the sweeper's lock, throw each other's ids away and hear each other's events. The mark is
renewed by every process of a deployment and ends 20 s after the last of them.
"""

import time
from dataclasses import dataclass
from typing import cast

import redis
import redis.asyncio

from bmn.broker import redis_keys
from bmn.errors import Misconfigured
from bmn.logs import get_logger

_log = get_logger(__name__)

_LOOK_SECONDS = 0.25
REMEDY = (
    "Give each deployment a Redis of its own, or a number of its own there: end REDIS_URL with another, such as /1."
)


@dataclass(frozen=True, slots=True)
class Owner:
    """identity: of the database. where: that database in words, for whoever runs into it; nothing secret."""

    identity: str
    where: str

    def is_same(self, other: "Owner") -> bool:
        return self.identity == other.identity

    def dump(self) -> str:
        return f"{self.identity} {self.where}"

    @classmethod
    def load(cls, text: str | bytes) -> "Owner":
        identity, _, where = (text if isinstance(text, str) else text.decode(errors="replace")).partition(" ")
        return cls(identity, where[:300])


def taken(other: Owner) -> Misconfigured:
    return Misconfigured(f"This Redis works for another deployment, whose database is {other.where}.", hint=REMEDY)


def find_owner(client: "redis.Redis") -> Owner | None:
    """Whose Redis it is; None where nobody's process lives."""
    found = cast(bytes | None, client.get(redis_keys.OWNER))
    return Owner.load(found) if found else None


def take(client: "redis.Redis", mine: Owner, *, alone: bool = False) -> None:
    """Marks a Redis as this deployment's, before its first process starts. Raises Misconfigured where another one lives.

    A mark that nobody renews is waited for, which takes 20 s at most. alone: the Redis was started for us, so whatever
    mark it has is an old one. Raises redis.RedisError.
    """
    last: int | None = None
    while not client.set(redis_keys.OWNER, mine.dump(), nx=not alone, ex=redis_keys.OWNER_SECONDS):
        other, left = find_owner(client), client.pttl(redis_keys.OWNER)
        if other is None:
            continue
        if other.is_same(mine):
            client.set(redis_keys.OWNER, mine.dump(), ex=redis_keys.OWNER_SECONDS)
            return
        if last is not None and left > last:  # somebody has just renewed it
            raise taken(other)
        if last is None:
            _log.warning("Redis was another deployment's; seeing whether that one still runs", database=other.where)
        last = left
        time.sleep(_LOOK_SECONDS)


async def renew(client: "redis.asyncio.Redis", mine: Owner, found: bytes | str | None) -> Owner | None:
    """Keeps the mark, or takes it where it is gone; another's is returned and left as it is. Raises redis.RedisError.

    found: the mark as it was a moment ago.
    """
    while True:
        if found is None:
            if await client.set(redis_keys.OWNER, mine.dump(), nx=True, ex=redis_keys.OWNER_SECONDS):
                return None
        elif not (other := Owner.load(found)).is_same(mine):
            return other
        elif await client.expire(redis_keys.OWNER, redis_keys.OWNER_SECONDS):
            return None
        found = await client.get(redis_keys.OWNER)
