"""/admin: figures of the queues, on demand and every ten seconds, and retrying what failed."""

import asyncio
import secrets

from redis.exceptions import RedisError

from bmn.broker import redis_keys
from bmn.db.operators import queue_store
from bmn.errors import BmnError
from bmn.events.audience import ADMINS, VIEWERS, queue_stats
from bmn.jobs.core import Core
from bmn.jobs.replay import retry
from bmn.logs import get_logger
from bmn.schemas.events import (
    ADMIN,
    JobRoom,
    Nothing,
    QueueCounts,
    QueueFigures,
    RetryAnswer,
    StatsAnswer,
)
from bmn.server.sockets.handlers import Handler, Handlers, SocketContext
from bmn.server.sockets.session import Session, Sessions
from bmn.server.sockets.words import queue_figures
from bmn.work.registry import QUEUES

log = get_logger(__name__)


async def figures(core: Core) -> dict[str, QueueFigures]:
    """Every queue's figures."""
    counts = await core.db.read(queue_store.counts)
    return {name: queue_figures(counts.get(name, {})) for name in QUEUES}


async def answer_stats(context: SocketContext, session: Session, _ask: Nothing) -> StatsAnswer:
    """Answers with every queue's figures."""
    return StatsAnswer(stats=await figures(context.core))


async def retry_job(context: SocketContext, session: Session, ask: JobRoom) -> RetryAnswer:
    """Replays a job, as the route does."""
    replay = await retry(context.core, ask.job_id, session.actor)
    log.info("admin retried job", job_id=ask.job_id, replay=replay.job_id)
    return RetryAnswer(ok=True, job_id=replay.job_id)


class StatsSender:
    """Sends `system:queue-stats` to all admins from one of all server processes: whoever has admins and holds the lock."""

    def __init__(self, core: Core, sessions: Sessions, every: float) -> None:
        self._core = core
        self._sessions = sessions
        self._every = every
        self._name = secrets.token_hex(8)

    async def run(self) -> None:
        """Sends the figures as long as this server is the one that does."""
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.send()
            except (RedisError, OSError, BmnError) as error:
                log.debug("no figures sent", error=str(error))

    async def send(self) -> bool:
        """Sends the figures, unless nobody here listens or another process does it; True where they were sent."""
        if not self._sessions.subscribers(ADMIN, (ADMINS, VIEWERS)) or not await self._is_sender():
            return False
        await self._core.stream.publish([queue_stats(await self._figures())])
        return True

    async def _figures(self) -> dict[str, QueueCounts]:
        full = await figures(self._core)
        return {
            name: QueueCounts(waiting=queue.waiting, active=queue.active, failed=queue.failed)
            for name, queue in full.items()
        }

    async def _is_sender(self) -> bool:
        """Takes the lock, or keeps it. Whoever dies loses it before the second broadcast is due."""
        key, lives = redis_keys.lock("queue-stats"), int(self._every * 1500)
        redis = self._core.redis
        if await redis.set(key, self._name, nx=True, px=lives):
            return True
        if await redis.get(key) != self._name:
            return False
        await redis.pexpire(key, lives)
        return True


HANDLERS: Handlers = {
    "queues:stats": Handler(Nothing, answer_stats, failed="Failed to fetch queue stats"),
    "job:retry": Handler(JobRoom, retry_job, "jobId", "Retry failed", "Job not found"),
}
