"""How much one user may ask for in a minute. Counted in Redis, for all server processes together."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable

import limits
import redis
from starlette.types import Scope

from bmn.broker.limiter import open_limiter
from bmn.errors import RateLimited
from bmn.events.audience import system_alert
from bmn.jobs.core import Core
from bmn.logs import get_logger
from bmn.settings import Settings

log = get_logger(__name__)

_REFUSALS_BEFORE_ALERT = 5
_VIEWS = 10
_SPENT = "bmn.spent"
RATE_HEADERS = "bmn.rate_headers"
"""Where a request's scope keeps the headers that say how much of a limit is left."""


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
        self._views = _per_minute(settings.bmn_requests_per_minute * _VIEWS, "views")

    async def check(
        self,
        user_id: str,
        scope: Scope,
        *,
        generation: bool = False,
        is_repeat: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        """Counts one request, and one generation where it is one. Raises RateLimited, which says when to come back.

        scope: the request's; its answer tells the client how much of the tightest limit is left. is_repeat: asked where no
        generation is left; one that only repeats what was answered makes none, and passes.
        """
        if generation:
            scope[_SPENT] = user_id
        try:
            await self._check(user_id, scope, [self._requests, self._generations if generation else None])
        except _NoGeneration:
            del scope[_SPENT]
            if is_repeat is None or not await is_repeat():
                raise

    async def check_room(self, user_id: str) -> None:
        """Counts nothing. Raises RateLimited where the minute has no further generation."""
        if self._generations is None or self._health.down_for() > 0:
            return
        try:
            remaining, wait = await self._left(self._generations, user_id)
        except (redis.RedisError, OSError) as error:
            log.debug("whether there is room is not known", error=str(error))
            return
        if remaining <= 0:
            raise _refusal(self._generations, wait)

    async def check_view(self, name: str, scope: Scope) -> None:
        """Counts a page or a file, which may be looked at ten times as often. name: a user's id, or a file's link."""
        await self._check(name, scope, [self._views])

    async def give_back(self, scope: Scope) -> None:
        """What was counted as a generation has become none."""
        user_id = scope.pop(_SPENT, None)
        if user_id is None or self._generations is None or self._health.down_for() > 0:
            return
        try:
            await self._strategy.hit(self._generations, user_id, cost=-1)
        except (redis.RedisError, OSError) as error:
            log.debug("a refused generation stays counted", error=str(error))

    async def _check(self, user_id: str, scope: Scope, items: list[limits.RateLimitItem | None]) -> None:
        active = [item for item in items if item is not None]
        if not active or self._health.down_for() > 0:
            return
        try:
            if len(active) == 1:
                passed = [await self._strategy.hit(active[0], user_id)]
            else:  # at the same time: one round trip
                passed = list(await asyncio.gather(*(self._strategy.hit(item, user_id) for item in active)))
            counted = active[passed.index(False)] if False in passed else active[-1]
            remaining, wait = await self._left(counted, user_id)
            scope[RATE_HEADERS] = _headers(counted, remaining, wait)
            if all(passed):
                return
            await self._note_refusal(user_id, counted)
        except (redis.RedisError, OSError) as error:
            log.warning("requests are not counted while Redis is away", error=str(error))
            return
        raise _refusal(counted, wait, _NoGeneration if counted is self._generations else RateLimited)

    async def _left(self, item: limits.RateLimitItem, user_id: str) -> tuple[int, int]:
        """How many more fit now, and whole seconds until another one does."""
        stats = await self._strategy.get_window_stats(item, user_id)
        return stats.remaining, max(1, min(60, math.ceil(stats.reset_time - time.time())))

    async def _note_refusal(self, user_id: str, item: limits.RateLimitItem) -> None:
        """Tells the admins once when a user keeps knocking."""
        if await self._strategy.storage.incr(f"refused/{user_id}", 60) == _REFUSALS_BEFORE_ALERT:
            text = f"A user was over a limit {_REFUSALS_BEFORE_ALERT} times within a minute."
            data = {"userId": user_id, "limit": item.namespace}
            self._outbox.send([system_alert("rate-limit", text, "warn", data)])


class _NoGeneration(RateLimited):
    """There are requests left in this minute, and no generations."""


def _refusal(item: limits.RateLimitItem, wait: int, kind: type[RateLimited] = RateLimited) -> RateLimited:
    return kind(
        f"Too many {item.namespace}: {item.amount} a minute are allowed.",
        retry_after=wait,
        hint=f"Try again in {wait} s.",
    )


def _headers(item: limits.RateLimitItem, remaining: int, reset: int) -> list[tuple[bytes, bytes]]:
    """As express-rate-limit has them, by the sixth draft of the IETF."""
    return [
        (b"ratelimit-policy", f"{item.amount};w=60".encode()),
        (b"ratelimit-limit", str(item.amount).encode()),
        (b"ratelimit-remaining", str(remaining).encode()),
        (b"ratelimit-reset", str(reset).encode()),
    ]


def _per_minute(amount: int, name: str) -> limits.RateLimitItem | None:
    return limits.RateLimitItemPerMinute(amount, namespace=name) if amount else None
