"""RQ door one: its queues and registries, kept as a view of the rows for workers to wake up by and dashboards to show.

Nothing is decided from what stands here, and nothing is lost with it.
"""

import pickle
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from rq import Queue as RqQueue
from rq.registry import (
    CanceledJobRegistry,
    FailedJobRegistry,
    FinishedJobRegistry,
    ScheduledJobRegistry,
    StartedJobRegistry,
)

from bmn.broker.scripts import ScriptCall, run
from bmn.jobs.queue import DEAD_LETTER, Keep, Queue

JOB_SECONDS = 7 * 86_400
_SCRIPT = files("bmn.jobs.rq").joinpath("view.lua").read_text()
_DEAD_KEEP = Keep(1000, 30 * 86_400)
_STAMP = "%Y-%m-%dT%H:%M:%S.%fZ"
_STATUS = {"completed": "finished", "partial": "finished", "failed": "failed", "cancelled": "canceled"}


def list_key(queue: str) -> str:
    """Of the list that wakes a queue's workers."""
    return f"{RqQueue.redis_queue_namespace_prefix}{queue}"


def _registry(kind: type, queue: str) -> str:
    return str(kind.key_template.format(queue))  # type: ignore[attr-defined]


class Word(StrEnum):
    """What is said of a job, as the script that writes the view reads it."""

    LINE = "l"
    WAITING = "w"
    STARTED = "s"
    ENDED = "e"
    FAILED = "f"
    CANCELED = "c"
    DEAD = "d"


_WORDS = {
    "": Word.LINE,
    "queued": Word.WAITING,
    "retrying": Word.WAITING,
    "failed": Word.FAILED,
    "cancelled": Word.CANCELED,
}


@dataclass(frozen=True, slots=True)
class Shown:
    """The latest word about a job. fence: of the executor that said it, or of the row.

    worker: who has started it. state: a job state, where it has ended or waits for its time, at, in seconds since 1970;
    neither: it is in line.
    """

    queue: str
    job_id: str
    fence: int = 0
    worker: str = ""
    state: str = ""
    at: float = 0.0

    @property
    def word(self) -> Word:
        """What is said of it."""
        if self.queue == DEAD_LETTER:
            return Word.DEAD
        if self.worker:
            return Word.STARTED
        return _WORDS.get(self.state, Word.ENDED)

    @property
    def version(self) -> int:
        """Later words have greater numbers: in line (1), started with fence 1 (2), ended or in line again (3), …"""
        return 2 * self.fence + (0 if self.worker else 1)


class RqView:
    """queues: whose jobs are shown, by name. window: ids shown per queue. function: what a worker of RQ's own calls."""

    def __init__(self, redis: Redis, queues: Mapping[str, Queue], *, window: int, function: str) -> None:
        self._function = function
        self._redis = redis
        self._queues = queues
        self._window = window

    async def register(self) -> None:
        """Names every queue and the dead letters', so that the dashboard lists them from the start."""
        await self._redis.sadd(RqQueue.redis_queues_keys, *map(list_key, (*self._queues, DEAD_LETTER)))

    async def show(self, changes: Iterable[Shown]) -> None:
        """Shows where jobs are now, in one round trip. The list holds no more than its window."""
        await run(self._redis, self.calls(changes))

    def calls(self, changes: Iterable[Shown]) -> list[ScriptCall]:
        """What `show` runs, one call per queue, for who has more to tell Redis at the same time."""
        by_queue: dict[str, list[Shown]] = {}
        for change in changes:
            by_queue.setdefault(change.queue, []).append(change)
        return [
            ScriptCall(_SCRIPT, _keys(queue), [*self._rules(queue), *_words(shown)])
            for queue, shown in by_queue.items()
        ]

    def _rules(self, name: str) -> list[Any]:
        queue, now = self._queues.get(name), datetime.now(UTC)
        data, timeout = _data(self._function), int(queue.timeout) if queue else 0
        keep = (queue.keep_completed, queue.keep_failed) if queue else (_DEAD_KEEP, _DEAD_KEEP)
        kept = [figure for rule in keep for figure in (rule.count, rule.age)]
        return [self._window, JOB_SECONDS, name, now.strftime(_STAMP), now.timestamp(), data, timeout, *kept]

    async def length(self, queue: str) -> int:
        """How many ids stand in RQ's list."""
        return int(await self._redis.llen(list_key(queue)))

    async def listed(self, queue: str) -> list[str]:
        """The ids in RQ's list, next one first."""
        return [str(job_id) for job_id in await self._redis.lrange(list_key(queue), 0, -1)]

    async def started(self, queue: str) -> list[str]:
        """The ids that RQ shows as running."""
        runs = await self._redis.zrange(_registry(StartedJobRegistry, queue), 0, -1)
        return [str(run).rpartition(":")[0] for run in runs]

    async def shown(self, queues: Iterable[str]) -> dict[str, tuple[list[str], list[str]]]:
        """As `started` and `listed`, for several queues in one round trip."""
        names = list(queues)
        async with self._redis.pipeline(transaction=False) as pipe:
            for queue in names:
                pipe.zrange(_registry(StartedJobRegistry, queue), 0, -1)
                pipe.lrange(list_key(queue), 0, -1)
            found = await pipe.execute()
        runs = [[str(run).rpartition(":")[0] for run in one] for one in found[::2]]
        listed = [[str(job_id) for job_id in one] for one in found[1::2]]
        return dict(zip(names, zip(runs, listed, strict=True), strict=True))

    async def was_requeued(self, job_id: str, fence: int) -> bool:
        """Whether RQ's tools have put a job in line of which its end was shown: they take its end away from it."""
        version, ended = await self._redis.hmget(f"rq:job:{job_id}", "v", "ended_at")
        return version == str(2 * fence + 1) and ended == ""

    async def remove(self, queue: str, job_ids: Iterable[str]) -> None:
        """Takes ids out of RQ's list: cancelled, or claimed without having been shown."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for job_id in job_ids:
                pipe.lrem(list_key(queue), 0, job_id)
            await pipe.execute()

    async def trim(self) -> None:
        """Keeps as many ended jobs as their queue says, and none longer than it says."""
        now = datetime.now(UTC).timestamp()
        async with self._redis.pipeline(transaction=False) as pipe:
            for queue in self._queues.values():
                for kind in (FinishedJobRegistry, FailedJobRegistry, StartedJobRegistry, CanceledJobRegistry):
                    pipe.zremrangebyscore(_registry(kind, queue.name), "-inf", now)
            await pipe.execute()

    async def unbury(self, job_ids: Iterable[str]) -> None:
        """Takes a dead letter that was replayed or purged off the list."""
        await self.remove(DEAD_LETTER, job_ids)


def _keys(queue: str) -> list[str]:
    registries = (
        StartedJobRegistry,
        FinishedJobRegistry,
        FailedJobRegistry,
        ScheduledJobRegistry,
        CanceledJobRegistry,
    )
    return [list_key(queue), RqQueue.redis_queues_keys, *(_registry(kind, queue) for kind in registries)]


def _words(shown: Iterable[Shown]) -> Iterator[str | int | float]:
    for change in shown:
        more = change.worker or _STATUS.get(change.state) or (change.at or time.time())
        yield from (change.word, change.version, change.job_id, more)


@cache
def _data(function: str) -> bytes:
    """The call that RQ's own workers find, in RQ's default format: a pickle of constants, which nothing of ours reads."""
    return zlib.compress(pickle.dumps((function, None, (), {})))
