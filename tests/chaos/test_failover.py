"""A primary is lost and another server takes its place: no job is lost, none is paid twice, and nobody is restarted."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bmn.db.migrations import migrate
from bmn.errors import TryLater
from bmn.settings.database_url import database_url
from tests.chaos.deployment import LOGOS, Deployment, Start
from tests.kit import handlers
from tests.kit.postgres import running_pair
from tests.kit.sentinels import PASSWORD, Watched, running_sentinels

_JOBS = 12


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with running_sentinels(tmp_path / "watched") as servers:
        yield servers


async def _go_on_through(stack: Deployment, loss: Callable[[], object]) -> None:
    """Jobs are running, waiting and submitted while `loss` happens."""
    workers = [stack.worker(LOGOS, slots=4), stack.worker(handlers.QUEUE)]
    ids = [await stack.logos(1) for _ in range(_JOBS)]
    await stack.active(ids[0])
    lost = asyncio.get_running_loop().run_in_executor(None, loss)
    while not lost.done():
        with contextlib.suppress(TryLater):  # refused before anything was written
            ids.append(await stack.do("nothing"))
        await asyncio.sleep(0.05)
    await lost
    assert set(await stack.ended(*ids)) == {"completed"}
    assert len(stack.bill()) == _JOBS
    assert [worker.code for worker in workers] == [None, None]


@pytest.mark.parametrize(
    ("database_url", "how"), [("sqlite", "managed"), ("postgresql", "killed")], indirect=["database_url"]
)
async def test_jobs_go_on_when_sentinels_name_another_redis(start: Start, watched: Watched, how: str) -> None:
    stack = await start(REDIS_URL=watched.url)
    before = watched.primary()
    await _go_on_through(stack, watched.fail_over if how == "managed" else lambda: watched.kill(before))
    await stack.redis_is_back()
    assert watched.primary() != before
    late = await stack.logos(1)
    assert await stack.ended(late) == ["completed"]
    stack.redis_url = f"redis://:{PASSWORD}@127.0.0.1:{watched.primary()}/0"
    await stack.check()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_jobs_go_on_at_the_replica_that_was_promoted(start: Start, tmp_path: Path) -> None:
    """With a synchronous replica nothing that was written before a paid call is missing after it."""
    with running_pair(tmp_path / "pair") as pair:
        url = pair.url("postgres")
        await asyncio.to_thread(migrate, database_url(url))
        stack = await start(DATABASE_URL=url)
        await _go_on_through(stack, pair.lose_primary)
        late = await stack.logos(1)
        assert await stack.ended(late) == ["completed"]
        await stack.check()
        await stack.close()
