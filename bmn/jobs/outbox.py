"""What committed transactions have to publish in Redis: events for the stream, ids and states for RQ's view.

Nothing waits for it. All that gathers while one batch is on its way goes out with the next, in order. While Redis is away
it is dropped, because the rows have it: the sweeper publishes what is missing and puts waiting ids back.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from redis.exceptions import RedisError

from bmn.db.records import DeadLetterRow, EventRow
from bmn.db.transitions import Change
from bmn.errors import CAUSES, TryLater
from bmn.events import audience
from bmn.events.audience import Outgoing
from bmn.events.log import EventLog
from bmn.jobs.queue import DEAD_LETTER
from bmn.jobs.rq.view import RqView, Shown
from bmn.logs import get_logger
from bmn.observability import report
from bmn.schemas.payloads import JobState

log = get_logger(__name__)

_LIMIT = 10_000  # entries kept while a batch is on its way; more than that, and the sweeper does it


@dataclass(slots=True)
class _Batch:
    rows: list[EventRow] = field(default_factory=list)
    others: list[Outgoing] = field(default_factory=list)
    shown: dict[str, Shown] = field(default_factory=dict)  # the last word about each job
    buried: list[Shown] = field(default_factory=list)  # among the dead letters
    unburied: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        parts = (self.rows, self.others, self.shown, self.buried, self.unburied)
        return sum(len(part) for part in parts)


class Outbox:
    def __init__(self, events: EventLog, view: RqView) -> None:
        self._events = events
        self._view = view
        self._next = _Batch()
        self._sending: asyncio.Task[None] | None = None

    def publish(self, change: Change, queue: str | None = None) -> None:
        """Hands in everything that a transition has to publish. queue: the job's, where its place in RQ's view changes."""
        batch = self._next
        batch.rows += change.events
        for balance in change.balances:
            batch.others.append(audience.credits_updated(balance.user_id, balance.remaining, balance.used))
        for user_id, asset in change.assets:
            batch.others.append(audience.asset_new(user_id, asset))
        batch.others += map(audience.kit_updated, change.kits)
        if change.dead:
            report(f"Dead letter: {change.dead.error}", queue=change.dead.queue, cause=change.dead.cause)
            batch.others.append(_system_error(change.dead))
            batch.buried.append(Shown(DEAD_LETTER, change.job_id, change.fence))
        if queue is not None:
            batch.shown[change.job_id] = Shown(queue, change.job_id, change.fence, state=change.state, at=change.run_at)
        for name, job_id, at in change.delayed:
            batch.shown[job_id] = Shown(name, job_id, state=JobState.QUEUED, at=at)
        for name, job_id in change.queued:
            fence = change.fence if job_id == change.job_id else 0
            batch.shown[job_id] = Shown(name, job_id, fence)
        self._wake()

    def show(self, words: Iterable[Shown]) -> None:
        """Hands in how jobs are to be shown in RQ's view."""
        self._next.shown |= {word.job_id: word for word in words}
        self._wake()

    def send(self, others: Iterable[Outgoing]) -> None:
        """Hands in hints that have no row: an alert, a changed brand."""
        self._next.others += others
        self._wake()

    def unbury(self, job_ids: Iterable[str]) -> None:
        """Takes replayed and purged letters off the dashboard."""
        self._next.unburied += job_ids
        self._wake()

    def _wake(self) -> None:
        if len(self._next) > _LIMIT:
            log.warning("Redis is behind; the sweeper will catch up", dropped=len(self._next))
            self._next = _Batch()
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_all(), name="outbox")

    async def _send_all(self) -> None:
        while len(self._next):
            batch, self._next = self._next, _Batch()
            try:
                await self._send(batch)
            except (RedisError, OSError, TryLater) as error:
                log.warning("events not published; the sweeper will retry", entries=len(batch), reason=str(error)[:200])

    async def _send(self, batch: _Batch) -> None:
        shown = [*batch.shown.values(), *batch.buried]
        if batch.rows or batch.others or shown:
            await self._events.publish(batch.rows, batch.others, self._view.calls(shown))
        if batch.unburied:
            await self._view.unbury(batch.unburied)

    async def close(self) -> None:
        """Waits until everything handed in is sent."""
        while self._sending is not None and not self._sending.done():
            await self._sending


def _system_error(dead: DeadLetterRow) -> Outgoing:
    return audience.system_error(
        queue=dead.queue,
        job_id=dead.job_id,
        error=CAUSES[dead.cause].told,  # not its own error: nobody has asked to see a user's words
        cause=dead.cause,
        attempts=dead.attempts,
        user_id=dead.user_id,
        brand_id=dead.brand_id,
    )
