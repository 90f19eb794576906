"""Random schedules of work and faults, each from a seed, with the invariants checked after every one.

python -m tests.chaos.soak --seconds 600            as many as fit into ten minutes, from a seed of today
python -m tests.chaos.soak --schedules 20 --seed 1  seeds 1 to 20; the same seed makes the same plan
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import queue
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess
from pathlib import Path

from sqlalchemy import create_engine, text

from bmn import logs
from bmn.db.migrations import migrate
from tests.chaos.deployment import Deployment
from tests.chaos.nursery import Nursery
from tests.chaos.schedule import LEASE, Figures, Outcome, Schedule
from tests.kit.postgres import running_postgres

Said = multiprocessing.Queue  # of the outcome of each schedule, and at a share's end its figures


@dataclass(frozen=True)
class Share:
    """The schedules that one process runs: every `step`th seed, `count` of them, or until the time is up.

    until: by the monotonic clock, which all processes of a machine share.
    """

    seed: int
    step: int
    count: float
    until: float
    kinds: tuple[str, ...]

    def run(self, said: "Said[Outcome | Figures]") -> None:
        os.environ.update(BMN_ENV="development", NO_PROXY="127.0.0.1,localhost", BMN_LOG_LEVEL="error")
        logs.configure("error", process="soak")
        figures, number = Figures(), 0
        with contextlib.ExitStack() as at_end:
            folder = Path(at_end.enter_context(tempfile.TemporaryDirectory(prefix="bmn-soak-")))
            server = at_end.enter_context(running_postgres(folder / "pg")) if "postgresql" in self.kinds else None
            nursery = Nursery()
            at_end.callback(nursery.close)
            databases = Databases(folder, self.kinds, server)
            while time.monotonic() < self.until and number < self.count:
                seed = self.seed + number * self.step
                said.put(asyncio.run(one(seed, nursery, databases, figures)))
                number += 1
        said.put(figures)


class Databases:
    """An empty database for each schedule, SQLite and PostgreSQL in turn."""

    def __init__(self, folder: Path, kinds: tuple[str, ...], server: str | None) -> None:
        self.folder, self.kinds, self.server = folder, kinds, server
        self.template = folder / "template.sqlite3"
        migrate(f"sqlite:///{self.template}")
        if server:
            self._administer("CREATE DATABASE soak_template")
            migrate(f"{server}/soak_template")

    def _administer(self, statement: str) -> None:
        admin = create_engine(f"{self.server}/postgres", isolation_level="AUTOCOMMIT")
        with admin.connect() as conn:
            conn.execute(text(statement))
        admin.dispose()

    @contextlib.contextmanager
    def fresh(self, seed: int, folder: Path) -> Iterator[str]:
        if self.kinds[seed % len(self.kinds)] == "sqlite":
            path = folder / "soak.sqlite3"
            shutil.copy(self.template, path)
            yield f"sqlite:///{path}"
            return
        name = f"s{uuid.uuid4().hex[:16]}"
        self._administer(f"CREATE DATABASE {name} TEMPLATE soak_template")
        try:
            yield f"{self.server}/{name}"
        finally:
            self._administer(f"DROP DATABASE {name} WITH (FORCE)")


async def one(seed: int, nursery: Nursery, databases: Databases, figures: Figures) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="bmn-soak-") as name, databases.fresh(seed, Path(name)) as url:
        stack = Deployment(nursery, Path(name), url, **LEASE)
        try:
            return await Schedule(seed, await stack.open(), figures).run()
        finally:
            await stack.close()


def _percentiles(name: str, values: list[float]) -> str:
    if not values:
        return f"{name}: none"
    ordered = sorted(values)
    p50, p95 = (ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.95))
    return f"{name}: {len(values)} times, p50 {p50:.1f} s, p95 {p95:.1f} s, max {ordered[-1]:.1f} s"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=__doc__)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--schedules", type=int)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument(
        "--beside", type=int, default=3, help="schedules that run side by side; they wait most of the time"
    )
    chosen = parser.parse_args()
    kinds = ("sqlite", "postgresql") if chosen.database == "both" else (chosen.database,)
    until = time.monotonic() + (chosen.seconds or (1e9 if chosen.schedules else 600))
    # Seeds are dealt round, so that whatever `beside` is, the first N are the first N.
    counts = [len(range(n, chosen.schedules or 10**9, chosen.beside)) for n in range(chosen.beside)]
    shares = [Share(chosen.seed + n, chosen.beside, count, until, kinds) for n, count in enumerate(counts) if count]
    number, failed, figures = 0, [], Figures()
    for word in _said_by(shares):
        if isinstance(word, Figures):
            figures.add(word)
            continue
        number += 1
        failed += [word.seed] if word.problems else []
        print("\n    ".join([word.line, *word.problems]), flush=True)
    print(f"{number} schedules from seed {chosen.seed}, {len(failed)} failed {sorted(failed) or ''}")
    print(_percentiles("taken over by lease (6 s)", figures.taken_over))
    print(_percentiles("taken over on a supervisor's word", figures.taken_over_with_a_word))
    print(_percentiles("picked up after Redis was back", figures.after_redis))
    return 1 if failed else 0


def _said_by(shares: list[Share]) -> Iterator[Outcome | Figures]:
    """Runs the shares side by side, each in a process of its own; what they say, as they say it."""
    spawn = multiprocessing.get_context("spawn")
    said: Said[Outcome | Figures] = spawn.Queue()
    processes: list[SpawnProcess] = [spawn.Process(target=share.run, args=(said,)) for share in shares]
    for process in processes:
        process.start()
    running = len(processes)
    while running:
        try:
            word = said.get(timeout=2)
        except queue.Empty:
            if broken := [process.exitcode for process in processes if process.exitcode]:
                raise SystemExit(f"a share of the soak ended with {broken}") from None
            continue
        running -= isinstance(word, Figures)
        yield word
    for process in processes:
        process.join()


if __name__ == "__main__":
    sys.exit(main())
