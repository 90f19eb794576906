"""Calls of scripts that go to Redis together, down one connection: a thousand at once need no thousand connections."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

_TOGETHER = 200

Args = Sequence[str | int | float]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a script, with its keys and arguments."""

    script: AsyncScript
    keys: Sequence[str]
    args: Args


@dataclass(frozen=True, slots=True)
class _Waiting:
    call: Call
    answer: "asyncio.Future[Any]"


class Pipelined:
    """One for each client of Redis. Callers stand in line, and nobody waits for a connection of their own."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._line: deque[_Waiting] = deque()
        self._sending: asyncio.Task[None] | None = None

    async def run(self, call: Call) -> Any:
        """The script's answer. Raises redis.RedisError or OSError where Redis is away or refuses it."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._line.append(_Waiting(call, answer))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send(), name="pipelined")
        return await answer

    async def _send(self) -> None:
        while self._line:
            part = [self._line.popleft() for _ in range(min(_TOGETHER, len(self._line)))]
            part = [each for each in part if not each.answer.done()]  # who gave up meanwhile
            try:
                answers = await self._ask([each.call for each in part])
            except (RedisError, OSError) as error:
                answers = [error] * len(part)
            except BaseException:
                for each in (*part, *self._line):
                    each.answer.cancel()
                raise
            for each, answer in zip(part, answers, strict=True):
                _settle(each.answer, answer)

    async def _ask(self, calls: Sequence[Call]) -> list[Any]:
        async with self._client.pipeline(transaction=False) as pipe:
            for call in calls:
                await call.script(keys=call.keys, args=call.args, client=pipe)
            return list(await pipe.execute(raise_on_error=False)) if calls else []


def _settle(future: "asyncio.Future[Any]", answer: Any) -> None:
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
