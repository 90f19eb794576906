"""RQ door one: its queues and registries, kept as a view of the rows for workers to wake up by and dashboards to show.

Nothing is decided from what stands here, and nothing is lost with it.
"""

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from rq import Queue as RqQueue
from rq.registry import FailedJobRegistry, FinishedJobRegistry, StartedJobRegistry

from bmn.jobs.registry import ALL_QUEUES, DEAD_LETTER, QUEUES, Keep

JOB_SECONDS = 7 * 86_400
_SCRIPT = files("bmn.jobs").joinpath("rq_view.lua").read_text()
_DEAD_KEEP = Keep(1000, 30 * 86_400)


def list_key(queue: str) -> str:
    return f"{RqQueue.redis_queue_namespace_prefix}{queue}"


def _job_key(job_id: str) -> str:
    return f"rq:job:{job_id}"


def _registry(kind: type, queue: str) -> str:
    return str(kind.key_template.format(queue))  # type: ignore[attr-defined]


def _run(job_id: str) -> str:
    """RQ lists runs as `job:execution`; a job of ours has one at a time."""
    return f"{job_id}:run"


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True, slots=True)
class Started:
    queue: str
    job_id: str
    worker: str


@dataclass(frozen=True, slots=True)
class Ended:
    """state: a job state, or `waiting` for one that went back in line."""

    queue: str
    job_id: str
    state: str


class RqView:
    """window: ids shown per queue."""

    def __init__(self, redis: Redis, *, window: int) -> None:
        self._redis = redis
        self._window = window
        self._push = redis.register_script(_SCRIPT)

    async def register(self) -> None:
        """Names all ten queues, so that the dashboard lists them from the start."""
        await self._redis.sadd(RqQueue.redis_queues_keys, *(list_key(name) for name in ALL_QUEUES))

    async def push(self, queue: str, job_ids: Sequence[str]) -> list[str]:
        """Shows waiting jobs at the end of RQ's list, while the window has room; returns those that were shown."""
        timeout = int(QUEUES[queue].timeout) if queue in QUEUES else 0
        data = zlib.compress(json.dumps([f"bmn.{queue}", None, [], {}]).encode())
        args: list[Any] = [self._window, JOB_SECONDS, queue, _stamp()]
        for job_id in job_ids:
            args += [job_id, data, f"{queue} {job_id[-36:-28]}", timeout]
        keys = [list_key(queue), RqQueue.redis_queues_keys]
        return [str(job_id) for job_id in await self._push(keys=keys, args=args)]

    async def show(self, changes: Iterable[Started | Ended]) -> None:
        """Shows what workers took up and ended, in one round trip."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for change in changes:
                if isinstance(change, Started):
                    _show_started(pipe, change)
                else:
                    _show_ended(pipe, change)
            await pipe.execute()

    async def listed(self, queue: str) -> list[str]:
        """The ids in RQ's list, next one first."""
        return [str(job_id) for job_id in await self._redis.lrange(list_key(queue), 0, -1)]

    async def remove(self, queue: str, job_ids: Iterable[str]) -> None:
        """Takes ids out of RQ's list: cancelled, or claimed without having been shown."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for job_id in job_ids:
                pipe.lrem(list_key(queue), 0, job_id)
            await pipe.execute()

    async def trim(self) -> None:
        """Keeps as many ended jobs as the registry says, and none longer than it says."""
        now = datetime.now(UTC).timestamp()
        async with self._redis.pipeline(transaction=False) as pipe:
            for queue in QUEUES.values():
                for kind, keep in ((FinishedJobRegistry, queue.keep_completed), (FailedJobRegistry, queue.keep_failed)):
                    key = _registry(kind, queue.name)
                    pipe.zremrangebyscore(key, "-inf", now)
                    pipe.zremrangebyrank(key, 0, -keep.count - 1)
                pipe.zremrangebyscore(_registry(StartedJobRegistry, queue.name), "-inf", now)
            await pipe.execute()

    async def bury(self, job_id: str) -> None:
        """Shows a dead letter in the queue of that name."""
        await self.push(DEAD_LETTER, [job_id])

    async def unbury(self, job_ids: Iterable[str]) -> None:
        await self.remove(DEAD_LETTER, job_ids)


def _show_started(pipe: "Pipeline", change: Started) -> None:
    expires = datetime.now(UTC).timestamp() + 2 * QUEUES[change.queue].timeout
    pipe.lrem(list_key(change.queue), 0, change.job_id)
    pipe.hset(
        _job_key(change.job_id),
        mapping={"status": "started", "started_at": _stamp(), "worker_name": change.worker, "origin": change.queue},
    )
    pipe.expire(_job_key(change.job_id), JOB_SECONDS)
    pipe.zadd(_registry(StartedJobRegistry, change.queue), {_run(change.job_id): expires})


def _show_ended(pipe: "Pipeline", change: Ended) -> None:
    queue = QUEUES[change.queue]
    pipe.zrem(_registry(StartedJobRegistry, change.queue), _run(change.job_id))
    pipe.lrem(list_key(change.queue), 0, change.job_id)
    if change.state in ("queued", "retrying"):
        pipe.hset(_job_key(change.job_id), mapping={"status": "scheduled", "worker_name": ""})
        return
    failed = change.state == "failed"
    keep = queue.keep_failed if failed else queue.keep_completed
    kind = FailedJobRegistry if failed else FinishedJobRegistry
    status = "failed" if failed else "canceled" if change.state == "cancelled" else "finished"
    pipe.hset(_job_key(change.job_id), mapping={"status": status, "ended_at": _stamp()})
    pipe.expire(_job_key(change.job_id), keep.age)
    key = _registry(kind, change.queue)
    pipe.zadd(key, {change.job_id: datetime.now(UTC).timestamp() + keep.age})
    pipe.zremrangebyrank(key, 0, -keep.count - 1)
