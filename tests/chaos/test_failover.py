"""A primary is lost and another server takes its place: no job is lost, none is paid twice, and nobody is restarted."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from bmn.db.migrations import migrate
from bmn.settings.database_url import database_url
from tests.chaos.deployment import Deployment, Start
from tests.chaos.failovers import Loss, go_on_through
from tests.kit.postgres import running_pair
from tests.kit.sentinels import PASSWORD, Watched, running_sentinels

_JOBS = 12


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with running_sentinels(tmp_path / "watched") as servers:
        yield servers


async def _bills_once(stack: Deployment, loss: Loss) -> None:
    await go_on_through(stack, loss, jobs=_JOBS)
    assert len(stack.bill()) == _JOBS
    late = await stack.logos(1)
    assert await stack.ended(late) == ["completed"]


@pytest.mark.parametrize(
    ("database_url", "how"), [("sqlite", "managed"), ("postgresql", "killed")], indirect=["database_url"]
)
async def test_jobs_go_on_when_sentinels_name_another_redis(start: Start, watched: Watched, how: str) -> None:
    stack = await start(REDIS_URL=watched.url)
    before = watched.primary()
    managed = Loss(how, watched.fail_over, sudden=False)
    killed = Loss(how, lambda: watched.kill(before), is_over=lambda: watched.primary() != before)
    await _bills_once(stack, managed if how == "managed" else killed)
    await stack.redis_is_back()
    assert watched.primary() != before
    stack.redis_url = f"redis://:{PASSWORD}@127.0.0.1:{watched.primary()}/0"
    await stack.check()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_jobs_go_on_at_the_replica_that_was_promoted(start: Start, tmp_path: Path) -> None:
    """With a synchronous replica nothing that was written before a paid call is missing after it.

    The lease outlasts the failover: who cannot renew its own lets go, and an order whose answer it had is asked once more.
    """
    with running_pair(tmp_path / "pair") as pair:
        url = pair.url("postgres")
        await asyncio.to_thread(migrate, database_url(url))
        stack = await start(DATABASE_URL=url, BMN_LEASE_SECONDS="60")
        await _bills_once(stack, Loss("killed", pair.lose_primary))
        await stack.check()
        await stack.close()
