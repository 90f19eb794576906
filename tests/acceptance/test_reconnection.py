"""AC-23 to AC-26: connections break, and nothing is missed."""

import asyncio
import time
from collections.abc import Callable

import pytest
import redis

from tests.acceptance.world import FrontEnd, Person, ended, of_job, redis_address
from tests.kit.driver import WEB, Client, Driver
from tests.kit.processes import wait_until
from tests.kit.stack import Stack

pytestmark = pytest.mark.node


async def lose(client: Client) -> None:
    """The network goes away, without a word of Socket.IO."""
    client.away()
    await client.disconnected()


async def finished(person: Person, job_id: str) -> None:
    await asyncio.to_thread(wait_until, lambda: person.job(job_id)["state"] == "completed")


@pytest.mark.timed
async def test_ac_23_a_client_comes_back_by_itself(private: Callable[..., Stack], front_end: FrontEnd) -> None:
    """The client reconnects automatically when the server was killed and started again"""
    running = private("--no-workers")
    port = running.api_url.rpartition(":")[2]
    client = await front_end.join(Person(running))  # with the client's own delays: 1 s, growing to 5 s
    running.process.kill()
    await client.disconnected()
    await asyncio.to_thread(private, "--no-workers", "--port", port)
    began = time.monotonic()
    await front_end.until(lambda: len(client.of("connect")) == 2)
    assert time.monotonic() - began < 10


async def test_ac_24_rooms_are_joined_again(
    stack: Stack, second: Stack, person: Person, front_end: FrontEnd, private: Callable[..., Stack], page: None
) -> None:
    """The client recovers its rooms after a reconnect

    The server restores them, at whichever process the client arrives, and `brand:join` need not be sent again. Where the
    server has forgotten the client, `useReconnectionRecovery` sends it.
    """
    await the_server_restores_the_room(stack, second, person, front_end)
    await the_page_joins_again(private)


async def the_server_restores_the_room(stack: Stack, second: Stack, person: Person, front_end: FrontEnd) -> None:
    brand = person.brand()
    client = await front_end.join(person)
    assert await client.ask("brand:join", {"brandId": brand.id}) == {"ok": True}
    await lose(client)
    client.open(second.api_url)
    assert (await client.connected(2))["recovered"] is True
    job_id = person.order_logos(brand, 1)
    await front_end.until(lambda: ended(client, job_id))
    assert client.seqs(job_id) == list(range(1, len(client.seqs(job_id)) + 1))


async def the_page_joins_again(private: Callable[..., Stack]) -> None:
    """The server is killed, and its Redis has lost its memory when it comes back."""
    running = private("--queues", "logo-generation")
    person = Person(running)
    brand = person.brand()
    join = {"type": "sent", "event": "brand:join", "args": [{"brandId": brand.id}]}
    page = Driver(WEB / "test" / "room-page.js", running.api_url, person.token, brand.id)
    await page.start()
    try:
        await page.until(lambda said: {"type": "joined", "answer": {"ok": True}} in said)
        assert page.said.count(join) == 1
        with redis.Redis.from_url(redis_address(running)) as client:
            client.flushall()
        running.process.kill()
        await page.until(lambda said: any(line["type"] == "disconnect" for line in said))
        port = running.api_url.rpartition(":")[2]
        again = await asyncio.to_thread(private, "--queues", "logo-generation", "--port", port)
        await page.until(lambda said: {"type": "connect", "recovered": False} in said[1:] and said.count(join) == 2)
        job_id = person.at(again).order_logos(brand, 1)
        await page.until(
            lambda said: any(
                line.get("event") == "job:complete" and line["args"][0]["jobId"] == job_id for line in said
            )
        )
    finally:
        await page.stop()


async def test_ac_25_the_state_of_a_job_is_asked_for_after_a_break(
    stack: Stack, person: Person, front_end: FrontEnd
) -> None:
    """The client recovers a job's state after a reconnect"""
    brand = person.brand()
    client = await front_end.join(person)
    job_id = person.order_logos(brand, 2)
    await lose(client)
    await finished(person, job_id)
    client.open()
    await client.connected(2)
    status = await client.ask("job:status", {"jobId": job_id, "queueName": "logo-generation"})
    assert (status["state"], status["progress"], status["failedReason"]) == ("completed", 100, None)
    assert len(status["data"]["logos"]) == 2


async def test_ac_26_missed_events_are_delivered(
    stack: Stack, second: Stack, person: Person, front_end: FrontEnd
) -> None:
    """Connection state recovery restores missed events, at another process too"""
    brand = person.brand()
    client = await front_end.join(person)
    job_id = person.order_logos(brand)
    await client.ask("job:join", {"jobId": job_id})
    await lose(client)
    had = len(client.seqs(job_id))
    await finished(person, job_id)
    assert len(client.seqs(job_id)) == had
    client.open(second.api_url)
    assert (await client.connected(2))["recovered"] is True
    await front_end.until(lambda: ended(client, job_id))
    last = person.job(job_id)["lastSeq"]
    assert client.seqs(job_id) == list(range(1, last + 1))
    assert of_job(client, job_id)[-1]["result"]["logos"]
