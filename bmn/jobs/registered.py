"""Which workers there are: registered with RQ in Redis, their jobs in the rows."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import redis
import redis.asyncio

from bmn.broker.redis_keys import RQ_PREFIX
from bmn.jobs.core import Core, family_of
from bmn.logs import get_logger
from bmn.numbers import is_whole

log = get_logger(__name__)

_WORD = 40  # letters of a version that are shown
_GONE = ("lost", "draining")  # they take no jobs
SILENCE = 20.0
"""Seconds without a sign of life after which a worker is taken for lost; it beats every five."""


@dataclass(frozen=True, slots=True)
class WorkerRecord:
    """name: also the owner of its leases. state: `idle`, `busy`, `draining`, or `lost`. Times are RFC 3339, as RQ has them.

    release: of bmn that it runs; None for one older than this field.
    """

    name: str
    queues: tuple[str, ...]
    host: str | None
    pid: int | None
    state: str | None
    memory_bytes: int | None
    started_at: str | None
    heartbeat_at: str | None
    release: str | None = None

    @property
    def family(self) -> str:
        """The supervisor that keeps it, among all on all hosts; empty for a worker that RQ's own tools started."""
        return family_of(self.name)


async def registered(core: Core) -> list[WorkerRecord] | None:
    """The workers by name, lost ones among them; None while Redis is away. The registration of a dead one ends by itself."""
    if core.health.down_for() > 0:
        return None
    with suppress(redis.RedisError, OSError):
        return await read_all(core.redis)
    return None


async def read_all(client: "redis.asyncio.Redis") -> list[WorkerRecord]:
    """The workers that a Redis knows. Raises RedisError, OSError."""
    names = sorted(await client.smembers(f"{RQ_PREFIX}workers"))
    async with client.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.hgetall(str(name))
            pipe.pttl(str(name))
        answers = await pipe.execute(raise_on_error=False)  # a key of another kind is no worker
    rows = zip(names, answers[::2], answers[1::2], strict=True)
    read = (_record(str(name), row, left) for name, row, left in rows if isinstance(row, dict))
    found = [worker for worker in read if worker is not None]
    return sorted(found, key=lambda worker: (worker.host or "", worker.pid or 0, worker.name))


def serving(found: list[WorkerRecord] | None, queue: str) -> int | None:
    """How many of them take jobs from a queue; a lost one takes none. None where Redis cannot say."""
    return None if found is None else sum(queue in worker.queues and worker.state not in _GONE for worker in found)


def _record(key: str, row: Mapping[str, str], left: int) -> WorkerRecord | None:
    """None for what no worker has written. left: milliseconds that it lasts if nothing more is heard of it."""
    try:
        for word in (key, *row.values()):
            word.encode()  # bytes that are no text can be read from Redis, and not be told
        return WorkerRecord(
            name=key.removeprefix(f"{RQ_PREFIX}worker:"),
            queues=tuple(queue for queue in row.get("queues", "").split(",") if queue),
            host=row.get("hostname"),
            pid=_number(row.get("pid")),
            state=_state(row, left),
            memory_bytes=_number(row.get("memory")),
            started_at=_moment(row["birth"]),
            heartbeat_at=_moment(row.get("last_heartbeat")),
            release=row["release"][:_WORD] if "release" in row else None,
        )
    except (KeyError, ValueError, TypeError) as error:
        log.debug("not the registration of a worker", key=ascii(key[:100]), reason=type(error).__name__)
        return None


def _state(row: Mapping[str, str], left: int) -> str | None:
    lives = _number(row.get("lives"))
    # One of an earlier release, or of RQ's own, says no more than what its clock showed.
    silent = lives * 1000 - left > SILENCE * 1000 if lives else _is_silent(row.get("last_heartbeat"))
    if silent:
        return "lost"
    return "draining" if row.get("draining") == "1" else row.get("state")


def _is_silent(heartbeat: str | None) -> bool:
    """Whether the last sign of life is older than three missed ones: Redis keeps a dead worker for a while."""
    return bool(heartbeat) and (datetime.now(UTC) - datetime.fromisoformat(str(heartbeat))).total_seconds() > SILENCE


def _moment(text: str | None) -> str | None:
    """The text itself. Raises ValueError where it is no time."""
    if text:
        datetime.fromisoformat(text)
    return text


def _number(text: str | None) -> int | None:
    """None for what is no number that a process or its memory can have."""
    return int(text) if text and is_whole(text) and len(text) < 16 else None
