"""The six incidents: how each is made, and what an operator does outside of bmn to mend it."""

from collections.abc import Callable
from dataclasses import dataclass

import psycopg
import redis

from bench.night.fleet import Fleet, wait_until

_ROOM = 256 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Incident:
    """kinds: of the alerts that may tell of it. cause: by which `bmn incident` is asked; empty: by the alert.

    make: returns the ids of the jobs concerned. outside, mend: what an operator does beside bmn, in words and in deed.
    command: run after it, where the account does not know better.
    """

    name: str
    kinds: tuple[str, ...]
    cause: str
    make: Callable[[Fleet], list[str]]
    mend: Callable[[Fleet], None]
    outside: str = ""
    command: str = ""


def _refused(status: int) -> Callable[[Fleet], list[str]]:
    def make(fleet: Fleet) -> list[str]:
        fleet.fault(op="submit", status=status)
        return fleet.submit(8)

    return make


def _fill_redis(fleet: Fleet) -> list[str]:
    """No room for what is submitted next; what was accepted before is waiting in line."""
    fleet.fault(op="poll", pending=True)
    ids = fleet.submit(8)
    with redis.Redis.from_url(fleet.redis) as client:
        client.config_set("maxmemory", int(client.info("memory")["used_memory"]))
    return ids


def _make_room(fleet: Fleet) -> None:
    with redis.Redis.from_url(fleet.redis) as client:
        client.config_set("maxmemory", _ROOM)
    fleet.mend()


def _lose_host(fleet: Fleet) -> list[str]:
    """Kills a supervisor and all of its workers while they run jobs, as when the power goes."""
    fleet.fault(op="poll", pending=True)
    ids = fleet.submit(8)
    lost = fleet.workers[0]
    wait_until(lambda: fleet.states(ids).count("active") == len(ids), "both hosts run jobs")
    lost.kill()  # its workers never outlive it
    lost.wait()
    fleet.mend()
    return ids


def _poison(fleet: Fleet) -> list[str]:
    """Jobs whose payload fits no schema any more, as after a release that has changed it without care."""
    fleet.bmn("queues", "pause", "logo-generation", "--reason", "bench")
    ids = fleet.submit(8)
    with psycopg.connect(fleet.database) as conn:
        change = 'UPDATE jobs SET payload = payload || \'{"count": "many"}\' WHERE id = ANY(%s)'
        conn.execute(change, (ids[:4],))
    fleet.bmn("queues", "resume", "logo-generation")
    return ids


INCIDENTS = (
    Incident("key revoked", ("queue-paused",), "provider_auth", _refused(401), Fleet.mend, "the key is valid again"),
    Incident("account empty", ("queue-paused",), "provider_credit", _refused(402), Fleet.mend, "it is topped up"),
    Incident("provider down", ("queue-paused",), "provider_overloaded", _refused(503), Fleet.mend, "it comes back"),
    Incident("Redis full", ("redis-refuses", "redis-memory"), "", _fill_redis, _make_room, "`maxmemory` raised"),
    Incident("a host lost", ("host-lost",), "worker_lost", _lose_host, lambda _: None),
    Incident(
        "a poison payload",
        ("dead-letters",),
        "schema_changed",
        _poison,
        lambda _: None,
        command="bmn jobs retry --everyone --cause schema_changed --set count=1 --yes",
    ),
)
