"""The hourly cleanup and the sweeper archive what they delete, where the settings say so."""

from dataclasses import replace

from sqlalchemy import insert, select, update

from bmn.db.tables import activity_mark, job_events, jobs
from bmn.jobs.core import Core
from bmn.work.archive.archive_files import find_archive
from bmn.work.archive.archive_lines import unpack
from bmn.work.pruning import prune_a_little
from tests.kit.bench import Bench

_DAY = 86_400.0


async def _ended(bench: Bench, *, late: float) -> str:
    """A mail that ended as long ago as ended jobs are kept, and `late` seconds more."""
    row = await bench.run("email-send", template="welcome", to="ana@example.org", data={"name": "Ana"})
    at = update(jobs).where(jobs.c.id == row["id"]).values(completed_at=jobs.c.completed_at - 30 * _DAY - late)
    await bench.core.db.write(lambda conn: conn.execute(at).rowcount)
    return str(row["id"])


async def _left(core: Core) -> set[str]:
    """The ids of jobs of which there is a row or an event."""
    both = select(jobs.c.id).where(jobs.c.completed_at > 0).union(select(job_events.c.job_id))
    return set(await core.db.read(lambda conn: conn.execute(both).scalars().all()))


async def test_the_cleanup_archives_an_ended_job_and_the_sweeper_only_what_is_late(bench: Bench) -> None:
    bench.core = replace(bench.core, settings=bench.core.settings.model_copy(update={"bmn_archive_days": 400}))
    await bench.core.db.write(lambda conn: conn.execute(insert(activity_mark).values(id=1, upto=4e9)).rowcount)
    late = await _ended(bench, late=2 * 3600)
    await prune_a_little(bench.core)
    young = await _ended(bench, late=60)
    await prune_a_little(bench.core)
    assert {late, young} & await _left(bench.core) == {young}
    row = await bench.run("cleanup", type="expired-jobs")
    assert row["state"] == "completed", row["error"]
    assert {late, young} & await _left(bench.core) == set()
    archive = find_archive(bench.core.settings)
    files = [file for file in await archive.list("jobs") if file.rows]
    stored = [next(iter(unpack(await archive.read(file)))) for file in files]
    assert [group[0].get("id") for group in stored] == [late, young]
    assert all({"jobs", "job_events"} <= {row.table for row in group} for group in stored)
