"""What a Redis that answers will not do, told apart from one that is away: which it is, and what mends it."""

from dataclasses import dataclass
from typing import Literal

import redis
from redis import exceptions

Kind = Literal[
    "signin", "cluster", "old", "replica", "full", "disk", "loading", "master", "busy", "denied", "number", "other"
]
FATAL: frozenset[Kind] = frozenset({"signin", "cluster", "old", "number"})
"""What no time and nobody but whoever set us up mends: nothing starts with it."""


@dataclass(frozen=True, slots=True)
class RedisRefusal:
    """kind: a word for programs. message: a sentence. remedy: what to do."""

    kind: Kind
    message: str
    remedy: str

    @property
    def is_fatal(self) -> bool:
        return self.kind in FATAL


_CLUSTER = RedisRefusal(
    "cluster",
    "This Redis is a cluster, whose scripts may not touch keys of two slots, as RQ's and ours do.",
    "Name a Redis without cluster mode in REDIS_URL.",
)
_SIGN_IN = RedisRefusal(
    "signin",
    "Redis refuses our user or password.",
    "Correct REDIS_PASSWORD and REDIS_USERNAME, or the two inside REDIS_URL.",
)
_REPLICA = RedisRefusal("replica", "This Redis is a replica, which refuses writes.", "Name the primary in REDIS_URL.")
_FULL = RedisRefusal(
    "full",
    "Redis is full and refuses writes.",
    "Raise it (CONFIG SET maxmemory 512mb, and in redis.conf), or find who fills it (redis-cli --bigkeys).",
)
_DISK = RedisRefusal(
    "disk",
    "Redis refuses writes because it cannot save to its disk.",
    "Make room on its disk or give it the right to write there (INFO persistence says which); "
    "until then CONFIG SET stop-writes-on-bgsave-error no.",
)
_LOADING = RedisRefusal("loading", "Redis is loading its data.", "Wait: it answers when it has read them.")
_MASTER = RedisRefusal(
    "master", "This Redis is a replica that has lost its primary.", "Name the primary in REDIS_URL, or fix their link."
)
_FEW = RedisRefusal(
    "disk", "Redis refuses writes because too few replicas follow it.", "Start them, or lower min-replicas-to-write."
)
_BUSY = RedisRefusal("busy", "Redis is busy with somebody's script.", "SCRIPT KILL ends it.")

# The first word of an answer, or a part of it, in lower case.
_BY_WORDS: tuple[tuple[str, RedisRefusal], ...] = (
    ("crossslot", _CLUSTER),
    ("clusterdown", _CLUSTER),
    ("moved", _CLUSTER),
    ("not allowed in cluster mode", _CLUSTER),
    (
        "db index is out of range",
        RedisRefusal("number", "Redis has no database of this number.", "Name a smaller REDIS_DB."),
    ),
    ("noauth", _SIGN_IN),
    ("wrongpass", _SIGN_IN),
    ("without any password", _SIGN_IN),
    ("readonly", _REPLICA),
    ("oom ", _FULL),
    ("misconf", _DISK),
    ("noreplicas", _FEW),
    ("masterdown", _MASTER),
    ("loading", _LOADING),
    ("busy ", _BUSY),
)
_BY_CLASS: tuple[tuple[type[Exception], RedisRefusal], ...] = (
    (exceptions.AuthenticationError, _SIGN_IN),
    (exceptions.AuthenticationWrongNumberOfArgsError, _SIGN_IN),
    (exceptions.BusyLoadingError, _LOADING),
    (exceptions.MasterDownError, _MASTER),
    (exceptions.MovedError, _CLUSTER),
    (exceptions.ClusterCrossSlotError, _CLUSTER),
    (exceptions.ClusterDownError, _CLUSTER),
    (exceptions.ReadOnlyError, _REPLICA),
    (exceptions.OutOfMemoryError, _FULL),
)


def refusal_of(error: Exception) -> RedisRefusal | None:
    """What an error says that Redis will not do; None where it says that Redis is away."""
    for kind, refusal in _BY_CLASS:
        if isinstance(error, kind):
            return refusal
    text = str(error).lower()
    if isinstance(error, redis.ResponseError):
        for words, refusal in _BY_WORDS:
            if words in f"{text} ":
                return refusal
        if isinstance(error, exceptions.NoPermissionError) or text.startswith("noperm"):
            return RedisRefusal(
                "denied", f"Redis denies our user something: {str(error)[:150]}.", "Ask `bmn doctor` what."
            )
        return RedisRefusal(
            "other", f"Redis refuses a command: {str(error)[:150]}.", "Ask `bmn doctor` what is wrong with it."
        )
    if "without any password" in text or "invalid username-password" in text:
        return _SIGN_IN
    return None
