"""Sessions in Redis, so that any server process can take one over: a hash for each private id."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bmn.broker import redis_keys
from bmn.broker.pipelined import Args, Call, Pipelined
from bmn.logs import get_logger
from bmn.server.sockets.ring import Position
from bmn.server.sockets.saved import SavedState
from bmn.server.sockets.session import Session

log = get_logger(__name__)

_PATIENCE = 0.5  # seconds a socket waits for its session to be saved; it is saved in any case
_AGAIN_SECONDS = 1.0
_CLOSE_SECONDS = 3.0
_BATCH = 200
_MOST_UNSAVED = 20_000  # of an outage of Redis; the sessions of open sockets are saved again anyway
_KEPT_MARKS = 100  # jobs that published something last

# Only who holds a session may write it: a server whose client has moved on finds that out here. An ended one stays
# ended, and of two writes on two connections the later one stays.
_SAVE = """
local stored = redis.call('HMGET', KEYS[1], 'owner', 'version')
if stored[1] and stored[1] ~= ARGV[1] then return 0 end
if stored[2] and tonumber(stored[2]) > tonumber(ARGV[6]) then return 1 end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'user', ARGV[2], 'namespace', ARGV[3], 'state', ARGV[4], 'version', ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
"""
_TAKE = """
local known = redis.call('HMGET', KEYS[1], 'user', 'namespace', 'state')
if known[1] ~= ARGV[2] or known[2] ~= ARGV[3] or not known[3] then return false end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'version', 0)
return known[3]
"""
_END = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'owner', '')
redis.call('HDEL', KEYS[1], 'state')
return 1
"""


@dataclass(slots=True)
class _Unsaved:
    """What is to be written of one session. done: set when the latest of it is."""

    call: Call
    done: "asyncio.Future[None]"


class SessionStore:
    """seconds: how long a session whose client is gone can be taken over. served: up to where this process delivered.

    What is saved stands in line and goes to Redis in bundles. What cannot be written, since Redis is away, is tried again
    each second; no client waits for that.
    """

    def __init__(self, redis: Redis, pipelined: Pipelined, seconds: float, served: Callable[[], Position]) -> None:
        self._pipelined = pipelined
        self._served = served
        self._seconds = seconds
        self._save = redis.register_script(_SAVE)
        self._take = redis.register_script(_TAKE)
        self._end = redis.register_script(_END)
        self._unsaved: dict[str, _Unsaved] = {}
        self._writing: asyncio.Task[None] | None = None

    async def save(self, session: Session, *, spare: float = 0) -> None:
        """Stores a session as it is now, and waits for it, but not long. spare: seconds until it is saved again."""
        if session.pid is not None:
            await self._write(session.pid, self._saving(session, spare))

    async def save_all(self, sessions: Iterable[Session], *, spare: float) -> list[Session]:
        """Stores many; returns those that another process has taken. Raises redis.RedisError when Redis is away."""
        recoverable = [session for session in sessions if session.pid is not None]
        answers = await asyncio.gather(*(self._pipelined.run(self._saving(each, spare)) for each in recoverable))
        return [session for session, kept in zip(recoverable, answers, strict=True) if not kept]

    async def take(self, pid: str, session: Session) -> SavedState | None:
        """What is stored under a private id, which is this session's from now on; None where it is not the user's,
        not of this namespace, too old, or ended. Raises redis.RedisError when Redis is away.
        """
        args = [session.owner, session.user_id, session.namespace]
        state = await self._pipelined.run(Call(self._take, [redis_keys.socket(pid)], args))
        return SavedState.model_validate_json(state) if state else None

    async def end(self, session: Session) -> None:
        """The client has left for good."""
        if session.pid is not None:
            await self._write(session.pid, Call(self._end, [redis_keys.socket(session.pid)], [session.owner]))

    async def close(self) -> None:
        """Writes what is still to be written, as far as Redis takes it in time."""
        if self._unsaved:
            await asyncio.wait([each.done for each in self._unsaved.values()], timeout=_CLOSE_SECONDS)
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)

    def _saving(self, session: Session, spare: float) -> Call:
        assert session.pid is not None
        lives = int((self._seconds + spare) * 1000)
        session.version += 1
        state = _dump(session, self._served())
        args: Args = [session.owner, session.user_id, session.namespace, state, lives, session.version]
        return Call(self._save, [redis_keys.socket(session.pid)], args)

    async def _write(self, pid: str, call: Call) -> None:
        """A later word about a session takes the place of one that still waits."""
        unsaved = self._unsaved.get(pid)
        if unsaved is None:
            unsaved = self._unsaved[pid] = _Unsaved(call, asyncio.get_running_loop().create_future())
            if len(self._unsaved) > _MOST_UNSAVED:
                self._unsaved.pop(next(iter(self._unsaved))).done.set_result(None)
        unsaved.call = call
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all(), name="save-sessions")
        await asyncio.wait([unsaved.done], timeout=_PATIENCE)

    async def _write_all(self) -> None:
        while self._unsaved:
            part = [(pid, unsaved, unsaved.call) for pid, unsaved in islice(self._unsaved.items(), _BATCH)]
            try:
                await asyncio.gather(*(self._pipelined.run(call) for _, _, call in part))
            except (RedisError, OSError) as error:
                log.debug(
                    "sessions not saved yet", error=str(error) or type(error).__name__, waiting=len(self._unsaved)
                )
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            for pid, unsaved, written in part:
                if unsaved.call is written and self._unsaved.get(pid) is unsaved:
                    del self._unsaved[pid]
                    unsaved.done.set_result(None)


def _dump(session: Session, served: Position) -> str:
    state = SavedState(
        sid=session.sid,
        rooms=sorted(session.rooms),
        born=session.born,
        sent=session.sent,
        seen=max(session.sent, session.after if session.cut else served),
        replayed=session.replayed,
        ranges=[(part.job_id, part.before, part.first, part.last) for part in session.history],
        marks=dict(islice(reversed(session.high.items()), _KEPT_MARKS)),
    )
    return state.model_dump_json(by_alias=True)
