"""What a process that accepts or runs jobs holds open: database, Redis, event log, objects, and the outbox to Redis."""

import os
import secrets
import socket
from dataclasses import dataclass

import redis.asyncio

from bmn.broker.connection import RedisHealth, connect
from bmn.db.engine import Database
from bmn.errors import Misconfigured
from bmn.events.log import EventLog
from bmn.events.stream import EventStream
from bmn.jobs.outbox import Outbox
from bmn.jobs.rq.view import RqView
from bmn.settings import Settings
from bmn.storage import Storage, open_storage


@dataclass(slots=True)
class Core:
    """name: of this process, unique on every host; the owner of its leases."""

    settings: Settings
    name: str
    db: Database
    redis: "redis.asyncio.Redis"
    health: RedisHealth
    stream: EventStream
    events: EventLog
    view: RqView
    outbox: Outbox
    storage: Storage

    async def close(self) -> None:
        """Sends what is left to send, then closes everything. Safe to call twice."""
        await self.outbox.close()
        await self.health.stop()
        await self.redis.aclose()
        await self.db.close()


def this_host() -> str:
    return socket.gethostname().split(".")[0]


def process_name(role: str) -> str:
    return f"{role}.{this_host()}.{os.getpid()}.{secrets.token_hex(3)}"


async def open_core(settings: Settings, role: str) -> Core:
    """Opens what the settings name. Raises Misconfigured without a Redis, TryLater without a database.

    A Redis that is named but away is no error: work goes on from the rows, and the outbox catches up.
    """
    if not settings.redis_address:
        raise Misconfigured(
            "No Redis is configured and no `bmn serve` runs here.",
            hint="Start `bmn serve`, or set REDIS_URL.",
        )
    db = Database(settings.database_address)
    await db.start()
    client = connect(settings.redis_address)
    health = RedisHealth(client)
    await health.start()
    stream = EventStream(client, maxlen=settings.bmn_stream_maxlen)
    events = EventLog(db, stream)
    view = RqView(client, window=settings.bmn_queue_window)
    outbox = Outbox(events, view)
    return Core(
        settings=settings,
        name=process_name(role),
        db=db,
        redis=client,
        health=health,
        stream=stream,
        events=events,
        view=view,
        outbox=outbox,
        storage=open_storage(settings),
    )
