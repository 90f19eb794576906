"""One process at a time for what one should do, such as sweeping: a lock in Redis that lasts for three sweeps."""

from redis.exceptions import RedisError

from bmn.broker import keys
from bmn.jobs.core import Core


def lock_seconds(core: Core) -> float:
    """How long a lock outlives its last renewal."""
    return max(core.settings.bmn_sweep_seconds * 3, 1)


async def is_mine(core: Core, name: str) -> bool:
    """Takes the lock, or renews it. True for everybody without Redis: the rows keep them apart."""
    if core.health.down_for():
        return True
    key, life = keys.lock(name), int(lock_seconds(core) * 1000)
    try:
        holder = await core.redis.get(key)
        if holder is None:
            return bool(await core.redis.set(key, core.name, nx=True, px=life))
        return holder == core.name and bool(await core.redis.pexpire(key, life))
    except (RedisError, OSError):
        return True
