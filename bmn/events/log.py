"""The event log as one thing: rows in SQL, then the stream. Publishing heals what an earlier crash left out."""

from collections.abc import Sequence

from bmn.db import events
from bmn.db.engine import Database
from bmn.db.events import EventRow
from bmn.events.rooms import Outgoing, job_event
from bmn.events.stream import EventStream


class EventLog:
    def __init__(self, db: Database, stream: EventStream) -> None:
        self._db = db
        self._stream = stream

    async def publish(self, rows: Sequence[EventRow], others: Sequence[Outgoing] = ()) -> None:
        """Sends committed rows and hints to every server. Raises redis.RedisError while Redis is away."""
        outgoing = [job_event(row["event"], row["payload"]) for row in rows]
        gaps = await self._stream.publish([*outgoing, *others])
        if gaps:
            await self.republish(gaps)

    async def republish(self, job_ids: set[str]) -> None:
        """Sends what these jobs have told and the stream does not know."""
        published = await self._stream.last_seqs(job_ids)
        rows = await self._db.read(lambda conn: events.missing(conn, published))
        await self._stream.publish([job_event(row["event"], row["payload"]) for row in rows])

    async def repair(self, seconds: float) -> int:
        """Finds jobs that told something within these seconds which never reached the stream; returns how many."""
        told = await self._db.read(lambda conn: events.recently_told(conn, seconds))
        if not told:
            return 0
        published = await self._stream.last_seqs(told)
        behind = {job for job, seq in told.items() if published[job] < seq}
        if behind:
            await self.republish(behind)
        return len(behind)

    async def after(self, job_id: str, seq: int) -> list[EventRow]:
        """What a job told after seq."""
        return await self._db.read(lambda conn: events.after(conn, job_id, seq))
