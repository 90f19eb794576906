"""Redis behind sentinels: every client finds the primary, and the next one after a failover."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from rq import Queue

from bmn.broker.connection import UNAVAILABLE, connect, connect_sync
from bmn.broker.sentinels import divide
from tests.kit.processes import eventually, wait_until
from tests.kit.sentinels import NAME, PASSWORD, Watched, running_sentinels


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with running_sentinels(tmp_path_factory.mktemp("watched")) as servers:
        yield servers


@pytest.fixture(autouse=True)
def _settled(watched: Watched) -> None:
    wait_until(watched.is_ready, what="the replica that follows again")


def _fails_over_soon(watched: Watched) -> "asyncio.Future[None]":
    return asyncio.get_running_loop().run_in_executor(None, watched.fail_over)


async def test_commands_go_on_at_the_new_primary(watched: Watched) -> None:
    """What the old one took in its last second may be lost; what comes after arrives, long before it takes no more."""
    async with connect(watched.url) as client:
        with connect_sync(watched.url) as sync:
            await client.set("name", "Café")
            assert sync.get("name") == "Café".encode()
            before = watched.primary()
            await _fails_over_soon(watched)
            assert watched.primary() != before

            async def arrives() -> bool:
                with contextlib.suppress(*UNAVAILABLE), watched.client(watched.primary()) as primary:
                    await client.set("one", 1)
                    sync.set("two", 1)
                    return primary.mget("one", "two") == [b"1", b"1"]
                return False

            await eventually(arrives)


async def test_whoever_listens_hears_what_the_new_primary_is_told(watched: Watched) -> None:
    """By publication and by a blocking read, as the sockets' and the workers' clients do."""
    async with connect(watched.url, reply_seconds=7) as client, connect(watched.url) as teller:
        pubsub = client.pubsub(ignore_subscribe_messages=True)
        await pubsub.subscribe("told")
        await _fails_over_soon(watched)

        async def heard() -> bool:
            try:
                await teller.publish("told", "x")
                return await pubsub.get_message(timeout=0.2) is not None
            except UNAVAILABLE:
                return False

        await eventually(heard)
        await pubsub.aclose()  # type: ignore[no-untyped-call]
        waiting = asyncio.create_task(_first(client))
        await eventually(lambda: _is_blocked(watched))
        await teller.xadd("stream", {"a": "b"})
        assert await waiting


async def _first(client: "Redis") -> object:
    """What stands in the stream, as soon as something does."""
    while not (found := await client.xread({"stream": "0"}, block=5000)):
        pass
    return found


async def _is_blocked(watched: Watched) -> bool:
    with watched.client(watched.primary()) as primary:
        return bool(primary.info("clients")["blocked_clients"])


async def test_a_thread_that_listens_for_a_minute_at_a_time_moves_as_well(watched: Watched) -> None:
    """As RQ does for the commands to its workers."""
    heard: list[bytes] = []
    with connect_sync(watched.url) as client, connect_sync(watched.url) as teller:
        pubsub = client.pubsub(ignore_subscribe_messages=True)
        pubsub.subscribe(told=lambda message: heard.append(message["data"]))
        thread = pubsub.run_in_thread(sleep_time=60, daemon=True)
        await _fails_over_soon(watched)

        async def has_heard() -> bool:
            with contextlib.suppress(*UNAVAILABLE):
                await asyncio.to_thread(teller.publish, "told", "x")
            await asyncio.sleep(0.1)
            return bool(heard)

        await eventually(has_heard)
        assert thread.is_alive()
        thread.stop()
        teller.publish("told", "the end")
        await asyncio.to_thread(thread.join)


async def test_what_rq_has_in_line_outlives_a_failover(watched: Watched) -> None:
    with connect_sync(watched.url) as client:
        queue = Queue("kept", connection=client)
        job = queue.enqueue("time.sleep", 0)
        with watched.client(watched.primary()) as primary:
            assert primary.wait(1, 0) == 1
        await _fails_over_soon(watched)
        wait_until(lambda: _ids(queue) == [job.id], what="the job in RQ's line")


def _ids(queue: Queue) -> list[str]:
    try:
        return list(queue.job_ids)
    except UNAVAILABLE:
        return []


async def test_a_sentinel_that_is_away_is_passed_over(watched: Watched) -> None:
    first, *others = watched.url.partition("@")[2].partition("/")[0].split(",")
    absent = watched.url.replace(first, "127.0.0.1:1")
    async with connect(absent) as client:
        assert await client.ping()
    with connect_sync(absent) as sync:
        assert sync.ping()
    assert others


@pytest.mark.parametrize(
    ("change", "said"),
    [((f"/{NAME}/", "/other/"), "knows no other"), (("watch-word", "wrong-word"), "[Pp]assword|WRONGPASS")],
)
async def test_what_the_sentinels_refuse_is_said(watched: Watched, change: tuple[str, str], said: str) -> None:
    url = watched.url.replace(*change)
    async with connect(url) as client:
        with pytest.raises(UNAVAILABLE, match=f"no sentinel names a primary.*{said}"):
            await client.ping()
    with connect_sync(url) as sync, pytest.raises(UNAVAILABLE, match=said):
        sync.ping()


def test_an_address_is_divided_into_a_server_without_a_place_and_its_sentinels() -> None:
    plain, group = divide("rediss+sentinel://u:p%40w@a:1,[::1]:2/lead/3?sentinel_password=s%26&ssl_cert_reqs=none")
    assert plain == "rediss://u:p%40w@sentinels:0/3?ssl_cert_reqs=none"
    assert group
    assert (group.places, group.service) == ([("a", 1), ("::1", 2)], "lead")
    assert divide("redis://h:1/0") == ("redis://h:1/0", None)
    assert PASSWORD not in plain


async def test_a_primary_that_dies_is_replaced_within_seconds(tmp_path: Path) -> None:
    """Unasked: the sentinels notice it, and the clients follow them."""
    with running_sentinels(tmp_path / "dying") as servers:
        async with connect(servers.url) as client:
            await client.set("kept", 1)
            with servers.client(servers.primary()) as primary:
                primary.wait(1, 0)
            servers.kill(servers.primary())

            async def answered() -> bool:
                try:
                    return await client.get("kept") == "1"
                except UNAVAILABLE:
                    return False

            await eventually(answered)
