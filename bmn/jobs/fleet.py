"""What workers are told from afar: to drain, and how many of a queue their supervisor is to keep.

Told over a channel that every worker listens to, so both need Redis; what came of it is seen in the registrations. An
order is absolute: heard twice, it changes nothing the second time.
"""

from redis.exceptions import RedisError

from bmn.broker import redis_keys
from bmn.db.accounts import audit_store
from bmn.errors import NotFound, TryLater
from bmn.jobs.command import WorkerCommand
from bmn.jobs.core import Core
from bmn.jobs.registered import WorkerRecord, registered

ALL = "all"


async def drain(
    core: Core, name: str, *, host: str | None, seconds: float, by: str, reason: str | None
) -> list[WorkerRecord]:
    """Tells workers to take no further job, to finish what they have within so many seconds, and to end for good.

    name: of a worker or its beginning, a queue, or `all`. Whatever shares their process goes with them.
    Raises NotFound, and TryLater without Redis.
    """
    alive = await _alive(core, host)
    meant = [worker for worker in alive if _is_meant(worker, name)]
    if not meant:
        where = f" on {host}" if host else ""
        raise NotFound(f"No worker{where} is called {name} or serves such a queue.", hint="`bmn workers` lists them.")
    processes = {(worker.host, worker.pid, worker.family) for worker in meant}
    told = [worker for worker in alive if (worker.host, worker.pid, worker.family) in processes]
    await _tell(
        core, WorkerCommand(deployment=core.deployment, drain=[worker.name for worker in told], seconds=seconds)
    )
    after = {"workers": [worker.name for worker in told], "seconds": seconds}
    await core.db.write(lambda conn: audit_store.note(conn, by, "worker.drain", name, reason=reason, after=after))
    return told


async def scale(
    core: Core, queue: str, count: int, *, host: str | None, by: str, reason: str | None
) -> tuple[list[str], list[WorkerRecord]]:
    """Tells the supervisors that serve a queue, or any on the host where none does, how many workers of it to keep.

    Returns these supervisors, and the workers that they have now. Raises NotFound, and TryLater without Redis.
    """
    alive = await _alive(core, host)
    families = {worker.family for worker in alive if queue in worker.queues} or {worker.family for worker in alive}
    told = sorted(family for family in families if family)
    if not told:
        where = f" on {host}" if host else ""
        raise NotFound(f"No supervisor{where} has a worker that could do this.", hint=f"Start one: bmn worker {queue}")
    await _tell(core, WorkerCommand(deployment=core.deployment, scale=queue, count=count, families=told))
    after = {"count": count, "supervisors": told}
    await core.db.write(lambda conn: audit_store.note(conn, by, "worker.scale", queue, reason=reason, after=after))
    return told, [worker for worker in alive if worker.family in told and queue in worker.queues]


async def _alive(core: Core, host: str | None) -> list[WorkerRecord]:
    found = await registered(core)
    if found is None:
        raise TryLater("Redis is away: no order reaches the workers.", hint="See `bmn doctor`.")
    return [worker for worker in found if worker.state not in ("lost", "draining") and host in (None, worker.host)]


def _is_meant(worker: WorkerRecord, name: str) -> bool:
    return name == ALL or name in worker.queues or worker.name.startswith(name) or name == str(worker.pid)


async def _tell(core: Core, order: WorkerCommand) -> None:
    try:
        await core.redis.publish(redis_keys.CONTROL, order.dump())
    except (RedisError, OSError) as error:
        raise TryLater("Redis is away: no order reaches the workers.", hint="See `bmn doctor`.") from error
