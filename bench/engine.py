"""The engine beside RQ's stock worker, and BullMQ where Node is: `python -m bench.engine`.

Everything runs on this machine in one go, against the same Redis, so the ratios are worth more than the figures.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import redis
from rq import Queue as RqQueue
from rq.job import Job
from sqlalchemy import delete, func, select

from bench import rq_tasks
from bench.engine_parts import QUEUE, process, pss_mib, wait_for
from bench.figures import percentile, row
from bmn import logs
from bmn.broker.embedded import EmbeddedRedis
from bmn.db.engine import Connection
from bmn.db.migrations import migrate
from bmn.db.tables import job_events, jobs
from bmn.jobs.cancellation import cancel
from bmn.jobs.core import Core
from bmn.jobs.submission import dispatch
from bmn.settings import DEV_USER_ID, load_settings
from bmn.work.wiring import open_core

_NODE = Path(__file__).parent / "node"


class EngineBench:
    """Jobs for the workers under measure, and when they have ended."""

    def __init__(self, core: Core, env: dict[str, str], redis_url: str) -> None:
        self.core, self.env, self.redis_url = core, env, redis_url

    async def submit(self, **data: Any) -> str:
        payload = {"userId": DEV_USER_ID, "eventType": "user.created", "data": data}
        return (await dispatch(self.core, QUEUE, payload)).job_id

    async def submit_many(self, number: int, **data: Any) -> None:
        for start in range(0, number, 100):
            await asyncio.gather(*(self.submit(**data) for _ in range(min(100, number - start))))

    async def read(self, fn: Any) -> Any:
        return await self.core.db.read(fn)

    async def until(self, condition: Any, seconds: float = 180) -> None:
        until = time.monotonic() + seconds
        while not await self.read(condition):
            if time.monotonic() > until:
                raise TimeoutError("the bench waits for something that does not come")
            await asyncio.sleep(0.01)

    async def clear(self) -> None:
        await self.core.outbox.close()
        await self.core.db.write(lambda conn: (conn.execute(delete(jobs)), conn.execute(delete(job_events))))
        await self.core.redis.flushall()

    async def rate(self, number: int, slots: int, **data: Any) -> float:
        """Jobs a second of one worker process that finds `number` of them waiting."""
        await self.clear()
        await self.submit_many(number, **data)
        with process("worker", str(slots), env=self.env):
            await self.until(_all_ended)
        first, last, done = await self.read(_span)
        assert done == number
        return float(number / (last - first))

    async def pickup(self, number: int) -> list[float]:
        """From the commit of a job to the start of its handler, by the database's clock, on an idle worker."""
        await self.clear()
        with process("worker", "5", env=self.env):
            await self.submit()
            await self.until(_all_ended)
            for _ in range(number):
                await self.submit()
                await self.until(_all_ended)
        return list(
            await self.read(lambda conn: conn.execute(select(jobs.c.started_at - jobs.c.created_at)).scalars().all())
        )

    async def cancelling(self, number: int) -> list[float]:
        """From the request to cancel a running job to the start of the next one in its only slot, by the database."""
        await self.clear()
        with process("worker", "1", env=self.env):
            running = await self.submit(wait=True)
            for _ in range(number):
                await self.until(partial(_is_active, job_id=running))
                following = await self.submit(wait=True)
                await cancel(self.core, running, DEV_USER_ID)
                running = following
            await self.until(partial(_is_active, job_id=running))
        rows = await self.read(
            lambda conn: conn.execute(
                select(jobs.c.cancel_requested_at, jobs.c.started_at).order_by(jobs.c.created_at)
            ).all()
        )
        return [after.started_at - before.cancel_requested_at for before, after in pairwise(rows)]

    async def dispatching(self, number: int) -> list[float]:
        await self.clear()
        seconds = []
        for _ in range(number):
            began = time.perf_counter()
            await self.submit()
            seconds.append(time.perf_counter() - began)
        return seconds

    async def memory(self) -> tuple[float, float]:
        """MiB of a worker that is idle, and of one with fifty waiting jobs."""
        await self.clear()
        with process("worker", "50", env=self.env) as worker:
            await self.submit()
            await self.until(_all_ended)
            idle = pss_mib(worker.pid)
            await self.submit_many(50, wait=True)
            await self.until(lambda conn: _count(conn, "active") == 50)
            return idle, pss_mib(worker.pid)

    async def redis_bytes(self, number: int) -> float:
        """Bytes of Redis a waiting job takes, beside the capped stream."""
        await self.clear()
        await self.submit_many(100)
        await self.core.outbox.close()
        before = await self._used()
        await self.submit_many(number)
        await self.core.outbox.close()
        return (await self._used() - before) / number

    async def _used(self) -> int:
        memory: dict[str, Any] = await self.core.redis.info("memory")
        return int(memory["used_memory"]) - int(await self.core.redis.memory_usage("bmn:stream", samples=0) or 0)

    async def recovery(self, supervised: bool) -> float:
        """Seconds from kill -9 of the worker until another one runs its job. The lease is the default one."""
        await self.clear()
        with process("worker", "5", env=self.env) as victim:
            await self.submit(wait=True)
            await self.until(lambda conn: _count(conn, "active") == 1)
            os.kill(victim.pid, signal.SIGKILL)
            began = time.monotonic()
            with process("worker", "5", *([str(victim.pid)] if supervised else []), env=self.env):
                await self.until(lambda conn: conn.execute(select(func.max(jobs.c.fence))).scalar() == 2)
                return time.monotonic() - began


def _all_ended(conn: Connection) -> bool:
    query = select(func.count()).where(jobs.c.queue == QUEUE, jobs.c.state.in_(("queued", "active", "retrying")))
    return conn.execute(query).scalar_one() == 0


def _count(conn: Connection, state: str) -> int:
    return int(conn.execute(select(func.count()).where(jobs.c.queue == QUEUE, jobs.c.state == state)).scalar_one())


def _is_active(conn: Connection, job_id: str) -> bool:
    return conn.execute(select(jobs.c.state).where(jobs.c.id == job_id)).scalar() == "active"


def _span(conn: Connection) -> tuple[float, float, int]:
    query = select(func.min(jobs.c.started_at), func.max(jobs.c.completed_at), func.count()).where(
        jobs.c.queue == QUEUE, jobs.c.state == "completed"
    )
    first, last, number = conn.execute(query).one()
    return first, last, number


def stock_rate(url: str, number: int, function: Any, *arguments: str) -> float:
    """Jobs a second of RQ's own worker."""
    with redis.Redis.from_url(url) as connection:
        connection.flushall()
        queue = RqQueue("stock", connection=connection)
        ids = [queue.enqueue(function, *arguments).id for _ in range(number)]
        with process("stock", url, env=dict(os.environ)):
            wait_for(lambda: queue.finished_job_registry.count == number, 300)
        found = [job for job in Job.fetch_many(ids, connection=connection) if job]
        started = min(job.started_at.timestamp() for job in found if job.started_at)
        ended = max(job.ended_at.timestamp() for job in found if job.ended_at)
        return number / (ended - started)


def stock_pickup(url: str, number: int) -> list[float]:
    with redis.Redis.from_url(url) as connection:
        connection.flushall()
        queue = RqQueue("stock", connection=connection)
        seconds = []
        with process("stock", url, env=dict(os.environ)):
            for _ in range(number):
                began = time.time()
                job = queue.enqueue(rq_tasks.now)
                wait_for(lambda job=job: job.return_value(refresh=True) is not None)  # type: ignore[misc]
                seconds.append(float(job.return_value()) - began)
        return seconds


def bullmq(redis_socket: str, url: str, number: int) -> dict[str, float] | None:
    """BullMQ's figures; None where there is no Node, or its packages cannot be had."""
    if not shutil.which("node") or not shutil.which("npm"):
        return None
    if not (_NODE / "node_modules").exists():
        installed = subprocess.run(
            ["npm", "install", "--omit=optional", "--no-package-lock", "--silent", "--no-audit", "--no-fund"],
            cwd=_NODE,
            check=False,
        )
        if installed.returncode:
            return None
    command = ["node", "bullmq.mjs", redis_socket, str(number), url]
    answer = subprocess.run(command, cwd=_NODE, capture_output=True, text=True, timeout=300, check=True)
    figures: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return figures


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.engine", description=__doc__)
    parser.add_argument("--jobs", type=int, default=6000)
    number = parser.parse_args().jobs
    logs.configure("error")
    with tempfile.TemporaryDirectory(prefix="bmn-bench-") as folder:
        server = EmbeddedRedis(Path(folder) / "redis")
        server.start()
        env = {
            **os.environ,
            "BMN_HOME": folder,
            "REDIS_URL": server.url,
            "BMN_LOG_LEVEL": "error",
            "BMN_ENV": "development",
        }
        os.environ.update(BMN_HOME=folder, REDIS_URL=server.url)
        settings = load_settings()
        migrate(settings.database_address)
        core = await open_core(settings, "bench")
        try:
            await _report(EngineBench(core, env, server.url), number, str(server.socket))
        finally:
            await core.close()
            server.stop()


async def _report(bench: EngineBench, number: int, redis_socket: str) -> None:
    print("jobs a second, one worker process, no-op handler")
    ours = {slots: await bench.rate(number, slots) for slots in (10, 50)}
    stock = await asyncio.to_thread(stock_rate, bench.redis_url, max(100, number // 20), rq_tasks.nothing)
    for slots, rate in ours.items():
        print(f"  bmn, {slots} slots {rate:38.0f}   {rate / stock:.0f} times RQ's stock worker")
    print(f"  RQ's stock worker {stock:37.0f}")
    with process("page", env=bench.env) as page:
        url = f"http://127.0.0.1:{page.first_line}/"  # type: ignore[attr-defined]
        fetching = await bench.rate(number // 3, 10, url=url)
        stock_fetching = await asyncio.to_thread(
            stock_rate, bench.redis_url, max(100, number // 20), rq_tasks.fetch, url
        )
        await bench.clear()
        node = await asyncio.to_thread(bullmq, redis_socket, url, number)
    print("jobs a second, one HTTP call each, 10 slots")
    print(f"  bmn {fetching:51.0f}   {fetching / stock_fetching:.0f} times RQ's stock worker")
    print(f"  RQ's stock worker {stock_fetching:37.0f}")
    if node:
        print(f"BullMQ: no-op at 50 {node['noop']:.0f} jobs/s, fetch at 10 {node['fetch']:.0f} jobs/s, ", end="")
        print(f"pickup p50 {node['pickupP50']:.1f} ms, enqueue p50 {node['enqueueP50']:.2f} ms")
    print("latency")
    print(row("  dispatch call", await bench.dispatching(500)))
    print(row("  pickup from an idle queue", await bench.pickup(200)))
    print(row("  cancel of a running job, slot taken again", await bench.cancelling(100)))
    print(row("  pickup, RQ's stock worker", await asyncio.to_thread(stock_pickup, bench.redis_url, 30)))
    idle, busy = await bench.memory()
    print(
        f"memory of a worker (PSS): idle {idle:.0f} MiB, with 50 waiting jobs {busy:.0f} MiB, {busy / idle:.2f} times"
    )
    print(f"Redis: {await bench.redis_bytes(2000):.0f} bytes a waiting job")
    told = [await bench.recovery(True) for _ in range(20)]
    leased = [await bench.recovery(False) for _ in range(10)]
    for name, seconds in (("on a supervisor's word", told), ("by lease", leased)):
        figures = f"p50 {percentile(seconds, 0.5):.1f} s, p95 {percentile(seconds, 0.95):.1f} s"
        print(f"taken over after kill -9, {name}: {figures} ({len(seconds)} times)")


if __name__ == "__main__":
    asyncio.run(main())
