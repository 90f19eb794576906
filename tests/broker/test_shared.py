"""Limits that several processes keep together, each with a connection of its own."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress

import pytest
from redis.asyncio import Redis

from bmn.broker import redis_keys
from bmn.broker.connection import connect
from bmn.broker.pipelined import Call, Pipelined
from bmn.broker.shared_rate import Allowance, Turns
from bmn.broker.tally import Tally
from tests.kit.processes import eventually, free_port

_USER = "ana"


@pytest.fixture
async def clients(redis_url: str) -> AsyncIterator[list[Redis]]:
    """One for each of two processes."""
    found = [connect(redis_url), connect(redis_url)]
    yield found
    for client in found:
        await client.aclose()


@pytest.fixture
async def tallies(clients: list[Redis]) -> AsyncIterator[list[Tally]]:
    found = [Tally(client, Pipelined(client)) for client in clients]
    loops = [asyncio.create_task(each.run()) for each in found]
    await _until_they_say_so(clients[0], 2)
    yield found
    for loop in loops:
        loop.cancel()
    await asyncio.gather(*loops, return_exceptions=True)


async def _until_they_say_so(client: Redis, processes: int) -> None:
    async def said() -> bool:
        return len(await client.keys(redis_keys.process("*"))) == processes

    await eventually(said)


async def _until_taken(tally: Tally, limit: int) -> None:
    async def taken() -> bool:
        return await tally.take("sockets", _USER, limit)

    await eventually(taken)


async def test_two_processes_count_together_and_many_at_once_do_not_all_pass(tallies: list[Tally]) -> None:
    taken = await asyncio.gather(*(tally.take("sockets", _USER, 5) for tally in tallies for _ in range(5)))
    assert sum(taken) == 5
    assert await tallies[0].take("sockets", "ben", 5)
    assert await tallies[0].take("streams", _USER, 5)
    tallies[0 if taken[0] else 1].give("sockets", _USER)
    await _until_taken(tallies[1], 5)


async def test_what_a_process_had_that_is_gone_is_forgotten(clients: list[Redis]) -> None:
    dead, living = (Tally(client, Pipelined(client)) for client in clients)
    loop = asyncio.create_task(dead.run())
    await _until_taken(dead, 1)
    await _until_they_say_so(clients[0], 1)
    assert not await living.take("sockets", _USER, 1)
    loop.cancel()
    with suppress(asyncio.CancelledError):
        await loop
    await _until_taken(living, 1)


async def test_a_user_gets_no_more_messages_from_two_processes_than_from_one(clients: list[Redis]) -> None:
    allowances = [Allowance(each, Pipelined(each), "messages", rate=0.001, burst=25, at_once=10) for each in clients]
    allowed = [await allowances[number % 2].take(_USER) for number in range(60)]
    assert sum(allowed) == 25
    assert await allowances[0].take("ben")


async def test_turns_at_a_vendor_are_shared(clients: list[Redis]) -> None:
    began = time.monotonic()
    assert all(await asyncio.gather(*(Turns(client).wait("resend", 20) for client in clients for _ in range(5))))
    assert time.monotonic() - began > 9 / 20 - 0.01  # ten turns, the first at once


async def test_without_redis_each_process_keeps_its_own() -> None:
    away = connect(f"redis://127.0.0.1:{free_port()}", reply_seconds=0.2)
    async with AsyncExitStack() as after:
        after.push_async_callback(away.aclose)
        tally = Tally(away, Pipelined(away))
        assert [await tally.take("sockets", _USER, 2) for _ in range(3)] == [True, True, False]
        assert await Allowance(away, Pipelined(away), "messages", rate=1, burst=1).take(_USER)
        assert not await Turns(away).wait("resend", 2)


async def test_a_thousand_calls_at_once_need_few_connections_and_each_gets_its_answer(redis_url: str) -> None:
    client = connect(redis_url, connections=2)
    pipelined, script = Pipelined(client), client.register_script("return ARGV[1]")
    wrong = client.register_script("return redis.call('INCR', KEYS[1], 'too', 'many')")
    calls = [Call(wrong if number == 500 else script, [f"k{number}"], [number]) for number in range(1000)]
    answers = await asyncio.gather(*map(pipelined.run, calls), return_exceptions=True)
    assert isinstance(answers.pop(500), Exception)
    assert answers == [str(number) for number in range(1000) if number != 500]
    await client.aclose()
