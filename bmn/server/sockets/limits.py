"""How much of us one client may use."""

import time
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """rooms: of one socket. sockets: of one user, and rate, burst: messages of one user a second and at once: with all
    server processes together. resuming: sockets whose sessions are looked up at the same time; the others stand in line.

    idle, idle_each: transports that have joined nothing, in all and of one address. unasked: messages of such a one.

    patience: messages refused one after another before the client is cut. in_work: messages of one socket handled at
    the same time. connect_seconds: for a transport to join a namespace. upgrade_seconds: for each word of a WebSocket
    that takes over from polls (10 in Node, too). attempts: namespaces a transport may ask for.
    send_seconds: for a client to take what is written to it. backlog, backlog_bytes: what may wait for one client.
    handler_seconds: for any one answer. stats_seconds: between two `system:queue-stats`. check_seconds: between two
    looks at a token that is in use. rooms_seconds: between two looks at whether joined rooms are still the user's.
    save_seconds: between two saves of a session, besides those that a change causes.
    refusal_seconds: how long the answer to a refused client waits, by how often it was refused in the last minute.
    """

    rooms: int = 200
    sockets: int = 20
    rate: float = 30
    burst: int = 90
    patience: int = 1000
    in_work: int = 32
    connect_seconds: float = 10
    upgrade_seconds: float = 10
    attempts: int = 12
    idle: int = 4000
    idle_each: int = 400
    unasked: int = 40
    send_seconds: float = 20
    backlog: int = 1000
    backlog_bytes: int = 4_000_000
    handler_seconds: float = 30
    stats_seconds: float = 10
    check_seconds: float = 2
    rooms_seconds: float = 30
    save_seconds: float = 30
    resuming: int = 32
    refusal_seconds: tuple[float, ...] = (0, 0, 1, 2, 4, 8)


class Bucket:
    """A token bucket."""

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst, self._left, self._at = rate, float(burst), float(burst), time.monotonic()

    def take(self) -> bool:
        """Whether one more is allowed now."""
        self._refill()
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def reserve(self) -> float:
        """Takes what is there or will be; returns how many seconds to wait for it."""
        self._refill()
        self._left = max(self._left - 1, -self._burst)
        return max(0.0, -self._left / self._rate)

    def _refill(self) -> None:
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now


class Buckets:
    """A bucket for each user, which outlives their sockets: coming back is no way to a full one."""

    _MOST = 10_000

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, burst
        self._of_user: dict[str, Bucket] = {}  # who came last stands last

    def of(self, user_id: str) -> Bucket:
        """The bucket of one caller."""
        bucket = self._of_user.pop(user_id, None) or Bucket(self._rate, self._burst)
        self._of_user[user_id] = bucket
        if len(self._of_user) > self._MOST:
            del self._of_user[next(iter(self._of_user))]
        return bucket


class Idle:
    """Transports that have joined nothing: anybody can have them, so there are only so many."""

    def __init__(self, most: int, most_each: int) -> None:
        self._most, self._most_each = most, most_each
        self._address: dict[str, str] = {}
        self._of_address: Counter[str] = Counter()

    def is_full(self, address: str) -> bool:
        return len(self._address) >= self._most or self._of_address[address] >= self._most_each

    def add(self, eio_sid: str, address: str) -> None:
        if eio_sid not in self._address:
            self._address[eio_sid] = address
            self._of_address[address] += 1

    def discard(self, eio_sid: str) -> None:
        address = self._address.pop(eio_sid, None)
        if address is not None:
            self._of_address[address] -= 1
            if not self._of_address[address]:
                del self._of_address[address]


class Refusals:
    """Slows down clients that come back as soon as they are refused, as the specification's does with a bad token."""

    _REMEMBERED_SECONDS = 60.0
    _MOST = 10_000

    def __init__(self, seconds: tuple[float, ...]) -> None:
        self._seconds = seconds
        self._seen: dict[str, tuple[int, float]] = {}  # how often, and when last; the latest stands last

    def note(self, client: str) -> float:
        """Counts a refusal; returns for how many seconds its answer is to wait."""
        now = time.monotonic()
        times, last = self._seen.pop(client, (0, now))
        times = 0 if now - last > self._REMEMBERED_SECONDS else times
        self._seen[client] = times + 1, now
        if len(self._seen) > self._MOST:
            del self._seen[next(iter(self._seen))]
        return self._seconds[min(times, len(self._seconds) - 1)]

    def forget(self, client: str) -> None:
        """It was let in."""
        self._seen.pop(client, None)
