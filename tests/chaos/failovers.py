"""Both failovers again and again, with workers killed beside them: `python -m tests.chaos.failovers --rounds 10`.

While jobs run and others are submitted, the primary Redis is killed, or replaced on purpose, and sentinels name another
one; or the primary PostgreSQL is killed and its synchronous replica is promoted. Meanwhile a worker is killed as the
server goes, and another one after it. Each round has an installation of its own, and ends with the invariants checked.
"""

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from bench import pages
from bmn import logs
from bmn.db.engine import Connection
from bmn.db.migrations import migrate
from bmn.db.tables import jobs
from bmn.errors import BmnError, TryLater
from bmn.settings.database_url import database_url
from tests.chaos import losses
from tests.chaos.deployment import LOGOS, Deployment
from tests.chaos.nursery import Child, Nursery
from tests.chaos.soak import Databases
from tests.kit import handlers
from tests.kit.postgres import running_pair, running_postgres
from tests.kit.sentinels import PASSWORD, running_sentinels

_LEASE = {"BMN_LEASE_SECONDS": "8", "BMN_RENEW_SECONDS": "1.2", "BMN_GRACE_SECONDS": "15"}
_WORKERS = 3
_CREDITS = 100_000
HEAD = (
    "| lost | jobs | completed | pictures | billed | twice, of lost answers | workers killed | put off | goes on after |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
)


@dataclass(frozen=True, slots=True)
class Loss:
    """How a server goes. strike: makes it go, and returns once another one has been asked to take its place.

    sudden: without a word, so that the time to go on counts from the blow; else from when the other one has taken over.
    is_over: whether the other one has; until then jobs are submitted.
    """

    name: str
    strike: Callable[[], object]
    sudden: bool = True
    is_over: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True)
class Passage:
    """What became of the jobs. after: seconds until one that was submitted after the loss has ended. refused: submissions
    that were told to come again.
    """

    jobs: int
    pictures: int
    after: float
    refused: int
    killed: int


class Crew:
    """Workers of which some are killed; another one takes the place of each."""

    def __init__(self, stack: Deployment, number: int) -> None:
        self.stack, self.killed = stack, 0
        self.workers: list[Child] = [stack.worker(LOGOS, slots=4) for _ in range(number)]
        self.workers.append(stack.worker(handlers.QUEUE))

    async def kill_one(self) -> None:
        """The one that has been there longest."""
        victim = self.workers.pop(0)
        self.workers.insert(-1, self.stack.worker(LOGOS, wait=False, slots=4))
        self.killed += 1
        await losses.kill(self.stack, victim)


async def go_on_through(stack: Deployment, loss: Loss, *, jobs: int, pictures: int = 1, kills: int = 0) -> Passage:
    """Jobs are running, waiting and submitted while a server is lost. kills: workers that are killed with it."""
    crew = Crew(stack, _WORKERS if kills else 1)
    ids = [await stack.logos(pictures) for _ in range(jobs)]
    await stack.active(ids[0])
    began = time.monotonic()
    striking = asyncio.create_task(asyncio.to_thread(loss.strike))
    killing = asyncio.create_task(_kill(crew, kills))
    if not loss.sudden:
        await striking
        began = time.monotonic()
    probes, refused = await _until_one_ends(stack)
    after = time.monotonic() - began
    while not (striking.done() and await asyncio.to_thread(loss.is_over)):
        more, refused_now = await _until_one_ends(stack)
        probes, refused = probes + more, refused + refused_now
    await asyncio.gather(striking, killing)
    assert set(await stack.ended(*ids, *probes)) == {"completed"}
    assert [worker.code for worker in crew.workers] == [None] * len(crew.workers)
    return Passage(len(ids) + len(probes), jobs * pictures, after, refused, crew.killed)


async def _kill(crew: Crew, number: int) -> None:
    for _ in range(number):
        await crew.kill_one()
        await asyncio.sleep(1)


async def _until_one_ends(stack: Deployment) -> tuple[list[str], int]:
    """Submits small jobs until one of them has ended; their ids, and how many were refused before anything was written."""
    ids, refused = list[str](), 0
    while True:
        try:
            ids.append(await stack.do("nothing"))
        except TryLater:
            refused += 1
        with contextlib.suppress(BmnError):
            if await stack.read(lambda conn: _has_ended(conn, ids)):
                return ids, refused
        await asyncio.sleep(0.05)


def _has_ended(conn: Connection, ids: list[str]) -> bool:
    ended = select(jobs.c.id).where(jobs.c.id.in_(ids), jobs.c.completed_at.is_not(None))
    return conn.execute(ended.limit(1)).first() is not None


# --- the command ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FailoversAsked:
    """What each round is made of."""

    jobs: int
    pictures: int
    kills: int


@contextlib.asynccontextmanager
async def _without_redis(
    nursery: Nursery, folder: Path, databases: Databases, number: int
) -> AsyncIterator[tuple[Deployment, Loss]]:
    """SQLite and PostgreSQL in turn; killed twice, then replaced on purpose twice, so that each meets each."""
    with running_sentinels(folder / "watched") as watched, databases.fresh(number, folder) as url:
        stack = Deployment(nursery, folder, url, REDIS_URL=watched.url, **_LEASE)
        before = watched.primary()
        beside = "SQLite" if stack.is_sqlite else "PostgreSQL"
        killed = Loss(
            f"Redis killed, on {beside}", lambda: watched.kill(before), is_over=lambda: watched.primary() != before
        )
        replaced = Loss(f"Redis replaced, on {beside}", watched.fail_over, sudden=False)
        try:
            yield await stack.open(_CREDITS), replaced if number // 2 % 2 else killed
            await stack.redis_is_back()
            assert watched.primary() != before
            stack.redis_url = f"redis://:{PASSWORD}@127.0.0.1:{watched.primary()}/0"
            await stack.check()
        finally:
            await stack.close()


@contextlib.asynccontextmanager
async def _without_database(
    nursery: Nursery, folder: Path, _databases: Databases, _number: int
) -> AsyncIterator[tuple[Deployment, Loss]]:
    with running_pair(folder / "pair") as pair:
        url = pair.url("postgres")
        await asyncio.to_thread(migrate, database_url(url))
        stack = Deployment(nursery, folder, url, DATABASE_URL=url, **_LEASE)
        try:
            yield await stack.open(_CREDITS), Loss("PostgreSQL killed", pair.lose_primary)
            await stack.check()
        finally:
            await stack.close()


_KINDS = {"redis": _without_redis, "postgresql": _without_database}


async def _round(
    kind: str, nursery: Nursery, databases: Databases, number: int, asked: FailoversAsked
) -> tuple[str, float]:
    """A row of `HEAD` and the time to go on. Raises AssertionError where something does not hold afterwards."""
    with tempfile.TemporaryDirectory(prefix="bmn-failover-") as name:
        async with _KINDS[kind](nursery, Path(name), databases, number) as (stack, loss):
            passed = await go_on_through(stack, loss, jobs=asked.jobs, pictures=asked.pictures, kills=asked.kills)
            bill = len(stack.bill())
        twice = f"{bill - passed.pictures} of {stack.losses}"
        return (
            f"| {loss.name} | {passed.jobs} | {passed.jobs} | {passed.pictures} | {bill} | {twice} |"
            f" {passed.killed} | {passed.refused} | {passed.after:.1f} s |",
            passed.after,
        )


def _run(kinds: list[str], rounds: int, asked: FailoversAsked) -> tuple[list[str], int]:
    """The lines of the table, and how many rounds did not hold."""
    lines, wrong, times = list(HEAD), 0, dict[str, list[float]]()
    print(*HEAD, sep="\n", flush=True)
    with contextlib.ExitStack() as at_end:
        folder = Path(at_end.enter_context(tempfile.TemporaryDirectory(prefix="bmn-failovers-")))
        databases = Databases(folder, ("sqlite", "postgresql"), at_end.enter_context(running_postgres(folder / "pg")))
        nursery = Nursery()
        at_end.callback(nursery.close)
        for kind in kinds:
            for number in range(rounds):
                try:
                    line, after = asyncio.run(_round(kind, nursery, databases, number, asked))
                    times.setdefault(kind, []).append(after)
                except (AssertionError, TimeoutError) as problem:
                    wrong += 1
                    line = f"| {kind}, round {number + 1} | does not hold: {problem} |"
                lines.append(line)
                print(line, flush=True)
    said = [f"{kind}: {_spread(found)}" for kind, found in times.items()]
    said.append(f"{rounds * len(kinds)} failovers, {wrong} in which something did not hold afterwards.")
    print(*said, sep="\n")
    return [*lines, "", *said], wrong


def _spread(found: list[float]) -> str:
    ordered = sorted(found)
    return (
        f"goes on after {ordered[0]:.1f} to {ordered[-1]:.1f} s, half of the time {ordered[len(ordered) // 2]:.1f} s."
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.failovers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=2, help="of each failover")
    parser.add_argument("--only", choices=sorted(_KINDS))
    parser.add_argument("--jobs", type=int, default=50, help="of logos; small ones are submitted beside them")
    parser.add_argument("--pictures", type=int, default=2, help="of each job")
    parser.add_argument("--kills", type=int, default=2, help="workers that are killed in each round")
    parser.add_argument("--write", action="store_true", help="into docs/reliability.md")
    chosen = parser.parse_args()
    os.environ.update(BMN_ENV="development", NO_PROXY="127.0.0.1,localhost", BMN_LOG_LEVEL="error")
    logs.configure("error", process="failovers")
    began = pages.Began()
    asked = FailoversAsked(chosen.jobs, chosen.pictures, chosen.kills)
    lines, wrong = _run([chosen.only] if chosen.only else list(_KINDS), chosen.rounds, asked)
    if chosen.write:
        began.write(pages.DOCS / "reliability.md", "tests.chaos.failovers", lines)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
