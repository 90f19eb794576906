"""What a process takes with it when it is killed: paid orders without a recorded answer, and the jobs that it held."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Collection
from typing import TypeVar

from sqlalchemy import ColumnElement, func, or_, select

from bmn.db.engine import Connection
from bmn.db.tables import job_units, jobs
from bmn.errors import BmnError
from tests.chaos.deployment import Deployment
from tests.chaos.nursery import Child

T = TypeVar("T")


async def ask(stack: Deployment, fn: Callable[[Connection], T]) -> T:
    """Reads the database, which may be away for a while."""
    while True:
        with contextlib.suppress(BmnError):
            found: T = await stack.read(fn)
            return found
        await asyncio.sleep(0.05)


async def kill(stack: Deployment, victim: Child) -> None:
    """SIGKILL; what it takes with it counts as lost."""
    victim.signal(signal.SIGKILL)
    await asyncio.to_thread(victim.wait_end)
    await count(stack, victim.pid)


async def count(stack: Deployment, *pids: int) -> None:
    """Counts the orders of processes that are gone, stand still or are cut off as answers that were lost."""
    taken = await ask(stack, lambda conn: _under_way(conn, pids))
    stack.losses += taken  # not in one line with `await`: what another fault adds meanwhile would be forgotten


def held(conn: Connection, child: Child) -> dict[str, int]:
    """The running jobs of a process, with their fences."""
    query = select(jobs.c.id, jobs.c.fence).where(jobs.c.state == "active", _is_of([child.pid]))
    return {row.id: row.fence for row in conn.execute(query)}


def _under_way(conn: Connection, pids: Collection[int]) -> int:
    orders = job_units.join(jobs, jobs.c.id == job_units.c.job_id)
    query = select(func.count()).select_from(orders).where(job_units.c.state == "submitting")
    return int(conn.execute(query.where(jobs.c.lease_owner.is_(None) | _is_of(pids))).scalar_one())


def _is_of(pids: Collection[int]) -> ColumnElement[bool]:
    return or_(*(jobs.c.lease_owner.like(f"%.{pid}.%") for pid in pids))
