"""What a job and a client cost, and what that comes to: `python -m bench.scale`.

Measures jobs and clients apart on a stack of this machine: processor time, SQL statements, operations of Redis, bytes.
Then it simulates a mix of both from these costs alone, runs that mix, and prints how far the simulation was off; last,
what the simulation says of larger days. Processor time is compared and not the clock, which a busy machine bends.
"""

import argparse
import asyncio
import json
import random
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil
import redis

from bench import pages
from bench.http import Connection, request
from bench.listener import Listener
from bench.stack import BenchServer, api_process, running_stack
from bmn.identity.development import mint_development_token
from bmn.settings import load_settings

_DAY = 86_400
_EACH = 20  # sockets of a user
_COUNTING = Path(__file__).with_name("counting")
_TELLS_SECONDS = 2.0
_SERVED = ("logo-generation", "image-upload")


@dataclass(frozen=True, slots=True)
class Spent:
    """What the processes of a stack have used so far. seconds: of the clock, at the time of looking."""

    seconds: float
    processor: float
    statements: int
    operations: int
    row_bytes: int
    redis_bytes: int
    memory: int

    def since(self, before: "Spent", idle: "Rate") -> "Spent":
        """What was used between two looks, without what an idle stack would have."""
        seconds = self.seconds - before.seconds
        return Spent(
            seconds,
            max(0.0, self.processor - before.processor - idle.processor * seconds),
            max(0, self.statements - before.statements - round(idle.statements * seconds)),
            max(0, self.operations - before.operations - round(idle.operations * seconds)),
            self.row_bytes - before.row_bytes,
            self.redis_bytes - before.redis_bytes,
            self.memory - before.memory,
        )


@dataclass(frozen=True, slots=True)
class Rate:
    """A second of a stack that has nothing to do."""

    processor: float = 0.0
    statements: float = 0.0
    operations: float = 0.0


@dataclass(frozen=True, slots=True)
class JobCost:
    """Of one job or one client. processor: seconds. memory: bytes of the API process."""

    processor: float
    statements: float
    operations: float
    row_bytes: float
    redis_bytes: float
    memory: float


@dataclass(frozen=True, slots=True)
class Simulated:
    """processor: seconds used. busy: share of the cores, in the worst minute. waited: seconds in line for a core, p95."""

    processor: float
    busy: float
    waited: float
    statements_a_second: float
    operations_a_second: float
    row_bytes: float
    memory: float


def simulate(
    job: JobCost, client: JobCost, *, jobs: int, clients: int, seconds: int, cores: float, seed: int = 1
) -> Simulated:
    """Arrivals by chance, second by second, each with its cost, and so many cores that work off what has come.

    Clients come at the beginning and stay; a client's cost is that of coming, since one that is idle costs next to nothing.
    """
    chance = random.Random(seed)
    left, line, used, waits, minutes = jobs, clients * client.processor, 0.0, [], [0.0] * (seconds // 60 + 1)
    second = 0
    while second < seconds or left or line > 1e-9:
        due = left if second >= seconds - 1 else min(left, _arrivals(chance, jobs / seconds))
        left -= due
        line += due * job.processor
        done = min(line, cores)
        line -= done
        used += done
        waits.append(line / cores)
        minutes[min(second // 60, len(minutes) - 1)] += done
        second += 1
    waits.sort()
    return Simulated(
        processor=used,
        busy=max(minutes) / (cores * min(60, seconds)),
        waited=waits[int(len(waits) * 0.95)],
        statements_a_second=(jobs * job.statements + clients * client.statements) / seconds,
        operations_a_second=(jobs * job.operations + clients * client.operations) / seconds,
        row_bytes=jobs * job.row_bytes,
        memory=clients * client.memory,
    )


def _arrivals(chance: random.Random, mean: float) -> int:
    """Poisson by waiting times; by its normal form where there are many."""
    if mean > 50:
        return max(0, round(chance.gauss(mean, mean**0.5)))
    number, passed = 0, chance.expovariate(mean) if mean else 2.0
    while passed < 1:
        number += 1
        passed += chance.expovariate(mean)
    return number


# --- measuring -----------------------------------------------------------------------------------------------------------


class Meter:
    """Reads what a stack has spent: from its processes, its database's file and its Redis."""

    def __init__(self, stack: BenchServer, counts: Path) -> None:
        self._stack = stack
        self._counts = counts
        state = json.loads((stack.home / "serve.json").read_text())
        self._parent = psutil.Process(state["pid"])
        self._redis = redis.Redis.from_url(state["redis_url"])

    def look(self) -> Spent:
        processes = [self._parent, *self._parent.children(recursive=True)]
        files = [file.read_bytes() for file in self._counts.iterdir()]
        stats = self._redis.info("stats")
        rows = self._stack.home / "bmn.sqlite3"
        with sqlite3.connect(f"file:{rows}?mode=ro", uri=True) as database:
            (pages,), (size,) = (database.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
        return Spent(
            time.monotonic(),
            sum(sum(process.cpu_times()[:2]) for process in processes),
            sum(int.from_bytes(count, "little") for count in files),
            int(stats["total_commands_processed"]),
            int(pages) * int(size),
            int(self._redis.info("memory")["used_memory"]),
            int(api_process(self._stack).memory_full_info().pss),
        )

    async def settled(self) -> None:
        """Until every job that has a worker here has ended, and a moment for what follows from it."""
        with sqlite3.connect(f"file:{self._stack.home / 'bmn.sqlite3'}?mode=ro", uri=True) as database:
            sql = "SELECT count(*) FROM jobs WHERE completed_at IS NULL AND queue IN (?, ?)"
            while database.execute(sql, _SERVED).fetchone()[0]:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        await asyncio.sleep(_TELLS_SECONDS)


async def _spent(meter: Meter, idle: Rate, work: Callable[[], Awaitable[None]]) -> Spent:
    before = meter.look()
    await work()
    return meter.look().since(before, idle)


def _each(spent: Spent, number: int) -> JobCost:
    return JobCost(
        spent.processor / number,
        spent.statements / number,
        spent.operations / number,
        spent.row_bytes / number,
        spent.redis_bytes / number,
        spent.memory / number,
    )


async def _jobs(stack: BenchServer, meter: Meter, number: int) -> None:
    connection = await Connection.open(stack.url)
    _, body = await connection.ask(request("POST", "/api/v1/brands", token=stack.token, body=b'{"name":"Bench"}'))
    post = json.dumps({"brandId": json.loads(body)["id"], "count": 1}).encode()
    for _ in range(number):
        status, body = await connection.ask(request("POST", "/api/v1/generation/logos", token=stack.token, body=post))
        assert status == 202, body
    connection.close()
    await meter.settled()


async def _clients(stack: BenchServer, crowd: AsyncExitStack, number: int) -> None:
    settings = load_settings(bmn_home=stack.home)
    for start in range(0, number, _EACH):
        token = mint_development_token(settings, str(uuid.uuid4()))
        for _ in range(min(_EACH, number - start)):
            await crowd.enter_async_context(Listener(stack, token))
    await asyncio.sleep(_TELLS_SECONDS)


async def _measure(stack: BenchServer, counts: Path, jobs: int, clients: int) -> tuple[JobCost, JobCost, Rate, float]:
    """The costs, what an idle stack uses, and the processor seconds of the mix by the simulation's of it."""
    meter = Meter(stack, counts)
    await _jobs(stack, meter, 10)  # what is made once is made
    before = meter.look()
    await asyncio.sleep(10)
    resting = meter.look().since(before, Rate())
    idle = Rate(*(value / resting.seconds for value in (resting.processor, resting.statements, resting.operations)))
    job = _each(await _spent(meter, idle, lambda: _jobs(stack, meter, jobs)), jobs)
    async with AsyncExitStack() as crowd:
        client = _each(await _spent(meter, idle, lambda: _clients(stack, crowd, clients)), clients)
    await asyncio.sleep(_TELLS_SECONDS)

    async def both() -> None:
        async with AsyncExitStack() as crowd:
            await asyncio.gather(_jobs(stack, meter, jobs * 2), _clients(stack, crowd, clients // 2))

    mixed = await _spent(meter, idle, both)
    said = simulate(job, client, jobs=jobs * 2, clients=clients // 2, seconds=round(mixed.seconds), cores=2)
    print(f"the mix took {mixed.processor:.2f} s of processor, the simulation said {said.processor:.2f}")
    return job, client, idle, said.processor / mixed.processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=60)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--write", action="store_true", help="into docs/scale.md")
    options = parser.parse_args()
    began = pages.Began()
    with tempfile.TemporaryDirectory(prefix="bmn-counts-") as counts:
        more = {"PYTHONPATH": str(_COUNTING), "BENCH_COUNTS": counts}
        with running_stack("--queues", ",".join(_SERVED), "--sandbox-speed", "0", **more) as stack:
            job, client, idle, ratio = asyncio.run(_measure(stack, Path(counts), options.jobs, options.clients))
    lines = [*_costs(job, client, idle), "", *_days(job, client)]
    print(*lines, f"simulated by measured: {ratio:.2f}", sep="\n")
    if options.write:
        began.write(pages.DOCS / "scale.md", "bench.scale", [*lines, "", f"Simulated by measured: {ratio:.2f}."])
    if not 0.8 <= ratio <= 1.2:
        raise SystemExit("the simulation is more than 20 % off")


def _costs(job: JobCost, client: JobCost, idle: Rate) -> Iterator[str]:
    yield "| what | processor | statements | operations of Redis | rows | in Redis | memory of the API |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for name, cost in (("a job of one logo", job), ("a client that comes", client)):
        yield (
            f"| {name} | {cost.processor * 1000:.1f} ms | {cost.statements:.0f} | {cost.operations:.0f} | "
            f"{cost.row_bytes / 1024:.1f} KiB | {cost.redis_bytes / 1024:.1f} KiB | {cost.memory / 1024:.0f} KiB |"
        )
    yield (
        f"| a second without either | {idle.processor * 1000:.0f} ms | {idle.statements:.0f} | {idle.operations:.0f} "
        "| | | |"
    )


def _days(job: JobCost, client: JobCost) -> Iterator[str]:
    """Simulated: the busiest hour, which has an eighth of the day's jobs."""
    yield "| jobs a day, clients, cores | busy | p95 waits | statements/s | operations/s | rows a day | sockets |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for jobs, clients, cores in ((100_000, 2_000, 2), (1_000_000, 20_000, 8), (10_000_000, 200_000, 64)):
        hour = simulate(job, client, jobs=jobs // 8, clients=clients, seconds=3600, cores=cores)
        yield (
            f"| {jobs:,}, {clients:,}, {cores} | {hour.busy:.0%} | {hour.waited:.1f} s | {hour.statements_a_second:,.0f} | "
            f"{hour.operations_a_second:,.0f} | {jobs * job.row_bytes / 2**30:.1f} GiB | {hour.memory / 2**30:.1f} GiB |"
        )


if __name__ == "__main__":
    main()
