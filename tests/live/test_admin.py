"""/admin and /dashboard: what operators and owners are told."""

import pytest

from bmn.broker import redis_keys
from bmn.db import job_store
from bmn.db.accounts import credit_store
from bmn.events.audience import asset_new, brand_updated, credits_updated, system_alert, system_error
from bmn.schemas.generators.logos import LogoGeneration
from bmn.server.sockets.admin_namespace import StatsSender
from bmn.work.registry import QUEUES
from tests.kit.people import ANA, BEN
from tests.kit.rows import saved_logo
from tests.live.servers import Live

pytestmark = pytest.mark.node


async def test_ac_32_figures_come_by_themselves_again_and_again(live: Live) -> None:
    servers = [await live.server(stats_seconds=0.3) for _ in range(2)]
    clients = [await live.client(server, "/admin", token=live.token(role="admin")) for server in servers]
    for client in clients:
        await client.heard("system:queue-stats", 4)
    first = clients[0].data("system:queue-stats")
    assert set(first[0]["stats"]) == set(QUEUES)
    assert first[0]["stats"]["logo-generation"] == {"waiting": 0, "active": 0, "failed": 0}


async def test_of_two_processes_with_admins_one_sends_the_figures(live: Live) -> None:
    server = await live.server()
    await live.client(server, "/admin", token=live.token(role="admin"))
    one, other = (StatsSender(live.core, server.app.sockets.sessions, every=60) for _ in range(2))
    assert [await sender.send() for sender in (one, other, one, other)] == [True, False, True, False]


async def test_without_admins_nobody_sends_figures(live: Live) -> None:
    server = await live.server()
    sender = StatsSender(live.core, server.app.sockets.sessions, every=60)
    await live.client(server)
    assert not await sender.send()
    assert not await live.core.redis.exists(redis_keys.lock("queue-stats"))


async def test_an_admin_asks_for_figures(live: Live) -> None:
    server = await live.server()
    client = await live.client(server, "/admin", token=live.token(role="admin"))
    await live.job()
    stats = (await client.ask("queues:stats", {}))["stats"]
    assert stats["logo-generation"] == {"waiting": 1, "active": 0, "completed": 0, "failed": 0, "delayed": 0}
    assert set(stats) == set(QUEUES)
    assert (await client.ask("queues:stats"))["stats"] == stats


async def test_a_job_that_has_not_failed_is_not_retried(live: Live) -> None:
    server = await live.server()
    client = await live.client(server, "/admin", token=live.token(role="admin"))
    assert "error" in await client.ask("job:retry", {"jobId": await live.job()})
    assert await client.ask("job:retry", {"jobId": "logo-none"}) == {"error": "Job not found"}


async def test_ac_33_an_admin_retries_a_failed_job(live: Live) -> None:
    server = await live.server()
    client = await live.client(server, "/admin", token=live.token(role="admin"))
    brand = await live.brand()
    payload = LogoGeneration(
        user_id=ANA, brand_id=brand, brand_name="Acme", logo_style="bold", color_palette=["#112233"], brand_vision="x"
    )
    job = await live.job(brand_id=brand, payload=payload.dump())
    await live.core.db.write(lambda conn: credit_store.ensure_user(conn, ANA, None, 20))
    await live.end(job, "failed", cause="bug", error="broken", completed_at=1.0)
    answer = await client.ask("job:retry", {"jobId": job, "queueName": "logo-generation"})
    assert answer["ok"] is True
    replay = await live.core.db.read(lambda conn: job_store.get_job(conn, answer["jobId"]))
    assert (replay.parent_id, replay.state) == (job, "queued")


async def test_errors_and_alerts_reach_admins_only(live: Live) -> None:
    server = await live.server()
    admin = await live.client(server, "/admin", token=live.token(role="admin"))
    user = await live.client(server)
    told = [
        system_error(queue="logo-generation", job_id="j", error="away", cause="bug", attempts=3, user_id=ANA),
        system_alert("cost-spike", "AI spend > $10 in last hour", "warn", {"amount": 12.5}),
    ]
    await live.core.stream.publish(told)
    await admin.driver.until(lambda _: admin.events("system:alert"))
    assert [said["args"][0] for said in admin.events()] == [event.data for event in told]
    await user.ask("job:status", {"jobId": "x"})
    assert user.events() == []


async def test_the_dashboard_hears_of_its_own_user_and_watched_brands(live: Live) -> None:
    server = await live.server()
    ana = await live.client(server, "/dashboard")
    ben = await live.client(server, "/dashboard", token=live.token(BEN))
    brand = await live.brand()
    await ana.ask("brand:watch", {"brandId": brand})
    asset = saved_logo(brand, "https://cdn.example/a.png", {"n": 1})
    told = [credits_updated(ANA, 16, 4), brand_updated(ANA, brand, "status", None), asset_new(ANA, asset)]
    await live.core.stream.publish(told)
    await live.core.stream.publish([credits_updated(BEN, 1, 2)])
    await ben.driver.until(lambda _: ben.events())
    await ana.driver.until(lambda _: ana.events("asset:new"))
    assert ana.data() == [event.data for event in told]
    assert ben.data() == [
        {"userId": BEN, "creditsRemaining": 1, "creditsUsed": 2, "timestamp": ben.data()[0]["timestamp"]}
    ]


async def test_files_are_told_with_addresses_that_work(live: Live) -> None:
    server = await live.server()
    client = await live.client(server, "/dashboard")
    brand_id = await live.brand(ANA)
    url = live.core.storage.url_for(f"brands/{brand_id}/logo/1.png")
    await live.core.stream.publish([asset_new(ANA, saved_logo(brand_id, url))])
    await client.driver.until(lambda _: client.events("asset:new"))
    assert client.data()[0]["asset"]["url"].startswith(f"{url}?until=")


async def test_ac_7_an_event_reaches_the_clients_of_every_process(live: Live) -> None:
    servers = [await live.process() for _ in range(2)]
    clients = [await live.client(server) for server in servers]
    job = await live.job()
    for client in clients:
        await client.ask("job:join", {"jobId": job})
    await live.publish(job)
    for client in clients:
        await client.got(job, [1, 2])
