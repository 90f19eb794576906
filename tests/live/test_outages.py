"""Redis cut, killed, emptied; clients that do not read: events with a row arrive, and the server does not grow."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import psutil
import pytest
import redis

from bmn.broker import redis_keys
from bmn.broker.embedded import EmbeddedRedis
from bmn.events.audience import system_alert
from bmn.events.stream import encode
from tests.kit.processes import PATIENCE
from tests.kit.raw import Raw
from tests.live.servers import Live, ServerProcess

pytestmark = pytest.mark.node


@pytest.fixture
async def own_redis(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedRedis]:
    """A Redis that this test may kill."""
    server = EmbeddedRedis(tmp_path_factory.mktemp("own-redis"))
    await asyncio.to_thread(server.start)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.stop)


@pytest.fixture
def redis_url(own_redis: EmbeddedRedis) -> str:
    return own_redis.url


async def repaired(live: Live) -> None:
    """What the sweeper does once Redis is back."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(redis.RedisError, OSError):
                await live.core.events.repair(0.0, age=-1.0)  # also what was stored in this very millisecond
                return
            await asyncio.sleep(0.05)


async def test_a_killed_redis_loses_no_event_that_has_a_row(live: Live, own_redis: EmbeddedRedis) -> None:
    server = await live.server()
    client = await live.client(server)
    job = await live.job()
    await client.ask("job:join", {"jobId": job})
    await live.publish_many(job, 4)
    await client.got(job, [1, 2, 3, 4, 5])
    assert own_redis.pid
    psutil.Process(own_redis.pid).kill()
    for _ in range(5):
        await live.publish(job, stored_only=True)
    assert (await client.ask("job:status", {"jobId": job}))["seq"] == 10
    await asyncio.to_thread(own_redis.stop)
    await asyncio.to_thread(own_redis.start)
    await repaired(live)
    await client.got(job, list(range(1, 11)))
    await live.publish(job)
    await client.got(job, list(range(1, 12)))
    assert len(client.of("connect")) == 1


async def test_an_emptied_redis_repeats_nothing(live: Live) -> None:
    one, two = await live.server(), await live.server()
    client = await live.client(one)
    job = await live.job()
    await client.ask("job:join", {"jobId": job})
    await live.publish_many(job, 4)
    await client.got(job, [1, 2, 3, 4, 5])
    await live.core.redis.flushall()
    await repaired(live)
    await live.publish(job)
    await client.got(job, [1, 2, 3, 4, 5, 6])
    client.away()
    await client.disconnected()
    await live.publish(job)
    client.open(two.url)
    await client.connected(2)
    await client.ask("job:join", {"jobId": job})
    assert client.seqs(job)[-1] == 7


async def test_a_position_from_before_redis_was_emptied_is_not_resumed_from(live: Live) -> None:
    one, two = await live.server(), await live.server()
    client = await live.client(one)
    job = await live.job()
    await client.ask("job:join", {"jobId": job})
    client.away()
    await client.disconnected()
    kept = await live.core.redis.keys("socket:*")
    assert len(kept) == 1
    stored: dict[Any, Any] = await live.core.redis.hgetall(kept[0])
    await live.core.redis.flushall()
    await live.core.redis.hset(kept[0], mapping=stored)
    await live.publish(job)
    client.open(two.url)
    assert (await client.connected(2))["recovered"] is False


async def test_a_server_that_starts_without_redis_serves_and_catches_up(live: Live, own_redis: EmbeddedRedis) -> None:
    job = await live.job()
    await asyncio.to_thread(own_redis.stop)
    server = await live.server()
    client = await live.client(server)
    assert (await client.ask("job:join", {"jobId": job}))["seq"] == 1
    await asyncio.to_thread(own_redis.start)
    await live.publish(job, stored_only=True)
    await repaired(live)
    await client.got(job, [1, 2])


async def deaf_client(live: Live, server: ServerProcess, job: str) -> Raw:
    """It has joined the job, and takes nothing of what is sent to it any more."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect(("127.0.0.1", server.port))
    deaf = await Raw.open(server, sock=narrow, max_queue=1)
    await deaf.join("/wizard", live.token())
    await deaf.ask(f'42/wizard,7["job:join",{{"jobId":"{job}"}}]')
    deaf.connection.transport.pause_reading()
    return deaf


async def test_clients_that_never_read_are_cut_and_cost_next_to_nothing(live: Live) -> None:
    server = await live.process(backlog=200)
    reading = await live.client(server)
    job = await live.job()
    await reading.ask("job:join", {"jobId": job})
    deaf = [await deaf_client(live, server, job) for _ in range(5)]
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    for _ in range(1500):
        await live.publish(job, "agent:message", content="x" * 8000)
    await reading.driver.until(lambda _: len(reading.seqs(job)) == 1501)
    # 12 MB were told, which are kept twice for those who come back; five unbounded lines would be another 60.
    assert process.memory_info().rss - before < 50_000_000
    for client in deaf:
        client.connection.transport.resume_reading()
        assert await asyncio.wait_for(client.closed(), PATIENCE)


async def test_a_stream_that_overtook_its_reader_makes_clients_begin_anew(live: Live) -> None:
    server = await live.server()
    client = await live.client(server)
    job = await live.job()
    await client.ask("job:join", {"jobId": job})
    await live.core.redis.xtrim(redis_keys.STREAM, maxlen=0)
    async with live.core.redis.pipeline(transaction=True) as pipe:
        for _ in range(2000):
            pipe.xadd(redis_keys.STREAM, {"e": encode(system_alert("test", "noise", "info"))})
        pipe.xtrim(redis_keys.STREAM, maxlen=1000, approximate=False)
        await pipe.execute()
    assert (await client.connected(2))["recovered"] is False
    await live.publish(job, stored_only=True)
    assert (await client.ask("job:join", {"jobId": job}))["seq"] == 2
