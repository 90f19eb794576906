"""A day of a million jobs, compressed: `python -m tests.chaos.day --hours 24`.

At `--factor` 24 an hour of that day takes 150 seconds, in which as many jobs come as in 150 seconds of the real one. What is
kept for 30 days is kept for an hour of it, and what is kept for 400 days for thirteen, so that retention has everything to
do within the day; sweeps and sums come as often as on a real day, by its clock. Rows go through the archive.

Every quarter of an hour it looks how many rows there are and how late retention is. In the end all of the archive is
restored into the database, and the invariants are checked over every job of the day: nothing that was accepted is missing,
and the bill, the ledger and the events are those of one whole day.
"""

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from sqlalchemy import func, select

from bench import pages
from bmn import logs
from bmn.db.engine import Connection
from bmn.db.keeping import retention
from bmn.db.keeping.retention import Book
from bmn.db.sums import activity, rollup, spending
from bmn.db.tables import archive_holds, jobs
from bmn.schemas.payloads import TERMINAL_STATES
from bmn.work.archive.archive_files import Archive, open_archive
from bmn.work.archive.reading import WantedRows, restore
from bmn.work.pruning import SWEEP_SECONDS, sweep
from tests.chaos.deployment import LOGOS, SERVED, Deployment
from tests.chaos.nursery import Nursery
from tests.chaos.soak import Databases
from tests.kit import checker, handlers
from tests.kit.postgres import running_postgres

_HOUR, _DAY = 3600.0, 86_400.0
_KEPT_AN_HOUR = 30 * 24  # what is kept for 30 days is kept for an hour of this day
_WATCHED = ("jobs", "credit_ledger", "provider_calls")
_PREVIEWS = "image-upload"  # of each picture
_PICTURES = 20  # every so many jobs one makes a picture; the others are as small as a job can be
_ROOM = 1.25  # by how much more rows may be there late in the day than in its middle
_HOURS_UNTIL_FULL = {"jobs": 4.0, "credit_ledger": 18.0, "provider_calls": 18.0}
_END_SECONDS = 600.0
_HEAD = ("| hour | " + " | ".join(_WATCHED) + " | latest |", "| --- | --- | --- | --- | --- |")


@dataclass(frozen=True, slots=True)
class DayAsked:
    """factor: how much faster the day goes. hours: of that day. jobs: in 24 hours of a real one."""

    factor: float
    hours: float
    jobs: int

    @property
    def rate(self) -> float:
        """Jobs in a second of ours: as many as in a second of the real day."""
        return self.jobs / _DAY

    def seconds(self, of_the_day: float) -> float:
        """How many of our seconds so many of that day's are."""
        return of_the_day / self.factor


@dataclass(frozen=True, slots=True)
class Look:
    """What there was at an hour of the day. rows: by book. lag: of the book that was latest, in that day's minutes."""

    hour: float
    rows: dict[str, int]
    lag: float
    of: str

    @property
    def row(self) -> str:
        """Of a table below `_HEAD`."""
        counts = " | ".join(f"{self.rows[name]:,}" for name in _WATCHED)
        return f"| {self.hour:.1f} | {counts} | {self.lag:.0f} min, {self.of} |"


class Day:
    """One run of it."""

    def __init__(self, stack: Deployment, archive: Archive, asked: DayAsked) -> None:
        self.stack, self.archive, self.asked = stack, archive, asked
        shorter = _KEPT_AN_HOUR * asked.factor
        self.books: Sequence[Book] = tuple(
            replace(book, seconds=book.seconds / shorter) for book in retention.BOOKS if book.table is not archive_holds
        )
        self.looks: list[Look] = []
        self.began = time.monotonic()

    @property
    def hour(self) -> float:
        """Of the day."""
        return (time.monotonic() - self.began) * self.asked.factor / _HOUR

    async def run(self) -> None:
        """Until the evening, and then until everything that came has ended."""
        self.began = time.monotonic()
        upkeep = [
            asyncio.create_task(self._every(60.0, self._sweep)),
            asyncio.create_task(self._every(60.0, self._add_up)),
            asyncio.create_task(self._every(900.0, self._look)),
        ]
        await self._submit()
        await self.stack.until(self._all_ended, _END_SECONDS)
        for task in upkeep:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _submit(self) -> None:
        number = 0
        while (hour := self.hour) < self.asked.hours:
            while number < hour * self.asked.seconds(_HOUR) * self.asked.rate:
                number += 1
                await (self.stack.logos(1) if number % _PICTURES == 0 else self.stack.do("nothing"))
            await asyncio.sleep(0.05)

    async def _every(self, of_the_day: float, what: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(self.asked.seconds(of_the_day))
            await what()

    async def _sweep(self) -> None:
        await sweep(self.stack.core.db, SWEEP_SECONDS, self.archive, books=self.books)

    async def _add_up(self) -> None:
        for roll_up in (activity.roll_up, spending.roll_up):
            await self.stack.core.db.write(roll_up)

    async def _look(self) -> None:
        late = await self.stack.read(partial(retention.lags, books=self.books, archiving=True))
        of = max(late, key=lambda name: late[name])
        look = Look(self.hour, await self.stack.read(_rows), late[of] * self.asked.factor / 60, of)
        self.looks.append(look)
        print(look.row, flush=True)

    async def _all_ended(self) -> bool:
        under_way = select(func.count()).where(
            jobs.c.state.not_in(list(TERMINAL_STATES)), jobs.c.queue.in_((*SERVED, _PREVIEWS))
        )
        return int(await self.stack.read(lambda conn: conn.execute(under_way).scalar_one())) == 0

    def problems(self) -> list[str]:
        """What a day must not do: tables that go on growing, a retention that is an hour late."""
        worst = max(self.looks, key=lambda look: look.lag)
        found = [f"{worst.of} was {worst.lag:.0f} minutes late at hour {worst.hour:.1f}"] * (worst.lag > 60)
        for name, full in _HOURS_UNTIL_FULL.items():
            late = [look.rows[name] for look in self.looks if look.hour > self.asked.hours - 2]
            middle = [look.rows[name] for look in self.looks if full - 2 < look.hour <= full]
            if self.asked.hours > full + 2 and max(late) > _ROOM * max(middle):
                found.append(f"{name} grew from {max(middle)} rows to {max(late)}")
        return found


def _rows(conn: Connection) -> dict[str, int]:
    tables = [book.table for book in retention.BOOKS if book.name in _WATCHED]
    return {table.name: int(conn.execute(select(func.count()).select_from(table)).scalar_one()) for table in tables}


async def run(nursery: Nursery, folder: Path, url: str, asked: DayAsked) -> tuple[list[str], list[str]]:
    """The lines of the report, and what does not hold."""
    rollup.BEHIND /= asked.factor
    stack = Deployment(nursery, folder, url, BMN_ARCHIVE_DAYS="400")
    try:
        await stack.open(balance=1_000_000)
        for queue in (LOGOS, handlers.QUEUE, handlers.QUEUE, _PREVIEWS):
            stack.worker(queue, slots=8)
        archive = open_archive(stack.settings)
        assert archive
        day = Day(stack, archive, asked)
        await day.run()
        left = await stack.read(_rows)
        back = await restore(archive, stack.core.db, WantedRows(), hold_seconds=_DAY)
        report = await stack.check(served=(*SERVED, _PREVIEWS))
        problems = [*day.problems(), *(f"cannot be read: {name}: {why}" for name, why in back.broken)]
        return _lines(day, left, back.rows, report), problems
    finally:
        await stack.close()


def _lines(day: Day, left: dict[str, int], back: dict[str, int], report: checker.Report) -> list[str]:
    worst = max(day.looks, key=lambda look: look.lag)
    whole = ", ".join(f"{left[name]:,} and {back.get(name, 0):,} of {name}" for name in _WATCHED)
    return [
        *_HEAD,
        *(look.row for look in day.looks),
        "",
        f"Retention was at most {worst.lag:.0f} minutes of that day late. In the evening there were, in tables and archive:"
        f" {whole}. All of it brought back: {report.jobs:,} jobs, {report.billed:,} pictures billed,"
        f" {report.ambiguous} ambiguous.",
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.day", description=__doc__)
    parser.add_argument("--factor", type=float, default=24.0, help="how much faster the day goes")
    parser.add_argument("--hours", type=float, default=2.0, help="of that day")
    parser.add_argument("--jobs", type=int, default=1_000_000, help="in 24 hours of a real day")
    parser.add_argument("--write", action="store_true", help="into docs/reliability.md")
    chosen = parser.parse_args()
    os.environ.update(BMN_ENV="development", NO_PROXY="127.0.0.1,localhost", BMN_LOG_LEVEL="error")
    logs.configure("error", process="day")
    began, nursery = pages.Began(), Nursery()
    print(*_HEAD, sep="\n", flush=True)
    try:
        with tempfile.TemporaryDirectory(prefix="bmn-day-") as name, running_postgres(Path(name) / "pg") as server:
            folder = Path(name)
            with Databases(folder, ("postgresql",), server).fresh(0, folder) as url:
                asked = DayAsked(chosen.factor, chosen.hours, chosen.jobs)
                lines, problems = asyncio.run(run(nursery, folder, url, asked))
    finally:
        nursery.close()
    last = "; ".join(problems) or "Nothing that is kept is lost, and retention keeps up."
    print(lines[-1], last, sep="\n")
    if chosen.write:
        began.write(pages.DOCS / "reliability.md", "tests.chaos.day", [*lines, "", last])
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
