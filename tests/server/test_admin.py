"""What operators see and do, and that it happens once and is written down."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import select

from bmn.db import claims, job_store
from bmn.db.operators import alert_store
from bmn.db.operators.alert_store import Trouble
from bmn.db.tables import audit_log
from bmn.errors import Cause
from bmn.work.registry import ALL_QUEUES
from tests.kit.api import Api, fresh_key
from tests.kit.jobs import QUEUE, claim, fail
from tests.kit.people import ADMIN, ANA, BEN

API = "/api/v1/admin"


async def dead(api: Api, client: httpx.AsyncClient, brand: str, cause: Cause = Cause.PROVIDER_OVERLOADED) -> str:
    job_id = await api.logos(client, brand, count=1)
    await fail(api.core, await claim(api.core, job_id), cause)
    return job_id


async def audited(api: Api) -> list[tuple[str, str, str]]:
    query = select(audit_log.c.actor, audit_log.c.action, audit_log.c.subject).order_by(audit_log.c.id)
    return await api.core.db.read(lambda conn: [tuple(row) for row in conn.execute(query)])


async def queue(client: httpx.AsyncClient, name: str = QUEUE) -> dict[str, Any]:
    rows = (await client.get(f"{API}/queues")).json()["queues"]
    assert [row["name"] for row in rows] == list(ALL_QUEUES)
    return next(row for row in rows if row["name"] == name)


async def test_queues_are_counted(api: Api, ana: httpx.AsyncClient, admin: httpx.AsyncClient) -> None:
    brand = await api.brand(ana)
    await dead(api, ana, brand)
    active = await api.logos(ana, brand, count=1)
    await claim(api.core, active)
    for _ in range(2):
        await api.logos(ana, brand, count=1)
    row = await queue(admin)
    assert {name: row[name] for name in ("waiting", "active", "delayed", "completed", "failed", "workers")} == {
        "waiting": 2,
        "active": 1,
        "delayed": 0,
        "completed": 0,
        "failed": 1,
        "workers": 0,
    }
    assert row["oldestWaitSeconds"] >= 0 and row["paused"] is False
    assert (await queue(admin, "dead-letter"))["waiting"] == 1


async def test_the_schedule_of_the_cleanup_is_told_with_its_next_run(api: Api, admin: httpx.AsyncClient) -> None:
    cleanup = await queue(admin, "cleanup")
    away = (datetime.fromisoformat(cleanup["nextRunAt"]) - datetime.now(UTC)).total_seconds()
    assert -5 < away <= 3600
    assert (await queue(admin))["nextRunAt"] is None


async def test_a_paused_queue_hands_out_nothing_until_it_is_resumed(
    api: Api, ana: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    job_id = await api.logos(ana, await api.brand(ana))
    paused = (await admin.post(f"{API}/queues/{QUEUE}/pause", json={"reason": "new key"})).json()
    assert (paused["paused"], paused["reason"], paused["pausedBy"]) == (True, "new key", ADMIN)
    taken = await api.core.db.write(lambda conn: claims.claim(conn, QUEUE, 5, "tester", 30.0))
    assert taken == []
    assert (await admin.post(f"{API}/queues/{QUEUE}/resume")).json()["paused"] is False
    await claim(api.core, job_id)
    assert (await admin.post(f"{API}/queues/nothing/pause")).status_code == 404
    assert await audited(api) == [(ADMIN, "queue.pause", QUEUE), (ADMIN, "queue.resume", QUEUE)]


async def test_dead_letters_are_listed_filtered_and_paged(
    api: Api, ana: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    brand = await api.brand(ana)
    made = [await dead(api, ana, brand, cause) for cause in (Cause.TIMEOUT, Cause.BUG, Cause.TIMEOUT)]
    assert (await ana.get(f"/api/v1/jobs/{await dead(api, ana, brand, Cause.MODERATED)}")).json()["state"] == "failed"
    seen, cursor = [], None
    for _ in range(3):
        page = (await admin.get(f"{API}/dlq", params={"limit": 1, **({"cursor": cursor} if cursor else {})})).json()
        assert page["total"] == 3
        seen += [letter["jobId"] for letter in page["deadLetters"]]
        cursor = page["nextCursor"]
    assert (seen, cursor) == (made[::-1], None)
    bugs = (await admin.get(f"{API}/dlq", params={"cause": "bug"})).json()["deadLetters"]
    assert [(letter["jobId"], letter["userId"], letter["state"]) for letter in bugs] == [(made[1], ANA, "open")]


async def test_a_dead_letter_is_replayed_once_however_many_press_the_key(
    api: Api, ana: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    brand = await api.brand(ana)
    job_id = await dead(api, ana, brand)
    other = await dead(api, ana, brand, Cause.BUG)
    nothing = await admin.post(f"{API}/dlq/replay", json={})
    assert nothing.json()["count"] == 0
    trial = await admin.post(f"{API}/dlq/replay", json={"all": True, "dryRun": True})
    assert (trial.json()["count"], trial.json()["estimatedCredits"]) == (2, 2)
    answers = await asyncio.gather(*(admin.post(f"{API}/dlq/replay", json={"ids": [job_id]}) for _ in range(8)))
    started = [entry for answer in answers for entry in answer.json()["replays"] if entry["jobId"]]
    assert len(started) == 1 and started[0]["parentId"] == job_id
    assert sum(answer.json()["count"] for answer in answers) == 1
    assert (await ana.get(f"/api/v1/jobs/{started[0]['jobId']}")).json()["parentId"] == job_id
    assert (await admin.post(f"{API}/dlq/purge", json={"cause": "bug"})).json() == {"count": 1}
    assert (await admin.get(f"{API}/dlq")).json()["total"] == 0
    assert (ADMIN, "dlq.purge", other) in await audited(api)


async def test_credits_are_granted_to_who_is_known_and_written_down(
    api: Api, ana: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    unknown = await admin.post(f"{API}/credits", json={"amount": 5, "userId": ANA})
    assert unknown.status_code == 404
    await ana.get("/api/v1/credits")
    given = await admin.post(f"{API}/credits", json={"amount": 5, "userId": ANA, "reason": "sorry"})
    assert given.json() == {"userId": ANA, "creditsRemaining": 25}
    entry = (await ana.get("/api/v1/credits")).json()["ledger"][0]
    assert (entry["kind"], entry["amount"], entry["reason"]) == ("grant", 5, "sorry")
    for amount in (0, -5, 100_001, 1.5):
        assert (await admin.post(f"{API}/credits", json={"amount": amount})).status_code == 400
    assert await audited(api) == [(ADMIN, "credits.grant", ANA)]


async def test_workers_are_listed_with_what_they_hold(
    api: Api, ana: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    job_id = await api.logos(ana, await api.brand(ana))
    await claim(api.core, job_id)
    registration = {"birth": "2026-11-23T17:00:00.000000Z", "queues": QUEUE, "hostname": "host", "pid": "7"}
    await api.core.redis.hset("rq:worker:tester", mapping={**registration, "state": "busy"})
    await api.core.redis.sadd("rq:workers", "rq:worker:tester", "rq:worker:dead-and-gone")
    (worker,) = (await admin.get(f"{API}/workers")).json()["workers"]
    assert (worker["name"], worker["queue"], worker["pid"], worker["jobs"]) == ("tester", QUEUE, 7, [job_id])
    assert (await queue(admin))["workers"] == 1


async def test_alerts_are_listed_while_they_last_and_afterwards_on_request(api: Api, admin: httpx.AsyncClient) -> None:
    over, lasting = Trouble("cost-spike", "hour", "dear"), Trouble("queue-paused", QUEUE, "paused", "error")
    await api.core.db.write(lambda conn: alert_store.settle(conn, [over], quiet=60))
    await api.core.db.write(lambda conn: alert_store.settle(conn, [], quiet=-1))
    await api.core.db.write(lambda conn: alert_store.settle(conn, [lasting], quiet=60))

    async def listed(**query: str) -> list[tuple[str, bool]]:
        found = (await admin.get(f"{API}/alerts", params=query)).json()["alerts"]
        return [(alert["kind"], alert["resolvedAt"] is None) for alert in found]

    assert await listed() == [("queue-paused", True)]
    assert await listed(ended="true") == [("queue-paused", True), ("cost-spike", False)]
    assert await listed(kind="cost-spike") == []


async def test_other_systems_ask_for_mails_and_crm_events(
    api: Api, ana: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    service = api.as_user("77777777-7777-4777-8777-777777777777", "service")
    mail = {"email": {"to": "ana@example.org", "template": "welcome", "data": {"name": "Ana"}}}
    event = {"crm": {"userId": ANA, "eventType": "subscription.created"}}
    assert (await ana.post("/api/v1/events", json=mail)).status_code == 403
    for body, name in ((mail, "email-send"), (event, "crm-sync")):
        key = {"Idempotency-Key": fresh_key()}
        first, again = [await service.post("/api/v1/events", json=body, headers=key) for _ in range(2)]
        assert (first.status_code, first.json()["queueName"]) == (202, name)
        assert first.json() == again.json()
    await api.as_user(BEN, email="ben@example.org").get("/api/v1/credits")  # his account knows his address
    stray = {"email": {**mail["email"], "to": "mallory@example.org", "userId": BEN}}
    job_id = (await service.post("/api/v1/events", json=stray)).json()["jobId"]
    row = await api.core.db.read(lambda conn: job_store.get_job(conn, job_id))
    assert row.payload["to"] == "ben@example.org"
    for body in (
        {},
        {**mail, **event},
        {"email": {**mail["email"], "template": "ops-alert"}},
        {"email": {**mail["email"], "to": "a@b.c, d@e.f"}},
        {"email": {**mail["email"], "to": "a@b.c\r\nBcc: d@e.f"}},
        {"crm": {"userId": ANA, "eventType": "user.deleted"}},
    ):
        assert (await service.post("/api/v1/events", json=body)).status_code == 400, body
    assert (await admin.post("/api/v1/events", json=event)).status_code == 202


async def test_a_worker_without_a_sign_of_life_is_lost(api: Api, admin: httpx.AsyncClient) -> None:
    """Redis keeps the registration of a killed one for a minute and a half."""
    for name, age in (("killed", 60), ("well", 2)):
        seen = (datetime.now(UTC) - timedelta(seconds=age)).isoformat()
        row = {"birth": seen, "last_heartbeat": seen, "queues": QUEUE, "state": "busy"}
        await api.core.redis.hset(f"rq:worker:{name}", mapping=row)
        await api.core.redis.sadd("rq:workers", f"rq:worker:{name}")
    found = (await admin.get(f"{API}/workers")).json()["workers"]
    assert {worker["name"]: worker["state"] for worker in found} == {"killed": "lost", "well": "busy"}
    queues = (await admin.get(f"{API}/queues")).json()["queues"]
    assert [queue["workers"] for queue in queues if queue["name"] == QUEUE] == [1]
