"""Upkeep: one loop in every worker, one lock in Redis decides who runs it, harmless if two do.

Everything that is late is found in the rows: leases of the dead, due jobs that Redis does not list, events that reached no
stream, chores of the work's own. So nothing depends on what Redis remembers.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial, wraps

from redis.exceptions import RedisError

from bmn.broker import redis_keys
from bmn.db import claims, job_store, transitions
from bmn.db.batches import bulk_store
from bmn.db.health import clock
from bmn.db.records import JobRow
from bmn.db.sums import activity, lines, spending
from bmn.errors import TryLater
from bmn.jobs import bulk_duty, cancellation
from bmn.jobs.core import Chore, Core
from bmn.jobs.escalation import lose
from bmn.jobs.locks import is_mine, lock_seconds
from bmn.jobs.rq.view import Shown
from bmn.jobs.stock_worker import bring_back
from bmn.logs import get_logger
from bmn.schemas.payloads import JobState

log = get_logger(__name__)

_QUIET_AFTER = 15  # sweeps that have found no job to wait for
_QUIET_SWEEPS = 5  # one in so many is enough then
_REPAIR_SECONDS = 60.0  # how far back an emptied stream is filled again
_REPAIR_PAGES = 5
_CLOCK_JUMP_SECONDS = 2.0
_AGEING_SECONDS = (
    60.0  # less makes no attempt stale and no deadline unfair; a slow look at the clock can seem like less
)


@dataclass(frozen=True, slots=True)
class Duty:
    """every: in sweeps. redis: it is left out while that is known to be away, so that the others are not held up.

    beside: it runs beside the loop, so that a slow one holds up nobody's lease; not again before it has ended.
    unfinished: it concerns jobs that have not ended, and is left out where there are none.
    """

    run: Callable[[], Awaitable[object]]
    every: int
    redis: bool = False
    beside: bool = False
    unfinished: bool = False


class ClockWatch:
    """Notices that the database's clock was set. Until every live worker has renewed by it, no lease can be judged."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None
        self._until = 0.0

    def look(self, database: float, monotonic: float, *, settle: float) -> float:
        """By how much it was set since the last look; 0.0 where it was not. All in seconds.

        settle: how long leases are left alone after that.
        """
        drift = 0.0 if self._last is None else (database - self._last[0]) - (monotonic - self._last[1])
        self._last = (database, monotonic)
        if abs(drift) <= _CLOCK_JUMP_SECONDS:
            return 0.0
        log.warning("the database's clock was set; leases are left alone for a while", by_s=round(drift, 1))
        self._until = monotonic + settle
        return drift

    def is_settled(self, monotonic: float) -> bool:
        """Whether every live worker has had the time to renew by the clock since it was set."""
        return monotonic >= self._until


class Sweeper:
    def __init__(self, core: Core) -> None:
        self._core = core
        self._beside: dict[str, asyncio.Task[bool]] = {}
        self._published = 0.0  # up to here, by the database's clock, every event is in the stream
        self._clocks = ClockWatch()
        self._looking = Duty(self.look, 1)  # by all, since whoever sweeps next has to know of the clock
        self._unfinished = True
        self._quiet = 0  # sweeps since anything was to do
        self._has_lock = self._in_bulk = False
        self._duties = (
            Duty(self.take_from_the_dead, 1, unfinished=True),
            Duty(self.follow_clock, 5, unfinished=True),
            Duty(self.put_in_line, 1, redis=True, unfinished=True),
            Duty(self.publish_missing, 2, redis=True),
            Duty(self.correct_view, 5, redis=True),
            Duty(self.carry_out_cancels, 2, unfinished=True),
            Duty(self.cancel_overdue, 1, unfinished=True),
            Duty(self.count_ended, 15),
            Duty(self.look_at_lines, 20),
            Duty(self.carry_out_bulk, 1, beside=True),
            Duty(self.trim, 60, redis=True),
            *(Duty(self._of_the_work(chore), chore.every, beside=chore.beside) for chore in core.work.chores),
        )

    async def run(self) -> None:
        """Sweeps until it is cancelled."""
        try:
            await self._sweep()
        finally:
            for task in self._beside.values():
                task.cancel()

    async def _sweep(self) -> None:
        number = random.randrange(60)
        while True:
            sweeps = self._pace(self._quiet)
            await asyncio.sleep(sweeps * self._core.settings.bmn_sweep_seconds * random.uniform(0.8, 1.2))
            self._has_lock = await is_mine(self._core, "sweeper", self._pace(self._quiet + 1))
            if not self._has_lock:
                await self._do(self._looking)
                await asyncio.sleep(2 * self._core.settings.bmn_sweep_seconds)  # the lock lasts for three sweeps
                continue
            before, number = number, number + sweeps
            if not await self._do(self._looking):
                await asyncio.sleep(2 * lock_seconds(self._core))
                continue
            due = list(self._due(before, number))
            for duty in (duty for duty in due if duty.beside):
                self._begin(duty)
            if not all([await self._do(duty) for duty in due if not duty.beside]):
                # Whoever cannot reach the database lets the lock lapse, so that somebody else can sweep.
                await asyncio.sleep(2 * lock_seconds(self._core))

    @staticmethod
    def _pace(quiet: int) -> int:
        """Sweeps from one to the next: seldom after a while in which nothing was to do, as always with the first job."""
        return _QUIET_SWEEPS if quiet >= _QUIET_AFTER else 1

    def _begin(self, duty: Duty) -> None:
        name = duty.run.__name__
        if name not in self._beside or self._beside[name].done():
            self._beside[name] = asyncio.create_task(self._do(duty), name=f"sweeper {name}")

    def _due(self, before: int, number: int) -> Iterator[Duty]:
        """What is to be done in a sweep, as far as it can be and there is anything to do it for.

        before: the number of the last sweep.
        """
        for duty in self._duties:
            if before // duty.every == number // duty.every or (duty.redis and self._core.health.down_for()):
                continue
            if self._unfinished or not duty.unfinished:
                yield duty

    def _of_the_work(self, chore: Chore) -> Callable[[], Awaitable[object]]:
        @wraps(chore.run)
        def run() -> Awaitable[object]:
            return chore.run(self._core)

        return run

    async def _do(self, duty: Duty) -> bool:
        """False where the database is away."""
        try:
            await duty.run()
        except TryLater:
            return False
        except (RedisError, OSError) as error:
            log.debug("sweep incomplete", duty=duty.run.__name__, reason=str(error))
        except Exception:
            log.exception("a duty of the sweeper failed", duty=duty.run.__name__)
        return True

    # --- duties ----------------------------------------------------------------------------------------------------

    async def count_ended(self) -> None:
        """Adds what has ended, and what calls cost, to the figures by hour and day."""
        await self._core.db.write(activity.roll_up)
        await self._core.db.write(spending.roll_up)

    async def take_from_the_dead(self) -> None:
        """Jobs whose worker stopped renewing go back in line; after the third loss they are dead letters."""
        if not self._clocks.is_settled(time.monotonic()):
            return
        scale = self._core.settings.bmn_timeout_scale
        stale = {queue.name: 2 * queue.timeout * scale for queue in self._core.queues.values()}
        for job in await self._core.db.read(lambda conn: claims.expired(conn, stale_after=stale)):
            await self._lose(job)

    async def look(self) -> None:
        """At what there is to do, and at the clock: where it was set, no attempt ages, no deadline moves."""
        lease = self._core.settings.bmn_lease_seconds
        now, self._unfinished, in_bulk = await self._core.db.read(
            lambda conn: (clock.now(conn), claims.any_unfinished(conn), bulk_store.running(conn))
        )
        self._in_bulk = bool(in_bulk)
        self._quiet = 0 if self._unfinished or in_bulk else self._quiet + 1
        drift = self._clocks.look(now, time.monotonic(), settle=lease)
        if drift > _AGEING_SECONDS:
            await self._core.db.write(lambda conn: clock.move_starts(conn, drift))
        if abs(drift) > _AGEING_SECONDS:
            await self._core.db.write(lambda conn: clock.move_deadlines(conn, drift))

    async def _lose(self, job: JobRow) -> None:
        core = self._core
        change = await core.db.write(lambda conn: lose(conn, core, job))
        if change:
            log.warning("worker lost", job_id=job.id, owner=job.lease_owner, then=change.state)
            self._core.outbox.publish(change, job.queue)

    async def follow_clock(self) -> None:
        """Jobs that would wait until a moment that the clock, set back, reaches much later."""
        lease = self._core.settings.bmn_lease_seconds
        if moved := await self._core.db.write(lambda conn: clock.follow_clock(conn, lease)):
            log.warning("the database's clock was set back; due times and leases follow it", jobs=moved)

    async def put_in_line(self) -> None:
        """Shows due jobs in RQ's lists: retries whose time has come, and what never reached Redis or vanished from it."""
        window = self._core.settings.bmn_queue_window
        for queue in await self._core.db.read(claims.due_queues):
            length = await self._core.view.length(queue)
            if length >= window or length == await self._core.db.read(partial(claims.due, queue=queue)):
                continue
            listed = await self._core.view.listed(queue)
            due = await self._core.db.read(lambda conn, name=queue: claims.next_in_line(conn, name, window))  # type: ignore[misc]
            known = set(listed)
            await self._core.view.show(Shown(queue, job.id, job.fence) for job in due if job.id not in known)

    async def correct_view(self) -> None:
        """Jobs that RQ shows as running or in line and the rows do not: the word of their end was lost on its way."""
        view = self._core.view
        for queue, (running, in_line) in (await view.shown(self._core.queues)).items():
            if not running and not in_line:
                continue
            misplaced = await self._core.db.read(partial(job_store.misplaced, running=running, in_line=in_line))
            for dead in (job for job in misplaced if job.state is JobState.FAILED):
                await bring_back(self._core, await self._core.db.read(partial(job_store.get_job, job_id=dead.id)))
            await view.show(
                Shown(queue, job.id, job.fence, worker=job.lease_owner or "", state=job.state, at=job.run_at)
                for job in misplaced
            )

    async def publish_missing(self) -> None:
        """Events that have a row and never reached the stream: all since the last look, however long Redis was away."""
        redis = self._core.redis
        if not self._published or not await redis.exists(redis_keys.PUBLISHED):  # the first look, or it was emptied
            now = await self._core.db.read(clock.now)
            self._published = min(self._published or now, now - _REPAIR_SECONDS)
        for _ in range(_REPAIR_PAGES):
            before = self._published
            repaired, self._published = await self._core.events.repair(before)
            if repaired:
                log.info("published what was missing", jobs=repaired)
            if self._published == before:
                break
        await redis.set(redis_keys.PUBLISHED, "1", ex=redis_keys.SEQ_SECONDS)

    async def carry_out_cancels(self) -> None:
        """Jobs that went back in line while their cancel was on its way."""
        for job_id in await self._core.db.read(claims.forgotten_cancels):
            job = await self._core.db.read(partial(job_store.get_job, job_id=job_id))
            if change := await self._core.db.write(partial(transitions.cancel_waiting, held=job)):
                self._core.outbox.publish(change, job.queue)

    async def cancel_overdue(self) -> None:
        """Jobs that have not begun, or not ended, by their deadlines."""
        await cancellation.cancel_overdue(self._core)

    async def look_at_lines(self) -> None:
        """How many jobs wait and run, once a minute, for plots."""
        await self._core.db.write(lines.look)

    async def carry_out_bulk(self) -> None:
        """Acts on the jobs of bulk actions, for as long as it is ours to sweep."""
        if self._in_bulk:
            await bulk_duty.work(self._core, lambda: self._has_lock)

    async def trim(self) -> None:
        """Lets RQ's view forget ended jobs as their queues say."""
        await self._core.view.trim()
