"""The event log as one thing: rows in SQL, then the stream. Publishing heals what an earlier crash left out."""

from collections.abc import Sequence

from bmn.broker.scripts import ScriptCall
from bmn.db import event_store
from bmn.db.engine import Database
from bmn.db.records import EventRow, StoredEvent
from bmn.events.audience import Outgoing, job_event
from bmn.events.stream import EventStream


class EventLog:
    """brand_queues: those whose jobs their brand's room follows. Housekeeping jobs reach their own room only."""

    def __init__(self, db: Database, stream: EventStream, brand_queues: frozenset[str]) -> None:
        self._db = db
        self._stream = stream
        self._brand_queues = brand_queues

    async def publish(
        self, rows: Sequence[EventRow], others: Sequence[Outgoing] = (), also: Sequence[ScriptCall] = ()
    ) -> None:
        """Sends committed rows and hints to every server. Raises redis.RedisError while Redis is away.

        also: what else Redis has to know, in the same round trip.
        """
        outgoing = [self._outgoing(row) for row in rows]
        gaps = await self._stream.publish([*outgoing, *others], also)
        if gaps:
            await self.republish(gaps)

    def _outgoing(self, row: EventRow) -> Outgoing:
        shown = row.queue in self._brand_queues
        return job_event(row.event, row.payload, user_id=row.user_id, group_id=row.group_id, in_brand=shown)

    async def republish(self, job_ids: set[str]) -> None:
        """Sends what these jobs have recorded and the stream does not have."""
        published = await self._stream.last_seqs(job_ids)
        rows = await self._db.read(lambda conn: event_store.missing(conn, published))
        await self._stream.publish([self._outgoing(row) for row in rows])

    async def repair(self, after: float, *, age: float = 2.0, limit: int = 2000) -> tuple[int, float]:
        """Publishes what was recorded after a moment (seconds since 1970) and has not reached the stream in `age` seconds.

        Returns how many jobs had been behind, and the moment up to which everything is published now.
        """
        recorded = await self._db.read(lambda conn: event_store.recorded_between(conn, after, age, limit))
        if not recorded:
            return 0, after
        published = await self._stream.last_seqs([job for job, _, _ in recorded])
        behind = {job for job, seq, _ in recorded if published[job] < seq}
        if behind:
            await self.republish(behind)
        return len(behind), recorded[-1][2]

    async def after(self, job_id: str, seq: int) -> list[StoredEvent]:
        """What a job recorded after seq."""
        return await self._db.read(lambda conn: event_store.after(conn, job_id, seq))
