"""Whose pictures an event of the stream may show: whoever can write to Redis could put anybody's address into an event
for themselves, and would get it back signed.

So an address is signed where the rows say that everybody the event is for may see the brand it lies in.
"""

import asyncio
import time
from collections.abc import Sequence

from bmn.db import job_store
from bmn.db.engine import Connection, Database
from bmn.db.library import brand_store
from bmn.errors import TryLater
from bmn.events.audience import Outgoing, brand_room, group_room, job_room, jobs_room, user_room
from bmn.logs import get_logger
from bmn.signing import Signer

log = get_logger(__name__)

_KNOWN_SECONDS = 60.0
_MOST_KNOWN = 10_000
_ASK_SECONDS = 1.0
_AWAY_SECONDS = 2.0


_Asked = tuple[str, str | None]
"""A brand whose pictures an event shows, and the job that the event is about."""


class Vouching:
    """Asks the rows once a minute for each brand and job. While they do not answer nothing of the stream is signed."""

    def __init__(self, db: Database, signer: Signer) -> None:
        self._db = db
        self._signer = signer
        self._rooms: dict[_Asked, tuple[float, frozenset[str]]] = {}
        self._away_until = 0.0

    async def signs(self, events: Sequence[Outgoing]) -> list[bool]:
        """Of each event, whether the addresses in it are to be signed. The rows are asked once for all of them."""
        shown = [[(brand_id, event.job_id) for brand_id in self._signer.brands_in(event.data)] for event in events]
        known = await self._known({asked for each in shown for asked in each})
        return [
            all(known[asked] >= set(event.rooms) for asked in each) for event, each in zip(events, shown, strict=True)
        ]

    async def _known(self, asked: set[_Asked]) -> dict[_Asked, frozenset[str]]:
        """The rooms whose sockets may see a brand's pictures."""
        now = time.monotonic()
        found = {each: entry[1] for each in asked if (entry := self._rooms.get(each)) and entry[0] > now}
        missing = asked - found.keys()
        if not missing:
            return found
        return found | dict.fromkeys(missing, frozenset[str]()) | await self._look_up(missing, now)

    async def _look_up(self, missing: set[_Asked], now: float) -> dict[_Asked, frozenset[str]]:
        if now < self._away_until:
            return {}
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                found = await self._db.read(lambda conn: {each: _rooms(conn, *each) for each in missing})
        except (TryLater, TimeoutError):
            self._away_until = now + _AWAY_SECONDS
            log.warning("addresses in events stay unsigned while the database is away")
            return {}
        if len(self._rooms) + len(found) > _MOST_KNOWN:
            self._rooms.clear()
        self._rooms |= {each: (now + _KNOWN_SECONDS, rooms) for each, rooms in found.items()}
        return found


def _rooms(conn: Connection, brand_id: str, job_id: str | None) -> frozenset[str]:
    owner = brand_store.owner(conn, brand_id)
    if owner is None:
        return frozenset()
    rooms = {brand_room(brand_id), user_room(owner), jobs_room(owner)}
    if job_id is not None:
        of_brand, group_id = job_store.brand_and_group(conn, job_id)
        if of_brand == brand_id:
            rooms |= {job_room(job_id)} | ({group_room(group_id)} if group_id else set())
    return frozenset(rooms)
