"""The loop that looks for trouble and tells of it, in every worker and every server: so a service whose workers are all
gone still says so. A lock in Redis picks who does it; two at once do no harm.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterable

from redis.exceptions import RedisError

from bmn.broker import redis_keys
from bmn.db.operators.alert_store import Trouble
from bmn.errors import TryLater
from bmn.jobs import alert_finders, hosts, sinks
from bmn.jobs.core import Core
from bmn.jobs.locks import is_mine, lock_seconds
from bmn.logs import get_logger

log = get_logger(__name__)

_LOOK_EVERY = 5  # in sweeps
_SAY_SECONDS = redis_keys.HOST_SECONDS / 4


class AlertLoop:
    """here: what only this process can see, looked at whoever has the lock."""

    def __init__(self, core: Core, here: Callable[[], Iterable[Trouble]] = tuple) -> None:
        self._core = core
        self._here = here
        self._telling: asyncio.Task[None] | None = None
        self._said = -_SAY_SECONDS

    async def run(self) -> None:
        """Until it is cancelled."""
        sweep, sweeps = self._core.settings.bmn_sweep_seconds, 1
        try:
            while True:
                await asyncio.sleep(sweeps * sweep * random.uniform(0.8, 1.2))
                await self._round()
                sweeps = _LOOK_EVERY
        finally:
            if self._telling is not None:
                self._telling.cancel()

    async def _round(self) -> None:
        mine = await is_mine(self._core, "alerts", _LOOK_EVERY)
        try:
            if time.monotonic() - self._said >= _SAY_SECONDS:
                self._said = time.monotonic()
                await hosts.say(self._core)
            await alert_finders.open_here(self._core, self._here())
            if mine:
                await alert_finders.look(self._core)
        except TryLater:
            # The lock lapses, so that one who has a database can look.
            await asyncio.sleep(2 * lock_seconds(self._core))
            return
        except (RedisError, OSError) as error:
            log.debug("alerts not looked for", reason=str(error))
        except Exception:
            log.exception("looking for alerts failed")
        if mine and (self._telling is None or self._telling.done()):
            # Beside the loop: a receiver that is slow keeps nobody from looking.
            self._telling = asyncio.create_task(self._tell(), name="alerts")

    async def _tell(self) -> None:
        try:
            await sinks.tell(self._core)
        except TryLater:
            log.debug("alerts not sent; the database is away")
        except Exception:
            log.exception("telling of alerts failed")
