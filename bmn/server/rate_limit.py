"""How much one user may ask for in a minute. Counted in Redis, for all server processes together."""

import math

import redis

from bmn.broker.limiter import Limit, count
from bmn.errors import RateLimited
from bmn.events.rooms import system_alert
from bmn.jobs.core import Core
from bmn.logs import get_logger
from bmn.settings import Settings

log = get_logger(__name__)

_SECONDS = 60
_REFUSALS = Limit("refusals", 4, _SECONDS)  # one more, and the admins hear of it
_ALERTS = Limit("alerts", 1, _SECONDS)


class RateLimit:
    """Requests and generations a minute and user, by the settings; a limit of 0 is lifted and costs nothing.

    While Redis is away everybody passes: a limit is no reason to be down.
    """

    def __init__(self, settings: Settings, core: Core) -> None:
        self._redis = core.redis
        self._health = core.health
        self._outbox = core.outbox
        requests = Limit("requests", settings.bmn_requests_per_minute, _SECONDS)
        generations = Limit("generations", settings.bmn_generations_per_minute, _SECONDS)
        self._of_requests = [limit for limit in (requests,) if limit.amount]
        self._of_generations = [limit for limit in (requests, generations) if limit.amount]

    async def check(self, user_id: str, *, generation: bool = False) -> None:
        """Counts one request, and one generation where it is one. Raises RateLimited, which says when to come back."""
        limits = self._of_generations if generation else self._of_requests
        if not limits or self._health.down_for() > 0:
            return
        try:
            refusal = await count(self._redis, user_id, limits)
            if refusal is None:
                return
            await self._note_refusal(user_id, refusal.limit)
        except (redis.RedisError, OSError) as error:
            log.warning("requests are not counted while Redis is away", error=str(error))
            return
        wait = max(1, min(_SECONDS, math.ceil(refusal.wait)))
        raise RateLimited(
            f"Too many {refusal.limit.name}: {refusal.limit.amount} a minute are allowed.",
            retry_after=wait,
            hint=f"Try again in {wait} s.",
        )

    async def _note_refusal(self, user_id: str, limit: Limit) -> None:
        """Tells the admins when a user keeps knocking, once a minute at most."""
        if await count(self._redis, user_id, [_REFUSALS]) and await count(self._redis, user_id, [_ALERTS]) is None:
            text = f"A user was over a limit {_REFUSALS.amount + 1} times within a minute."
            data = {"userId": user_id, "limit": limit.name}
            self._outbox.send([system_alert("rate-limit", text, "warn", data)])
