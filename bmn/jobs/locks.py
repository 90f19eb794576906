"""One process at a time for what one should do, such as sweeping: a lock in Redis that lasts for three rounds of it."""

from redis.exceptions import RedisError

from bmn.broker import redis_keys
from bmn.jobs.core import Core


def lock_seconds(core: Core, sweeps: int = 1) -> float:
    """How long a lock outlives its last renewal. sweeps: how long a round takes, in sweeps."""
    return max(core.settings.bmn_sweep_seconds * 3 * sweeps, 1)


async def is_mine(core: Core, name: str, sweeps: int = 1) -> bool:
    """Takes the lock, or renews it. True for everybody without Redis: the rows keep them apart.

    sweeps: how long a round of its holder takes, in sweeps.
    """
    if core.health.down_for():
        return True
    key, life = redis_keys.lock(name), int(lock_seconds(core, sweeps) * 1000)
    try:
        holder = await core.redis.get(key)
        if holder is None:
            return bool(await core.redis.set(key, core.name, nx=True, px=life))
        return holder == core.name and bool(await core.redis.pexpire(key, life))
    except (RedisError, OSError):
        return True
