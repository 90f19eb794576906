"""Hourly upkeep of what grows: ended jobs, objects and rows without each other, keys without an end, left-over files."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from redis.exceptions import RedisError

from bmn.broker import redis_keys
from bmn.db import job_store
from bmn.db.engine import Connection, IntegrityError
from bmn.db.keeping import orphans, retention
from bmn.db.sums import activity, lines, spending
from bmn.db.transitions import Change
from bmn.jobs.context import Context, Result
from bmn.jobs.core import Core
from bmn.logs import get_logger
from bmn.schemas.payloads import CLEANUP_TYPES, Cleanup, CleanupType, JobState
from bmn.schemas.results import Counts
from bmn.work import pruning
from bmn.work.archive.archive_files import Archive, open_archive
from bmn.work.archive.writing import archive_letters
from bmn.work.registry import get_queue

log = get_logger(__name__)

EVERY_SECONDS = 3600
_DAY = 86_400
_YOUNG_SECONDS = 3600  # an object may be younger than the row that is about to name it
_CACHE_SECONDS = 3600
_PRUNING_SECONDS = 60.0  # half of what an attempt may take
_PAGE = 5000
_NAMED = 100  # missing objects that the job's log names


async def schedule(core: Core) -> None:
    """One cleanup job per type and hour; its id is the lock, on however many hosts."""
    slot = _slot()
    for kind in CLEANUP_TYPES:
        job_id = f"cleanup-{kind}-{slot}"
        if await core.db.read(lambda conn, i=job_id: job_store.exists(conn, i)):  # type: ignore[misc]
            continue
        try:
            change = await core.db.write(lambda conn, i=job_id, k=kind: _plan(conn, i, k))  # type: ignore[misc]
        except IntegrityError:
            continue  # another host was faster
        if change:
            core.outbox.publish(change)


def next_run() -> float:
    """When the cleanup is planned next, in seconds since 1970."""
    return float((_slot() + 1) * EVERY_SECONDS)


def _slot() -> int:
    return int(time.time() // EVERY_SECONDS)


def _plan(conn: Connection, job_id: str, kind: CleanupType) -> Change | None:
    if job_store.exists(conn, job_id):
        return None
    queue = get_queue("cleanup")
    job = queue.new_job(Cleanup(type=kind), job_id=job_id, message=f"Cleanup: {kind}")
    return Change(job_id, JobState.QUEUED, events=[job_store.insert_job(conn, job)], queued=[(queue.name, job_id)])


async def run(ctx: Context[Cleanup]) -> Result:
    """Removes one kind of what nobody needs any more."""
    payload = ctx.payload
    done = await _TASKS[payload.type](ctx)
    text = ", ".join(f"{count} {what}" for what, count in done.items() if count) or "nothing to do"
    return Result(f"{payload.type}: {text}", data=Counts(dict(done)))


async def _expired_jobs(ctx: Context[Cleanup]) -> dict[str, int]:
    """What is older than it is kept and the sweeper has left, of every book."""
    archive = open_archive(ctx.settings)
    removed = await pruning.sweep(ctx.db, _PRUNING_SECONDS, archive)
    done = {name.replace("_", " "): rows for name, rows in removed.items()}
    done["sums"] = await ctx.commit(lambda conn: sum(sums.delete_old(conn) for sums in (activity, spending, lines)))
    while letters := await _surplus_letters(ctx, archive):
        done["dead letters"] = done.get("dead letters", 0) + letters
    if archive is not None:
        done["archive files"] = await archive.drop_old()
    done["cache keys"] = await _limit_keys(ctx, "cache:*", _CACHE_SECONDS)
    return done


async def _surplus_letters(ctx: Context[Cleanup], archive: Archive | None) -> int:
    if archive is not None:
        return await archive_letters(ctx.db, archive, _PAGE)
    return await ctx.commit(lambda conn: retention.prune_letters(conn, _PAGE))


async def _orphaned_assets(ctx: Context[Cleanup]) -> dict[str, int]:
    """Objects without a row, and rows whose brand is gone; a row whose object is gone is only reported."""
    objects = 0
    now = time.time()
    found = [key for key, written in await ctx.storage.list() if written < now - _YOUNG_SECONDS]
    for start in range(0, len(found), 500):
        batch = found[start : start + 500]
        known = await ctx.db.read(lambda conn, keys=batch: orphans.known_keys(conn, keys))  # type: ignore[misc]
        for key in set(batch) - known:
            await ctx.storage.delete(key)
            objects += 1
    missing = await _rows_without_object(ctx, set(found))
    for key in missing[:_NAMED]:
        await ctx.log("error", "An asset's object is missing.", storage_key=key)
    return {"objects without a row": objects, "rows without an object": len(missing)}


async def _rows_without_object(ctx: Context[Cleanup], stored: set[str]) -> list[str]:
    missing: list[str] = []
    read = partial(orphans.storage_keys, older_than=_YOUNG_SECONDS, limit=_PAGE)
    page = await ctx.db.read(partial(read, after=""))
    while page:
        missing.extend(key for key in page if key not in stored)
        page = await ctx.db.read(partial(read, after=page[-1]))
    return missing


async def _stale_sessions(ctx: Context[Cleanup]) -> dict[str, int]:
    """Keys that were to end and do not. Our own all have a time to live, so this finds strangers' only."""
    return {
        "sessions": await _limit_keys(ctx, "session:*", redis_keys.SESSION_SECONDS),
        "sockets": await _limit_keys(ctx, "socket:*", redis_keys.SESSION_SECONDS),
    }


async def _temp_files(ctx: Context[Cleanup]) -> dict[str, int]:
    """Files of half-done work, a day later."""
    objects = await ctx.storage.sweep()
    return {
        "half-stored objects": objects,
        "files": await asyncio.to_thread(_sweep_folder, ctx.settings.bmn_home / "tmp"),
    }


async def _limit_keys(ctx: Context[Cleanup], pattern: str, seconds: int) -> int:
    """Gives keys without an end one, by SCAN."""
    limited = 0
    try:
        async for key in ctx.core.redis.scan_iter(match=pattern, count=500):
            if await ctx.core.redis.ttl(key) == -1:
                await ctx.core.redis.expire(key, seconds)
                limited += 1
    except (RedisError, OSError) as error:
        log.warning("keys not looked at", pattern=pattern, reason=str(error))
    return limited


def _sweep_folder(folder: Path) -> int:
    gone = 0
    for path in folder.glob("*"):
        with contextlib.suppress(OSError):
            if path.is_file() and path.stat().st_mtime < time.time() - _DAY:
                path.unlink()
                gone += 1
    return gone


_TASKS: dict[str, Callable[[Context[Cleanup]], Awaitable[dict[str, int]]]] = {
    "expired-jobs": _expired_jobs,
    "orphaned-assets": _orphaned_assets,
    "stale-sessions": _stale_sessions,
    "temp-files": _temp_files,
}
