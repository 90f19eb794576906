from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from bmn.broker.connection import connect
from bmn.broker.limiter import Limit, count
from tests.processes import eventually

ANA, BEN = "ana", "ben"


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    async with connect(redis_url) as connected:
        yield connected


async def test_each_user_has_a_count_of_their_own(client: Redis) -> None:
    limit = Limit("requests", 3, 3600)
    assert [await count(client, ANA, [limit]) is None for _ in range(5)] == [True] * 3 + [False] * 2
    assert await count(client, BEN, [limit]) is None


async def test_the_limit_that_is_reached_is_named_and_the_other_one_goes_on_counting(client: Redis) -> None:
    wide, narrow = Limit("requests", 3, 3600), Limit("generations", 1, 3600)
    refusals = [await count(client, ANA, [wide, narrow]) for _ in range(4)]
    assert [refusal and refusal.limit.name for refusal in refusals] == [
        None,
        "generations",
        "generations",
        "requests",
    ]


async def test_the_wait_is_as_long_as_it_takes_until_one_more_fits(client: Redis) -> None:
    limit = Limit("requests", 2, 1)
    while (refusal := await count(client, ANA, [limit])) is None:
        pass
    assert 0 < refusal.wait <= 2

    async def fits() -> bool:
        return await count(client, ANA, [limit]) is None

    await eventually(fits, seconds=refusal.wait + 1)


async def test_what_is_counted_is_forgotten_by_redis_itself(client: Redis) -> None:
    await count(client, ANA, [Limit("requests", 3, 60)])
    (key,) = await client.keys("*")
    assert (key, 60 < await client.ttl(key) <= 120) == ("rate:user:ana:requests", True)
