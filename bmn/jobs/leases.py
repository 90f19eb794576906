"""Keeping the leases of the jobs that a worker runs: renewed together, and given up before they end unrenewed."""

import asyncio
import time
from collections.abc import Collection

from bmn.db import claims
from bmn.db.records import JobRow
from bmn.jobs.core import Core
from bmn.jobs.running_job import Run, Stop
from bmn.logs import get_logger

log = get_logger(__name__)

_AGAIN_SECONDS = 0.5
_WAITED_SECONDS = 1.0  # less in line for a provider makes no attempt look stale
_LAST_SHARE = 0.1  # of a lease: what a job gets to stop in


class Leases:
    """runs: what the worker is running; the worker changes it as jobs come and go."""

    def __init__(self, core: Core, runs: Collection[Run]) -> None:
        self._core = core
        self._runs = runs
        self._every = core.settings.bmn_renew_seconds
        self._some = asyncio.Event()

    def begun(self) -> None:
        """Says that there is a run; without any, nothing wakes up."""
        self._some.set()

    async def keep(self) -> None:
        """Renews until it is cancelled, and stops jobs that were cancelled, or that another worker has by now."""
        renewing: asyncio.Task[None] | None = None
        while True:
            if not self._runs and renewing is None:
                self._some.clear()
                await self._some.wait()
            await asyncio.sleep(self._every if renewing is None else _AGAIN_SECONDS)
            if self._runs and renewing is None:
                renewing = asyncio.create_task(self._renew([(run, run.job) for run in self._runs]), name="renew leases")
            if renewing is not None:
                await asyncio.wait([renewing], timeout=self._every)
                renewing = self._outcome(renewing)
            self._let_go_in_time()

    def _outcome(self, renewing: "asyncio.Task[None]") -> "asyncio.Task[None] | None":
        """The renewal, if it is still on its way: a late answer is an answer."""
        if renewing.done() and (renewing.cancelled() or renewing.exception() is None):
            return None
        log.warning("leases are not renewed yet", jobs=len(self._runs))
        return None if renewing.done() else renewing

    async def _renew(self, mine: list[tuple[Run, JobRow]]) -> None:
        lease, began = self._core.settings.bmn_lease_seconds, time.monotonic()
        ids = {job.id for _, job in mine}
        waited = {run: run.clock.untold() for run, job in mine if run.clock.untold() > _WAITED_SECONDS}
        held = await self._core.db.write(lambda conn: claims.renew(conn, self._core.name, ids, lease))
        if waited:
            told = [(run.job.id, run.job.fence, seconds) for run, seconds in waited.items()]
            await self._core.db.write(lambda conn: claims.forgive(conn, told))
            for run, seconds in waited.items():
                run.clock.tell(seconds)
        by_id = {renewed.job_id: renewed for renewed in held}
        for run, job in mine:
            if run.job is not job or run.is_moving:
                continue
            renewed = by_id.get(job.id)
            if renewed is None or renewed.fence != job.fence:
                run.stop(Stop.FENCED)
                continue
            run.lease_renewed(began + lease)
            if renewed.cancel:
                run.stop(Stop.CANCELLED)

    def _let_go_in_time(self) -> None:
        """A job whose lease is about to end without our having been able to renew it is handed on, not fought over."""
        latest = time.monotonic() + _LAST_SHARE * self._core.settings.bmn_lease_seconds
        for run in self._runs:
            if run.held_until < latest and not run.stopped.done():
                log.warning("lease not renewed in time, letting go", job_id=run.job.id)
                run.stop(Stop.HANDED_ON)
