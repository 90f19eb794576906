"""Sessions in Redis, so that any server process can take one over: a hash for each private id."""

import asyncio
import json
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bmn.broker import keys
from bmn.logs import get_logger
from bmn.server.sockets.ring import Position
from bmn.server.sockets.session import Session

log = get_logger(__name__)

_PATIENCE = 0.5  # seconds a socket waits for its session to be saved; the next round saves it anyway
_BATCH = 200
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


class SessionStore:
    """seconds: how long a session whose client is gone can be taken over. served: up to where this process delivered."""

    def __init__(self, redis: Redis, seconds: float, served: Callable[[], Position]) -> None:
        self._redis = redis
        self._served = served
        self._seconds = seconds
        self._save = redis.register_script(_SAVE)
        self._take = redis.register_script(_TAKE)
        self._end = redis.register_script(_END)

    async def save(self, session: Session, *, spare: float = 0) -> bool:
        """Stores a session. spare: seconds until it is saved again. False where another process has taken it.

        Redis being away is no reason to refuse a client anything, so it is logged and taken for saved.
        """
        if session.pid is None:
            return True
        try:
            async with asyncio.timeout(_PATIENCE):
                return bool(await self._save(**self._arguments(session, spare)))
        except (RedisError, OSError, TimeoutError) as error:
            log.debug("session not saved", error=str(error) or type(error).__name__)
            return True

    async def save_all(self, sessions: Iterable[Session], *, spare: float) -> list[Session]:
        """Stores many; returns those that another process has taken. Raises redis.RedisError when Redis is away."""
        recoverable = [session for session in sessions if session.pid is not None]
        taken = []
        for start in range(0, len(recoverable), _BATCH):
            part = recoverable[start : start + _BATCH]
            async with self._redis.pipeline(transaction=False) as pipe:
                for session in part:
                    await self._save(**self._arguments(session, spare), client=pipe)
                answers = await pipe.execute()
            taken += [session for session, kept in zip(part, answers, strict=True) if not kept]
        return taken

    def _arguments(self, session: Session, spare: float) -> dict[str, Any]:
        assert session.pid is not None
        lives = int((self._seconds + spare) * 1000)
        session.version += 1
        state = _dump(session, self._served())
        args = [session.owner, session.user_id, session.namespace, state, lives, session.version]
        return {"keys": [keys.socket(session.pid)], "args": args}

    async def take(self, pid: str, session: Session) -> dict[str, Any] | None:
        """What is stored under a private id, which is this session's from now on; None where it is not the user's,
        not of this namespace, too old, or ended. Raises redis.RedisError when Redis is away.
        """
        args = [session.owner, session.user_id, session.namespace]
        state = await self._take(keys=[keys.socket(pid)], args=args)
        return json.loads(state) if state else None

    async def end(self, session: Session) -> None:
        """The client has left for good."""
        if session.pid is None:
            return
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._end(keys=[keys.socket(session.pid)], args=[session.owner])
        except (RedisError, OSError, TimeoutError) as error:
            log.debug("session not ended", error=str(error) or type(error).__name__)


def _dump(session: Session, served: Position) -> str:
    ranges = [[part.job_id, part.before, part.first, part.last] for part in session.history]
    # Servers of the release before read these names too, while a deployment goes through.
    state = {
        "sid": session.sid,
        "rooms": sorted(session.rooms),
        "born": session.born,
        "sent": session.sent,
        "seen": max(session.sent, session.after if session.cut else served),
        "told": session.replayed,
        "tales": ranges,
        "high": dict(islice(reversed(session.high.items()), _KEPT_MARKS)),
    }
    return json.dumps(state, separators=(",", ":"))
