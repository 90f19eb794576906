"""The bus: one Redis stream that workers and servers write to and every server reads back, in one order.

A job's events go in through one script that keeps the job's last seq, so that an event published twice (by a worker,
and by the sweeper after a crash) appears once, and none appears before an earlier one.
"""

import json
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis

from bmn.broker import redis_keys
from bmn.broker.scripts import ScriptCall, run
from bmn.events.audience import Outgoing
from bmn.logs import get_logger

log = get_logger(__name__)

_FIELD = "e"
_BATCH = 500
_SCRIPT = files("bmn.events").joinpath("publish.lua").read_text()

# The first entry of every stream, for no socket: who meets it later than at the start learns that Redis was emptied.
BEGIN = Outgoing("", (), "begin", {}, volatile=True)
# What stands for an entry that nobody here has written: for no socket, and past it goes everything that follows.
UNREADABLE = Outgoing("", (), "unreadable", {}, volatile=True)


def encode(event: Outgoing) -> str:
    """An event as the stream keeps it."""
    body = [event.namespace, event.rooms, event.event, event.data, event.job_id, event.seq, int(event.volatile)]
    return json.dumps(body, separators=(",", ":"))


def decode(entry: str | bytes) -> Outgoing:
    """Raises ValueError, TypeError or RecursionError for what `encode` has not written."""
    namespace, rooms, event, data, job_id, seq, volatile = json.loads(entry)
    names = [namespace, event, *rooms, *([] if job_id is None else [job_id])]
    if not all(isinstance(name, str) for name in names) or not isinstance(data, dict):
        raise TypeError("not an event of ours")
    if seq is not None and type(seq) is not int:
        raise TypeError("a seq is a whole number")
    return Outgoing(namespace, tuple(rooms), event, data, job_id, seq, bool(volatile))


_BEGIN = encode(BEGIN)


class EventStream:
    """redis: decoded (str) client. maxlen: about how many entries the stream keeps."""

    def __init__(self, redis: Redis, *, maxlen: int) -> None:
        self._redis = redis
        self._maxlen = maxlen

    async def publish(self, events: Sequence[Outgoing], also: Sequence[ScriptCall] = ()) -> set[str]:
        """Appends the events in their order. Events whose seq was published before are skipped.

        Returns the ids of jobs with a gap: an earlier seq is missing in Redis, so nothing after it was published. The
        caller reads the rows after `last_seqs` and publishes those. Raises redis.RedisError when Redis is away.
        also: what else there is to run, in the same round trip.
        """
        calls = [self._call(events[start : start + _BATCH]) for start in range(0, len(events), _BATCH)]
        answers = await run(self._redis, [*calls, *also])
        return {key.removeprefix(redis_keys.SEQ_PREFIX) for answer in answers[: len(calls)] for key in answer}

    def _call(self, events: Sequence[Outgoing]) -> ScriptCall:
        jobs: dict[str, int] = {}
        args: list[str | int] = [self._maxlen, redis_keys.SEQ_SECONDS, _BEGIN]
        for event in events:
            place = 0 if event.job_id is None else jobs.setdefault(event.job_id, len(jobs) + 2)
            args += [encode(event), place, event.seq or 0]
        return ScriptCall(_SCRIPT, [redis_keys.STREAM, *map(redis_keys.seq, jobs)], args)

    async def last_seqs(self, job_ids: Iterable[str]) -> dict[str, int]:
        """The last published seq of each job; 0 where Redis knows none."""
        ids = list(job_ids)
        values = await self._redis.mget([redis_keys.seq(job) for job in ids]) if ids else []
        return {job: int(value or 0) for job, value in zip(ids, values, strict=True)}

    async def read(self, after: str, *, count: int, block_ms: int) -> list[tuple[str, Outgoing]]:
        """Entries after an id, oldest first; waits up to block_ms (0: not at all) when there are none.

        block_ms has to be shorter than the client's socket timeout.
        """
        answer: Any = await self._redis.xread({redis_keys.STREAM: after}, count=count, block=block_ms or None)
        if not answer:
            return []
        streams = answer.items() if isinstance(answer, dict) else answer
        return [_entry(item) for _, entries in streams for item in _flat(entries)]

    async def page(self, start: str, *, count: int) -> list[tuple[str, Outgoing]]:
        """Entries from an id on, oldest first; `(` before the id leaves that one out."""
        entries: Any = await self._redis.xrange(redis_keys.STREAM, min=start, count=count)
        return [_entry(item) for item in entries]

    async def newest(self, before: str = "+") -> tuple[str, Outgoing] | None:
        """The newest entry, or the newest up to an id."""
        entries: Any = await self._redis.xrevrange(redis_keys.STREAM, max=before, count=1)
        return _entry(entries[0]) if entries else None

    async def last_id(self) -> str:
        """The id of the newest entry; `0-0` where there is none."""
        entry = await self.newest()
        return entry[0] if entry else "0-0"


def _entry(item: Any) -> tuple[str, Outgoing]:
    """One entry that cannot be read must not stop those behind it, nor a server that starts."""
    entry_id, fields = item
    try:
        return entry_id, decode(fields[_FIELD])
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        log.warning("an entry of the stream cannot be read, left out", at=entry_id, reason=type(error).__name__)
        return entry_id, UNREADABLE


def _flat(entries: Any) -> list[Any]:
    """RESP3 answers wrap the entries of a stream once more."""
    return entries[0] if entries and isinstance(entries[0], list) else entries
