"""Keeping the leases of the jobs that a worker runs: renewed together, and given up before they end unrenewed."""

import asyncio
import time
from collections.abc import Mapping

from bmn.db import claims
from bmn.errors import TryLater
from bmn.jobs.core import Core
from bmn.jobs.executor import Run, Stop
from bmn.logs import get_logger

log = get_logger(__name__)

_AGAIN_SECONDS = 0.5


class Leases:
    """runs: by job id, what the worker is running; the worker changes it as jobs come and go."""

    def __init__(self, core: Core, runs: Mapping[str, Run]) -> None:
        self._core = core
        self._runs = runs
        self._every = core.settings.bmn_renew_seconds

    async def keep(self) -> None:
        """Renews until it is cancelled, and stops jobs that were cancelled, or that another worker has by now."""
        pause = self._every
        while True:
            await asyncio.sleep(pause)
            self._let_go_in_time()
            if not self._runs:
                continue
            try:
                async with asyncio.timeout(self._every):
                    await self._renew(dict(self._runs))
                pause = self._every
            except (TryLater, TimeoutError):
                log.warning("leases could not be renewed", jobs=len(self._runs))
                pause = min(self._every, _AGAIN_SECONDS)

    async def _renew(self, mine: dict[str, Run]) -> None:
        lease, began = self._core.settings.bmn_lease_seconds, time.monotonic()
        held = await self._core.db.write(lambda conn: claims.renew(conn, self._core.name, list(mine), lease))
        by_id = {renewed.job_id: renewed for renewed in held}
        for job_id, run in mine.items():
            renewed = by_id.get(job_id)
            if renewed is None or renewed.fence != run.row["fence"]:
                if job_id in self._runs:
                    run.stop(Stop.FENCED)
                continue
            run.held_until = began + lease
            if renewed.cancel:
                run.stop(Stop.CANCELLED)

    def _let_go_in_time(self) -> None:
        """A job whose lease is about to end without our having been able to renew it is handed on, not fought over."""
        latest = time.monotonic() + self._every
        for job_id, run in self._runs.items():
            if run.held_until < latest and not run.stopped.done():
                log.warning("lease not renewed in time, letting go", job_id=job_id)
                run.stop(Stop.HANDED_ON)
