"""What a process that accepts or runs jobs holds open: database, Redis, event log, objects, and the outbox to Redis."""

import os
import secrets
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import redis.asyncio

from bmn.broker.connection import connect
from bmn.broker.health import RedisHealth
from bmn.broker.ownership import Owner
from bmn.broker.pipelined import Pipelined
from bmn.db.engine import Database
from bmn.db.health.deployment import get_identity
from bmn.db.operators.alert_store import Alert
from bmn.db.records import DeadLetterRow, JobRow, NewAsset, NewJob
from bmn.errors import Misconfigured
from bmn.events.log import EventLog
from bmn.events.stream import EventStream
from bmn.jobs.outbox import Outbox
from bmn.jobs.queue import Queue, find_queue
from bmn.jobs.rq.view import RqView
from bmn.redaction import redact
from bmn.schemas.payloads import Payload
from bmn.settings import Settings
from bmn.storage import Storage, open_storage


@dataclass(frozen=True, slots=True)
class Chore:
    """Upkeep of the work's own, which the sweeper runs in every n-th sweep. beside: the loop does not wait for it."""

    run: Callable[["Core"], Awaitable[object]]
    every: int
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """What the engine is handed: its queues, and what else is to happen at moments that only the engine knows.

    module: import path of the module whose `open_core` hands all this over, for the process of a job that runs alone, and
    whose `execute` a worker of RQ's own calls.
    follow_up: the job that follows from a saved asset. ops_mail: the mail that a dead letter sends to the operators,
    under a key that stands for its cause and window; None where there is to be none. Both inside the transaction, so
    they read nothing. alert_mail: the mail to an address about an alert, given its words and the next command.
    usd: what a provider is expected to charge for so many units of a queue's payload, in US dollars, given who serves
    the queue now. chores: run by the sweeper beside its own duties.
    """

    queues: Mapping[str, Queue]
    module: str
    follow_up: Callable[[JobRow, NewAsset], NewJob | None]
    ops_mail: Callable[[Settings, DeadLetterRow, str], NewJob | None]
    alert_mail: Callable[[Settings, str, Alert, str, str], NewJob]
    usd: Callable[[Settings, str, Payload, int, str | None], float]
    chores: tuple[Chore, ...] = ()


@dataclass(slots=True)
class Core:
    """name: of this process, unique on every host; the owner of its leases. deployment: the identity of its database.

    probe: the connection on which Redis is asked how it is. pipelined: for scripts that many call at the same time.
    """

    settings: Settings
    work: Work
    name: str
    deployment: str
    db: Database
    probe: "redis.asyncio.Redis"
    redis: "redis.asyncio.Redis"
    pipelined: Pipelined
    health: RedisHealth
    stream: EventStream
    events: EventLog
    view: RqView
    outbox: Outbox
    storage: Storage

    @property
    def queues(self) -> Mapping[str, Queue]:
        """Every queue there is, by its name."""
        return self.work.queues

    def queue(self, name: str) -> Queue:
        """A queue by its name. Raises NotFound, which lists the names there are."""
        return find_queue(self.work.queues, name)

    def named(self, role: str) -> "Core":
        """The same under another name: whoever takes jobs of its own in this process."""
        return replace(self, name=process_name(role))

    async def close(self) -> None:
        """Sends what is left to send, then closes everything. Safe to call twice."""
        await self.outbox.close()
        await self.health.stop()
        await self.probe.aclose()
        await self.redis.aclose()
        await self.db.close()


FAMILY = secrets.token_hex(4)
"""Drawn before a supervisor forks, so that its processes share it and nobody else does.

A host's name and a process id name two processes in two containers; with this they name one.
"""


def this_host() -> str:
    """This machine's name, as leases and workers carry it."""
    return socket.gethostname().split(".")[0]


def process_name(role: str) -> str:
    """A name for this process that no other one has, on any host."""
    return f"{role}.{this_host()}.{os.getpid()}.{FAMILY}{secrets.token_hex(3)}"


def family_of(name: str) -> str:
    """Which supervisor's a process is, by its name; empty for a name that is none of ours."""
    last = name.rpartition(".")[2]
    return last[: len(FAMILY)] if name.count(".") == 3 and len(last) > len(FAMILY) else ""


def describe(settings: Settings) -> str:
    """The database in words that tell it from another one."""
    address = settings.database_address
    return f"{address} on {this_host()}" if address.startswith("sqlite") else redact(address)


@asynccontextmanager
async def _closed_if_refused(
    client: redis.asyncio.Redis, probe: redis.asyncio.Redis, db: Database
) -> AsyncGenerator[None]:
    try:
        yield
    except Misconfigured:
        await client.aclose()
        await probe.aclose()
        await db.close()
        raise


async def open_core(settings: Settings, role: str, work: Work) -> Core:
    """Opens what the settings name, for this work. Raises Misconfigured without a Redis, or where that works for another
    deployment; TryLater without a database.

    A Redis that is named but away is no error: work goes on from the rows, and the outbox catches up.
    """
    if not settings.redis_address:
        raise Misconfigured(
            "No Redis is configured and no `bmn serve` runs here.",
            hint="Start `bmn serve`, or set REDIS_URL.",
        )
    db = Database(settings.database_address)
    await db.start()
    owner = Owner(await db.read(get_identity), describe(settings))
    client = connect(settings.redis_address)
    # On a connection of its own: however many wait for one of the others, Redis is not away for that.
    probe = connect(settings.redis_address, connections=2)
    health = RedisHealth(probe, owner=owner)
    async with _closed_if_refused(client, probe, db):
        await health.start()
    stream = EventStream(client, maxlen=settings.bmn_stream_maxlen)
    events = EventLog(db, stream, frozenset(name for name, queue in work.queues.items() if queue.job_type))
    view = RqView(client, work.queues, window=settings.bmn_queue_window, function=f"{work.module}.execute")
    outbox = Outbox(events, view)
    return Core(
        settings=settings,
        work=work,
        name=process_name(role),
        deployment=owner.identity,
        db=db,
        redis=client,
        probe=probe,
        pipelined=Pipelined(client),
        health=health,
        stream=stream,
        events=events,
        view=view,
        outbox=outbox,
        storage=open_storage(settings),
    )
