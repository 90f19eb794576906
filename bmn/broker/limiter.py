"""Counting how often something is done, in Redis, for all processes together."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from redis.asyncio import Redis

from bmn.broker import keys
from bmn.broker.scripts import Call, run

_SCRIPT = files("bmn.broker").joinpath("limiter.lua").read_text()


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` of what `name` says in any so many seconds."""

    name: str
    amount: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """limit: the one that is reached. wait: seconds until one more fits."""

    limit: Limit
    wait: float


async def count(redis: Redis, user_id: str, limits: Sequence[Limit]) -> Refusal | None:
    """Counts one more of each, in one round trip; None where it fits all of them. What does not fit is not counted.

    Raises redis.RedisError while Redis is away.
    """
    names = [keys.rate(user_id, limit.name) for limit in limits]
    figures = [figure for limit in limits for figure in (limit.amount, limit.seconds)]
    (answer,) = await run(redis, [Call(_SCRIPT, names, figures)])
    return Refusal(limits[int(answer[0]) - 1], float(answer[1])) if answer else None
