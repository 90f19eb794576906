"""Matrix row 26: somebody sets the clock of the machine, an hour ahead and an hour back, while jobs run."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.deployment import LOGOS, Deployment
from tests.chaos.nursery import Nursery
from tests.kit import handlers

_LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)


class Clock:
    """The wall clock of every process of a nursery; the monotonic one goes on as it does."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set("+0")
        self.env = {
            "LD_PRELOAD": str(_LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, offset: str) -> None:
        """`+3600`, `-3600`: seconds beside the real time."""
        half = self._file.with_suffix(".half")
        half.write_text(offset)
        half.rename(self._file)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock")


@pytest.fixture
def clocked(clock: Clock) -> Iterator[Nursery]:
    parent = Nursery(**clock.env)
    yield parent
    parent.close()


@pytest.mark.skipif(not _LIBRARY or not shutil.which("faketime"), reason="libfaketime is not installed")
async def test_the_clock_is_set_while_jobs_run(
    clocked: Nursery, clock: Clock, tmp_path: Path, database_url: str
) -> None:
    """On SQLite it is the database's clock as well; on PostgreSQL the workers' alone, as on hosts that disagree.

    This process keeps the real time, so what it submits to SQLite comes an hour from the past, and then from the future.
    The library spoils `sleep`, which a writer to SQLite takes for an error and tries again: a lease may be lost by that.
    """
    stack = await Deployment(clocked, tmp_path, database_url, **clock.env).open()
    workers = [stack.worker(LOGOS, slots=4), stack.worker(handlers.QUEUE, slots=4)]
    for offset in ("+3600", "-3600", "+0"):
        stack.fault(op="poll", pending=True)
        ids = [await stack.logos(1) for _ in range(2)]
        for job_id in ids:
            await stack.active(job_id)
        before = [(await stack.job(job_id)).lease_until for job_id in ids]
        clock.set(offset)

        async def renewed(ids: list[str] = ids, before: list[float] = before) -> bool:
            return [(await stack.job(job_id)).lease_until for job_id in ids] != before

        await stack.until(renewed)
        stack.clear_faults()
        ids += [await stack.do("fail", cause="timeout", times=1)]
        assert set(await stack.ended(*ids)) == {"completed"}
        losses = [(await stack.job(job_id)).losses for job_id in ids]
        assert stack.is_sqlite or losses == [0, 0, 0]
    assert [worker.code for worker in workers] == [None, None]
    stack.losses = 6 if stack.is_sqlite else 0
    assert stack.is_sqlite or len(stack.bill()) == 6
    await stack.check()
    await stack.close()
