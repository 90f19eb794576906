"""Connections that break: what was missed comes once and in order, from any process; or the client knows it has to ask."""

import asyncio
from functools import partial

import pytest

from bmn.broker import redis_keys
from bmn.events.audience import brand_updated
from tests.kit.driver import Client
from tests.kit.people import ANA, BEN
from tests.kit.processes import eventually
from tests.live.servers import Live

AHEAD = 60  # fewer than the line of a slow client keeps before it leaves out progress

pytestmark = pytest.mark.node


async def following(live: Live, client: Client) -> str:
    job = await live.job(brand_id=await live.brand())
    await client.ask("job:join", {"jobId": job})
    return job


async def gone(client: Client) -> None:
    client.away()
    await client.disconnected()


async def test_ac_26_missed_events_come_after_a_break_to_another_process(live: Live) -> None:
    one, two = await live.process(), await live.process()
    client = await live.client(one)
    first = await client.connected()
    job = await following(live, client)
    await live.publish(job)
    await client.got(job, [1, 2])
    await gone(client)
    for _ in range(20):
        await live.publish(job)
    client.open(two.url)
    assert await client.connected(2) == {**first, "recovered": True}
    await live.publish(job)
    await client.got(job, list(range(1, 24)))


async def test_every_progress_of_a_long_break_comes_and_so_does_a_long_history(live: Live) -> None:
    one, two = await live.server(), await live.server()
    client = await live.client(one)
    job = await following(live, client)
    await gone(client)
    await live.publish_many(job, 300)
    client.open(two.url)
    assert (await client.connected(2))["recovered"]
    await client.got(job, list(range(1, 302)))
    late = await live.client(one)
    assert (await late.ask("job:join", {"jobId": job}))["seq"] == 301
    await live.publish(job)
    await late.got(job, list(range(1, 303)))


async def test_a_history_too_long_for_the_line_leaves_out_old_progress_only(live: Live) -> None:
    client = await live.client(await live.server())
    job = await live.job()
    await live.publish_many(job, 700)
    await live.publish(job, "agent:message")
    await live.publish_many(job, 800)
    assert (await client.ask("job:join", {"jobId": job}))["seq"] == 1502
    await live.publish(job)
    await client.driver.until(lambda _: 1503 in client.seqs(job))
    seqs = client.seqs(job)
    assert seqs == sorted(set(seqs)) and {1502, 702} <= set(seqs)
    assert client.of("disconnect") == []


async def test_ac_24_rooms_are_still_joined_after_a_break(live: Live) -> None:
    one, two = await live.server(), await live.server()
    client = await live.client(one)
    brand = await live.brand()
    await client.ask("brand:join", {"brandId": brand})
    await gone(client)
    client.open(two.url)
    assert (await client.connected(2))["recovered"]
    job = await live.job(brand_id=brand)
    await client.got(job, [1])
    await client.ask("brand:leave", {"brandId": brand})
    await gone(client)
    client.open(one.url)
    await client.connected(3)
    await live.publish(job)
    await client.ask("job:status", {"jobId": job})
    assert client.seqs(job) == [1]


async def test_missed_events_come_after_the_server_was_killed(live: Live) -> None:
    one, two = await live.process(save_seconds=0.2), await live.process()
    client = await live.client(one, reconnection=False)
    job = await following(live, client)
    await live.publish(job)
    await client.got(job, [1, 2])
    one.kill()
    await client.disconnected()
    await live.publish_many(job, 20)
    client.open(two.url)
    assert (await client.connected(2))["recovered"]
    await live.publish(job)
    await client.got(job, list(range(1, 24)))


async def test_ac_23_a_client_comes_back_by_itself_when_its_server_is_restarted(live: Live) -> None:
    server = await live.process()
    client = await live.client(server)
    job = await following(live, client)
    assert await asyncio.to_thread(server.stop) == 0
    await live.publish(job)
    await client.disconnected()
    await live.process(port=server.port)
    assert (await client.connected(2))["recovered"]
    await client.got(job, [1, 2])


async def test_a_client_that_got_no_event_before_the_break_misses_nothing(live: Live) -> None:
    one, two = await live.server(), await live.server()
    client = await live.client(one)
    brand = await live.brand()
    await client.ask("brand:join", {"brandId": brand})
    await gone(client)
    job = await live.job(brand_id=brand)
    await live.publish(job)
    client.open(two.url)
    assert (await client.connected(2))["recovered"]
    await client.got(job, [1, 2])


async def test_what_was_told_at_a_join_is_not_told_again_after_a_break(live: Live) -> None:
    one, two = await live.server(), await live.server()
    client = await live.client(one)
    job = await live.job()
    await live.publish_many(job, 5)
    await client.ask("job:join", {"jobId": job})
    await live.publish(job)
    await client.got(job, [1, 2, 3, 4, 5, 6, 7])
    for round_, server in enumerate((two, one, two), 2):
        await gone(client)
        client.open(server.url)
        assert (await client.connected(round_))["recovered"]
    await live.publish(job)
    await client.got(job, [1, 2, 3, 4, 5, 6, 7, 8])


async def test_events_that_the_stream_brings_after_the_join_told_them_are_not_repeated(live: Live) -> None:
    one, two = await live.server(), await live.server()
    client = await live.client(one)
    job = await live.job()
    for _ in range(3):
        await live.publish(job, stored_only=True)
    assert (await client.ask("job:join", {"jobId": job}))["seq"] == 4
    await live.core.events.republish({job})
    await live.publish(job)
    await client.got(job, [1, 2, 3, 4, 5])
    await gone(client)
    client.open(two.url)
    assert (await client.connected(2))["recovered"]
    await live.publish(job)
    await client.got(job, [1, 2, 3, 4, 5, 6])


async def test_a_token_may_be_renewed_between_break_and_return(live: Live) -> None:
    server = await live.server()
    client = await live.client(server)
    job = await following(live, client)
    await gone(client)
    await live.publish(job)
    client.open(token="expired")
    await client.refused()
    client.open(token=live.token())
    assert (await client.connected(2))["recovered"]
    await client.got(job, [1, 2])


async def test_a_break_that_the_server_has_not_noticed_is_recovered_from(live: Live) -> None:
    server = await live.server()
    client = await live.client(server)
    job = await following(live, client)
    known = await client.offset()
    again = await live.client(
        server, auth={"token": live.token(), "pid": known["pid"], "offset": known["offset"]}, reconnection=False
    )
    assert (await again.connected())["id"] == (await client.connected())["id"]
    await client.disconnected()
    await live.publish(job)
    await again.got(job, [2])


async def test_a_session_belongs_to_one_user_and_one_namespace(live: Live) -> None:
    server = await live.server()
    client = await live.client(server)
    job = await following(live, client)
    known = await client.offset()
    await gone(client)
    await live.publish(job)
    stolen = {"pid": known["pid"], "offset": known["offset"]}
    thief = await live.client(server, auth={"token": live.token(BEN), **stolen})
    elsewhere = await live.client(server, "/dashboard", auth={"token": live.token(), **stolen})
    for other in (thief, elsewhere):
        assert (await other.connected())["id"] != (await client.connected())["id"]
        await live.publish(job)
        assert (await other.offset())["pid"] != known["pid"]
        assert other.seqs(job) == []
    client.open()
    assert (await client.connected(2))["recovered"]
    await client.got(job, [1, 2, 3, 4])


@pytest.mark.parametrize(
    "shown",
    [
        {"pid": "A" * 32},
        {"pid": "../../etc/passwd"},
        {"pid": 7},
        {"pid": ["x"]},
        {"pid": None, "offset": "1-1"},
        {"offset": "0-0"},
    ],
)
async def test_an_unknown_session_is_a_clean_new_one(live: Live, shown: dict[str, object]) -> None:
    server = await live.server()
    client = await live.client(server, auth={"token": live.token(), **shown})
    assert (await client.connected())["recovered"] is False
    assert len((await client.offset())["pid"]) == 32


@pytest.mark.parametrize("offset", ["x", "99999999999999-0", "1-1.1-1", -1, {"a": 1}, "9" * 400])
async def test_an_offset_that_was_made_up_is_a_clean_new_session(live: Live, offset: object) -> None:
    server = await live.server()
    client = await live.client(server)
    await following(live, client)
    known = await client.offset()
    await gone(client)
    other = await live.client(server, auth={"token": live.token(), "pid": known["pid"], "offset": offset})
    assert (await other.connected())["id"] != (await client.connected())["id"]


async def test_after_the_window_the_client_begins_anew_and_asks(live: Live) -> None:
    short = {"bmn_recovery_seconds": 0.4}
    one, two = await live.server(settings=short), await live.server(settings=short)
    client = await live.client(one)
    job = await following(live, client)
    known = await client.offset()
    await gone(client)
    await live.publish_many(job, 3)

    async def forgotten() -> bool:
        return not await live.core.redis.exists(redis_keys.socket(known["pid"]))

    await eventually(forgotten)
    client.open(two.url)
    assert (await client.connected(2))["recovered"] is False
    status = await client.ask("job:status", {"jobId": job})
    assert (status["seq"], client.seqs(job)) == (4, [1])
    await client.ask("job:join", {"jobId": job})
    await client.got(job, [1, 1, 2, 3, 4])


async def test_who_says_goodbye_is_not_remembered(live: Live) -> None:
    server = await live.server()
    client = await live.client(server)
    await following(live, client)
    client.driver.command("disconnect", client.name)
    await client.disconnected()
    client.open()
    assert (await client.connected(2))["recovered"] is False


async def test_a_brand_that_was_given_away_meanwhile_is_no_longer_heard(live: Live) -> None:
    one, two = await live.server(), await live.server()
    client = await live.client(one)
    brand = await live.brand()
    await client.ask("brand:join", {"brandId": brand})
    await gone(client)
    job = await live.job(BEN, brand_id=brand)
    await live.give_away(brand, BEN)
    client.open(two.url)
    assert (await client.connected(2))["recovered"]
    await live.publish(job)
    assert await client.ask("job:status", {"jobId": job}) == {"error": "Job not found"}
    assert client.seqs(job) == []


async def test_figures_that_age_are_not_told_late(live: Live) -> None:
    one, two = await live.server(stats_seconds=0.2), await live.server()
    client = await live.client(one, "/admin", token=live.token(role="admin"))
    await client.driver.until(lambda _: client.events("system:queue-stats"))
    assert (await client.offset())["offset"] is None
    await gone(client)
    told = len(client.events("system:queue-stats"))
    client.open(two.url)
    assert (await client.connected(2))["recovered"]
    await client.ask("queues:stats", {})
    assert len(client.events("system:queue-stats")) == told


async def test_dashboard_events_are_recovered_as_well(live: Live) -> None:
    one, two = await live.server(), await live.server()
    client = await live.client(one, "/dashboard")
    brand = await live.brand()
    await live.core.stream.publish([brand_updated(ANA, brand, "status", 1)])
    await client.driver.until(lambda _: client.events("brand:updated"))
    await gone(client)
    await live.core.stream.publish([brand_updated(ANA, brand, "status", n) for n in range(2, 6)])
    client.open(two.url)
    assert (await client.connected(2))["recovered"]
    await client.driver.until(lambda _: len(client.events("brand:updated")) >= 5)
    assert [data["value"] for data in client.data("brand:updated")] == [1, 2, 3, 4, 5]


async def test_cuts_at_any_moment_lose_and_repeat_nothing(live: Live) -> None:
    servers = [await live.process(save_seconds=0.2) for _ in range(2)]
    client = await live.client(servers[0])
    brand = await live.brand()
    await client.ask("brand:join", {"brandId": brand})
    job = await live.job(brand_id=brand)

    async def talk() -> None:
        """Never so far ahead that a client which is merely slow would be told the latest progress only."""
        for seq in range(2, 302):
            await client.driver.until(lambda _, s=seq: not client.seqs(job) or client.seqs(job)[-1] > s - AHEAD)
            await live.publish(job)

    talking = asyncio.create_task(talk())
    for round_ in range(2, 12):
        done = len(client.seqs(job))
        await client.driver.until(partial(has_more, client, job, done, talking))
        if round_ % 2:
            client.cut()
        else:
            await gone_again(client, round_)
            client.open(servers[round_ // 2 % 2].url)
        assert (await client.connected(round_))["recovered"]
    await talking
    await client.got(job, list(range(1, 302)))


def has_more(client: Client, job: str, than: int, talking: asyncio.Task[None], _said: object) -> bool:
    return len(client.seqs(job)) > than or talking.done()


async def gone_again(client: Client, times: int) -> None:
    client.away()
    await client.disconnected(times - 1)
