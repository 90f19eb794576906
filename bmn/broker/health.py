"""How Redis is, asked every few seconds, so that requests know before they begin: away, or there and what it refuses."""

import asyncio
import contextlib
import signal
import time
from typing import cast

import redis
import redis.asyncio

from bmn.broker import redis_keys
from bmn.broker.connection import REPLY_SECONDS
from bmn.broker.info import Info
from bmn.broker.ownership import REMEDY, Owner, renew, taken
from bmn.broker.redis_refusals import RedisRefusal, refusal_of
from bmn.broker.trial import try_all_here
from bmn.logs import get_logger

_log = get_logger(__name__)

_PROBE_SECONDS = 3.0
_PROBE_AWAY_SECONDS = 0.5  # while it does not answer
_FULL = 0.97
_TRIAL_SECONDS = 60.0  # between two looks at everything we ask of it, while nothing is refused
Mark = bytes | str | redis.ResponseError | None
"""Whose a Redis is, as it answers; None where it is nobody's."""


class RedisHealth:
    """Asks Redis every three seconds how it is, and keeps its mark; asks more often while it is away.

    owner: for whose database it has to work; None: this does not matter.
    """

    def __init__(
        self, client: "redis.asyncio.Redis", *, owner: Owner | None = None, every: float = _PROBE_SECONDS
    ) -> None:
        self._client = client
        self._owner = owner
        self._every = every
        self._task: asyncio.Task[None] | None = None
        self._answered = time.monotonic()
        self._away = False
        self._unwell_at = self._answered  # nobody has looked before
        self._gone = asyncio.Event()
        self._refusals: tuple[RedisRefusal, ...] = ()
        self._tried = -_TRIAL_SECONDS
        self._other: Owner | None = None
        self._info = Info()

    async def start(self) -> None:
        """Probes once, so that the first answer is a true one, then goes on in the background.

        Raises Misconfigured where it works for another deployment.
        """
        await self.probe()
        if self._other:
            raise taken(self._other)
        self._task = asyncio.create_task(self._run(), name="redis-health")

    async def stop(self) -> None:
        """Ends the probing."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def wait_until_down(self) -> None:
        """Until Redis is known not to answer."""
        await self._gone.wait()

    def down_for(self) -> float:
        """Seconds since Redis last answered; 0 while it answers."""
        return time.monotonic() - self._answered if self._away else 0.0

    def well_for(self) -> float:
        """For how many seconds Redis has been seen to answer and to refuse nothing."""
        return time.monotonic() - self._unwell_at

    @property
    def full(self) -> bool:
        """True where writes are refused for want of memory, or soon will be."""
        return self.memory_share >= _FULL or any(refusal.kind == "full" for refusal in self._refusals)

    @property
    def refusals(self) -> tuple[RedisRefusal, ...]:
        """What a Redis that answers will not do. It is not away: work goes on from the rows."""
        return () if self._away else self._refusals

    @property
    def memory_share(self) -> float:
        """Used memory by its limit; 0 where there is no limit."""
        return self._info.used / self._info.limit if self._info.limit else 0.0

    @property
    def policy_ok(self) -> bool:
        """False where Redis may throw keys away when it is full, queues included."""
        return self._info.policy == "noeviction"

    async def probe(self) -> None:
        """Asks Redis once and notes what it says."""
        try:
            async with asyncio.timeout(REPLY_SECONDS):
                await self._keep_mark(await self._ask())
                await self._try()
        except (redis.RedisError, OSError, TimeoutError) as error:
            if (refusal := refusal_of(error)) is None:
                self._note_away(error)
                return
            self._note((refusal,))
        if self.full or self._refusals:
            self._unwell_at = time.monotonic()
        if self._away:
            self._unwell_at = time.monotonic()
            _log.info("Redis answers again", after_s=round(self.down_for(), 1))
        self._answered = time.monotonic()
        self._away = False
        self._gone.clear()

    def _note_away(self, error: Exception) -> None:
        if not self._away:
            _log.warning("Redis does not answer", error=str(error) or type(error).__name__)
        self._away = True
        self._unwell_at = time.monotonic()
        self._gone.set()
        self._tried = -_TRIAL_SECONDS

    async def _ask(self) -> Mark:
        """What Redis says of its memory, nothing where our user may not ask that; and whose it is, in one round trip."""
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.info("memory")
            pipe.get(redis_keys.OWNER)
            memory, mark = await pipe.execute(raise_on_error=False)
        if isinstance(memory, redis.ResponseError):  # a refusal is an answer; what else is refused is looked at now
            self._tried = -_TRIAL_SECONDS
        self._info = Info.of(memory)
        return cast(Mark, mark)

    async def _keep_mark(self, mark: Mark) -> None:
        if self._owner:
            try:
                if isinstance(mark, redis.ResponseError):
                    raise mark
                self._other = await renew(self._client, self._owner, mark)
            except redis.ResponseError as error:  # where nothing can be written, there is nothing to mix up
                _log.debug("the mark of this deployment was not renewed", reason=str(error))
                self._tried = -_TRIAL_SECONDS

    async def _try(self) -> None:
        if self._refusals or time.monotonic() - self._tried >= _TRIAL_SECONDS:
            self._note(tuple(await try_all_here(self._client)))
            self._tried = time.monotonic()

    def _note(self, found: tuple[RedisRefusal, ...]) -> None:
        if found != self._refusals:
            for refusal in found:
                _log.warning(refusal.message, kind=refusal.kind, remedy=refusal.remedy)
            if not found:
                _log.info("Redis refuses nothing any more")
        self._refusals = found

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(min(self._every, _PROBE_AWAY_SECONDS) if self._away else self._every)
            await self.probe()
            if (
                self._other
            ):  # emptied, or away when both began: whoever came second ends, before it takes from the other
                _log.critical("Redis works for another deployment; stopping", database=self._other.where, remedy=REMEDY)
                signal.raise_signal(signal.SIGTERM)
                return
