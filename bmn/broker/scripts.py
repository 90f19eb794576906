"""Lua scripts, as many as there are to run in one round trip."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """One script with what it is given."""

    script: str
    keys: Sequence[str]
    args: Sequence[Any]


async def run(redis: Redis, calls: Sequence[ScriptCall]) -> list[Any]:
    """Runs the calls in their order and returns their answers. Raises redis.RedisError, after all of them ran.

    The text goes along each time: a Redis that was started a moment ago knows no digest, and asking costs a round trip.
    """
    async with redis.pipeline(transaction=False) as pipe:
        for call in calls:
            pipe.eval(call.script, len(call.keys), *call.keys, *call.args)
        answers: list[Any] = await pipe.execute()
    return answers
