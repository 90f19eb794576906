"""Every key in Redis: prefix, shape and how long it lives. Nothing else spells a key.

RQ's own keys begin with `rq:` and live as long as RQ says. All others have a time to live here, or a cap where they are
written (the stream). Lives are in seconds.
"""

from typing import Final

RQ_PREFIX: Final = "rq:"

STREAM: Final = "bmn:stream"  # every event on its way to the sockets; capped by BMN_STREAM_MAXLEN
CONTROL: Final = "bmn:control"  # a channel: cancel, pause, settings; nothing is kept
OWNER: Final = "bmn:owner"  # whose database this Redis works for; renewed by each of its processes while they live
PUBLISHED: Final = "bmn:published"  # there while Redis has lost nothing since events were last compared with the rows
SEQ_PREFIX: Final = "bmn:seq:"

OWNER_SECONDS: Final = 20
SEQ_SECONDS: Final = 86_400
SEMAPHORE_SECONDS: Final = 30  # a slot that is not renewed for so long is free again
CACHE_SECONDS: Final = 300
CACHE_PRODUCTS_SECONDS: Final = 3_600
SESSION_SECONDS: Final = 86_400
WATCHED_SECONDS: Final = 7_200
TALLY_SECONDS: Final = 86_400
HOST_SECONDS: Final = 60  # what a host says of itself is good for so long
WORKER_SECONDS: Final = 90  # that the registration of a worker lasts from each beat

HOSTS: Final = "bmn:hosts"  # a hash: what each host says of itself; who has not for HOST_SECONDS is taken out

CACHE_PRODUCTS: Final = "cache:product:catalog"


def seq(job_id: str) -> str:
    """The last seq of a job that was published."""
    return f"{SEQ_PREFIX}{job_id}"


def semaphore(name: str) -> str:
    """The slots of a shared limit that are taken: a sorted set, token by end of lease."""
    return f"bmn:semaphore:{name}"


def lock(name: str) -> str:
    """Which process does something that one at a time should do, such as sweeping."""
    return f"bmn:lock:{name}"


def process(name: str) -> str:
    """There while a server process lives."""
    return f"bmn:process:{name}"


def tally(kind: str, user_id: str) -> str:
    """How many of a kind a user has open: a hash, process by number."""
    return f"bmn:open:{kind}:{user_id}"


def bucket(name: str, user_id: str) -> str:
    """What is left of a user's rate; lives until it would be full again."""
    return f"bmn:bucket:{name}:{user_id}"


def turn(name: str) -> str:
    """When a vendor may be called next."""
    return f"bmn:turn:{name}"


def cache(kind: str, name: str, view: str = "detail") -> str:
    """Of something that can be computed again."""
    return f"cache:{kind}:{name}:{view}"


def rate(user_id: str, limit: str) -> str:
    """What a user has used of a limit in its window; lives as long as the window."""
    return f"rate:user:{user_id}:{limit}"


def watched(name: str) -> str:
    """There where somebody saw the end of a job, or a kit as it is; lives for WATCHED_SECONDS."""
    return f"bmn:watched:{name}"


def kit_at(kit_id: str, state: str) -> str:
    """A kit in one of its states, as `watched` names it."""
    return f"{kit_id}/{state}"


def session(session_id: str) -> str:
    """Of a browser's session or its ticket."""
    return f"session:{session_id}"


def socket(name: str) -> str:
    """What the socket servers tell each other."""
    return f"socket:{name}"
