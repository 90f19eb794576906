"""Whose pictures an event of the stream may show: whoever can write to Redis could put anybody's address into an event
for themselves, and would get it back signed.

So an address is signed where the rows say that everybody the event is for may see the brand it lies in.
"""

import asyncio
import time

from bmn.db import brands, jobs
from bmn.db.engine import Connection, Database
from bmn.errors import TryLater
from bmn.events.audience import Outgoing, brand_room, job_room, jobs_room, user_room
from bmn.logs import get_logger
from bmn.signing import Signer

log = get_logger(__name__)

_KNOWN_SECONDS = 60.0
_MOST_KNOWN = 10_000
_ASK_SECONDS = 1.0
_AWAY_SECONDS = 2.0


class Vouching:
    """Asks the rows once a minute for each brand and job. While they do not answer nothing of the stream is signed."""

    def __init__(self, db: Database, signer: Signer) -> None:
        self._db = db
        self._signer = signer
        self._rooms: dict[tuple[str, str | None], tuple[float, frozenset[str]]] = {}
        self._away_until = 0.0

    async def signs(self, event: Outgoing) -> bool:
        """Whether the addresses in an event are to be signed."""
        for brand_id in self._signer.brands_in(event.data):
            if not await self._of(brand_id, event.job_id) >= set(event.rooms):
                return False
        return True

    async def _of(self, brand_id: str, job_id: str | None) -> frozenset[str]:
        """The rooms whose sockets may see a brand's pictures."""
        asked, now = (brand_id, job_id), time.monotonic()
        until, rooms = self._rooms.get(asked, (0.0, frozenset[str]()))
        if until > now:
            return rooms
        if now < self._away_until:
            return frozenset()
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                rooms = await self._db.read(lambda conn: _rooms(conn, brand_id, job_id))
        except (TryLater, TimeoutError):
            self._away_until = now + _AWAY_SECONDS
            log.warning("addresses in events stay unsigned while the database is away")
            return frozenset()
        if len(self._rooms) >= _MOST_KNOWN:
            self._rooms.clear()
        self._rooms[asked] = (now + _KNOWN_SECONDS, rooms)
        return rooms


def _rooms(conn: Connection, brand_id: str, job_id: str | None) -> frozenset[str]:
    owner = brands.owner(conn, brand_id)
    if owner is None:
        return frozenset()
    rooms = {brand_room(brand_id), user_room(owner), jobs_room(owner)}
    if job_id is not None and jobs.brand_of(conn, job_id) == brand_id:
        rooms.add(job_room(job_id))
    return frozenset(rooms)
