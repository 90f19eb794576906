"""How much one user may ask for in a minute. Counted in Redis, for all server processes together."""

import asyncio
import math
import time

import limits
import redis

from bmn.broker.limiter import open_limiter
from bmn.errors import RateLimited
from bmn.events.audience import system_alert
from bmn.jobs.core import Core
from bmn.logs import get_logger
from bmn.settings import Settings

log = get_logger(__name__)

_REFUSALS_BEFORE_ALERT = 5


class RateLimit:
    """Requests and generations a minute and user, by the settings; a limit of 0 is lifted and costs nothing.

    While Redis is away everybody passes: a limit is no reason to be down.
    """

    def __init__(self, settings: Settings, core: Core) -> None:
        self._health = core.health
        self._outbox = core.outbox
        self._strategy = open_limiter(core.redis)
        self._requests = _per_minute(settings.bmn_requests_per_minute, "requests")
        self._generations = _per_minute(settings.bmn_generations_per_minute, "generations")

    async def check(self, user_id: str, *, generation: bool = False) -> None:
        """Counts one request, and one generation where it is one. Raises RateLimited, which says when to come back."""
        items = [self._requests, self._generations if generation else None]
        active = [item for item in items if item is not None]
        if not active or self._health.down_for() > 0:
            return
        try:
            if len(active) == 1:
                passed = [await self._strategy.hit(active[0], user_id)]
            else:  # at the same time: one round trip
                passed = list(await asyncio.gather(*(self._strategy.hit(item, user_id) for item in active)))
            if all(passed):
                return
            refused = active[passed.index(False)]
            wait = await self._wait(refused, user_id)
            await self._note_refusal(user_id, refused)
        except (redis.RedisError, OSError) as error:
            log.warning("requests are not counted while Redis is away", error=str(error))
            return
        raise RateLimited(
            f"Too many {refused.namespace}: {refused.amount} a minute are allowed.",
            retry_after=wait,
            hint=f"Try again in {wait} s.",
        )

    async def _wait(self, item: limits.RateLimitItem, user_id: str) -> int:
        """Whole seconds until one more fits."""
        stats = await self._strategy.get_window_stats(item, user_id)
        return max(1, min(60, math.ceil(stats.reset_time - time.time())))

    async def _note_refusal(self, user_id: str, item: limits.RateLimitItem) -> None:
        """Tells the admins once when a user keeps knocking."""
        if await self._strategy.storage.incr(f"refused/{user_id}", 60) == _REFUSALS_BEFORE_ALERT:
            text = f"A user was over a limit {_REFUSALS_BEFORE_ALERT} times within a minute."
            data = {"userId": user_id, "limit": item.namespace}
            self._outbox.send([system_alert("rate-limit", text, "warn", data)])


def _per_minute(amount: int, name: str) -> limits.RateLimitItem | None:
    return limits.RateLimitItemPerMinute(amount, namespace=name) if amount else None
