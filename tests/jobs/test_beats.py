"""The signs of life of the workers in one process go to Redis together, and each is as it would be alone."""

import asyncio
from collections.abc import Iterator

import pytest
import redis

from bmn.broker.connection import connect, connect_sync
from bmn.broker.redis_keys import WORKER_SECONDS
from bmn.jobs.registered import SILENCE, read_all
from bmn.jobs.rq.registration import RqRegistration, beat

_QUEUES = ("logo-generation", "crm-sync", "email-send")


@pytest.fixture
def workers(redis_url: str) -> Iterator[list[RqRegistration]]:
    found = [
        RqRegistration(queue, f"{queue}.here.1.a", connect_sync(redis_url), lambda command: None) for queue in _QUEUES
    ]
    for worker in found:
        worker.begin()
    yield found
    for worker in found:
        worker.end()


@pytest.fixture
def client(redis_url: str) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


def test_each_says_that_it_lives_and_whether_it_is_busy(workers: list[RqRegistration], client: "redis.Redis") -> None:
    for worker in workers:
        client.hset(worker.key, "last_heartbeat", "2020-01-01T00:00:00.000000Z")
    beat({worker: worker.queue_names() == ["crm-sync"] for worker in workers})
    assert [client.hget(worker.key, "state") for worker in workers] == ["idle", "busy", "idle"]
    for worker in workers:
        assert str(client.hget(worker.key, "last_heartbeat")) > "2026"
        assert int(str(client.ttl(worker.key))) > 60


def test_an_emptied_redis_knows_all_of_them_again(workers: list[RqRegistration], client: "redis.Redis") -> None:
    client.delete("rq:workers", *(worker.key for worker in workers[1:]))
    beat(dict.fromkeys(workers, False))
    assert client.smembers("rq:workers") == {worker.key for worker in workers[1:]}
    assert all(client.hget(worker.key, "birth") for worker in workers)


def _states(redis_url: str) -> dict[str, str | None]:
    async def read() -> dict[str, str | None]:
        async with connect(redis_url) as client:
            return {worker.queues[0]: worker.state for worker in await read_all(client)}

    return asyncio.run(read())


def test_a_worker_whose_host_has_another_time_lives_as_long_as_it_says_so(
    workers: list[RqRegistration], client: "redis.Redis", redis_url: str
) -> None:
    beat(dict.fromkeys(workers, False))
    for worker, clock in zip(
        workers, ("2020-01-01T00:00:00Z", "2090-01-01T00:00:00Z", "2020-01-01T00:00:00Z"), strict=True
    ):
        client.hset(worker.key, "last_heartbeat", clock)
    assert _states(redis_url) == dict.fromkeys(_QUEUES, "idle")
    for worker in workers[1:]:
        client.expire(worker.key, int(WORKER_SECONDS - SILENCE - 2))  # so long ago it was heard of
    assert _states(redis_url) == {"logo-generation": "idle", "crm-sync": "lost", "email-send": "lost"}
    beat({workers[1]: True})
    assert _states(redis_url) == {"logo-generation": "idle", "crm-sync": "busy", "email-send": "lost"}
