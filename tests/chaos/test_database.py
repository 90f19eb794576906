"""Matrix rows 20 to 24: the database is away, locked, or loses its connections; a disk is full."""

import asyncio
import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from bmn.db.engine import make_engine
from bmn.errors import TryLater
from tests.chaos.deployment import LOGOS, Deployment, Start
from tests.chaos.nursery import Nursery
from tests.kit import handlers
from tests.kit.postgres import running_pooler


async def _ordered(stack: Deployment, job_ids: list[str]) -> None:
    async def all_ordered() -> bool:
        return all([any(u.state == "submitted" for u in await stack.units(job_id)) for job_id in job_ids])

    await stack.until(all_ordered)


async def test_the_database_goes_away_while_jobs_run(start: Start) -> None:
    """Row 20: submissions are refused, nothing is paid without its row, and jobs go on where they were."""
    stack = await start(proxied=True)
    if not stack.database_proxy:
        pytest.skip("SQLite is a file on this machine; that it is locked is tested below")
    stack.fault(op="poll", pending=True)
    worker = stack.worker(LOGOS, slots=4)
    ids = [await stack.logos(2) for _ in range(3)]
    await _ordered(stack, ids)
    stack.database_proxy.cut()
    with pytest.raises(TryLater):
        await stack.logos(1)
    stack.clear_faults()
    await asyncio.to_thread(_wait_for_log, worker, "leases are not renewed yet")
    stack.database_proxy.mend()
    assert set(await stack.ended(*ids)) == {"completed"}
    assert worker.code is None
    assert len(stack.bill()) == 6
    await stack.check()


def _wait_for_log(child: object, text_: str) -> None:
    from tests.kit.processes import wait_until

    wait_until(lambda: text_ in child.tail(20_000))  # type: ignore[attr-defined]


async def test_a_worker_that_cannot_reach_the_database_lets_go_before_its_lease_ends(start: Start) -> None:
    """Only its way is cut: another worker takes the job over, and the first does not go on beside it."""
    stack = await start(proxied=True)
    if not stack.database_proxy:
        pytest.skip("SQLite is reached without a network")
    direct = stack.database_proxy._target
    stack.fault(op="poll", pending=True)
    cut_off = stack.worker()
    job_id = await stack.logos(1)
    await _ordered(stack, [job_id])
    stack.database_proxy.cut()
    url = stack.env["DATABASE_URL"].replace(f":{stack.database_proxy.port}/", f":{direct[1]}/")
    await asyncio.to_thread(_wait_for_log, cut_off, "letting go")
    stack.clear_faults()
    stack.worker(env={"DATABASE_URL": url})
    engine = make_engine(url)

    def state() -> str:
        with engine.connect() as conn:
            return str(conn.execute(text("select state from jobs where id = :id"), {"id": job_id}).scalar())

    from tests.kit.processes import wait_until

    await asyncio.to_thread(wait_until, lambda: state() == "completed")
    engine.dispose()
    stack.database_proxy.mend()
    assert await stack.ended(job_id) == ["completed"]
    assert len(stack.bill()) == 1
    await stack.check()


async def test_sqlite_is_locked_for_a_while(start: Start) -> None:
    """Row 21: a short delay, or a clear refusal; never an error without a word."""
    stack = await start()
    if not stack.is_sqlite:
        pytest.skip("PostgreSQL has no such lock")
    stack.worker(LOGOS, slots=4)
    ids = [await stack.logos(2) for _ in range(4)]
    engine = make_engine(stack.env["DATABASE_URL"], writer=True)
    with engine.connect() as conn, conn.begin(), pytest.raises(TryLater, match="busy"):
        await stack.logos(1)
    engine.dispose()
    stack.losses = 8  # leases may have been let go in the middle of an order
    assert set(await stack.ended(*ids)) == {"completed"}
    await stack.check()


async def test_every_connection_is_ended_again_and_again(stack: Deployment) -> None:
    """Rows 22 and 23: stale connections, transactions cut in the middle."""
    if stack.is_sqlite:
        pytest.skip("SQLite has no connections to end")
    stack.worker(LOGOS, slots=4)
    stack.worker(handlers.QUEUE, slots=5)
    ids = [await stack.logos(2) for _ in range(8)]
    for _ in range(40):
        ids.append(await stack.do("progress", steps=4, pause=0.02))
    url = stack.env["DATABASE_URL"]
    admin = make_engine(url.rsplit("/", 1)[0] + "/postgres")
    kill = text("select pg_terminate_backend(pid) from pg_stat_activity where datname = :name")
    for _ in range(15):
        with admin.connect() as conn:
            conn.execute(kill, {"name": url.rsplit("/", 1)[1]}).all()
        await asyncio.sleep(0.1)
    admin.dispose()
    assert set(await stack.ended(*ids)) == {"completed"}
    assert len(stack.bill()) == 16
    await stack.check()


@pytest.mark.skipif(not shutil.which("pgbouncer"), reason="PgBouncer is not installed")
async def test_a_pooler_shares_few_connections(nursery: Nursery, tmp_path: Path, database_url: str) -> None:
    """Row 23: each transaction may come to another connection, so nothing of ours may be left on one."""
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite has no connections to share")
    with running_pooler(database_url, connections=3) as url:
        stack = await Deployment(nursery, tmp_path, url).open()
        for queue, slots in ((LOGOS, 6), (LOGOS, 6), (handlers.QUEUE, 10)):
            stack.worker(queue, slots=slots)
        ids = [await stack.logos(2) for _ in range(8)]
        ids += [await stack.do("progress", steps=4, pause=0.02) for _ in range(40)]
        assert set(await stack.ended(*ids)) == {"completed"}
        await stack.check()
        await stack.close()


async def test_the_disk_is_full(stack: Deployment) -> None:
    """Row 24: no file may grow beyond a limit; the picture is not paid for again when there is room."""
    if stack.is_sqlite:
        pytest.skip("the limit would hit the database file as well")
    cramped = stack.worker(LOGOS, file_size=4096, env={"BMN_LOG_LEVEL": "error"})
    job_id = await stack.logos(1)
    assert await stack.ended(job_id) == ["failed"]
    assert (await stack.job(job_id)).cause == "storage_failed"
    assert (await stack.job(job_id)).credits_refunded == 1
    assert len(stack.bill()) == 1
    assert cramped.stop() == 0
    from bmn.jobs import replay

    stack.worker(LOGOS)
    again = await replay.retry(stack.core, job_id, "ana")
    assert again.job_id
    assert await stack.ended(again.job_id) == ["completed"]
    await stack.check()
