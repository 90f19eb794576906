"""Bulk actions over the API: one's own for everybody, everybody's for operators; joined, paused, ended, looked at."""

import asyncio
from typing import Any

import httpx
from sqlalchemy import update

from bmn.db.tables import jobs
from bmn.errors import Cause
from bmn.jobs import bulk_duty
from tests.kit.api import Api, Starter
from tests.kit.jobs import claim, fail
from tests.kit.people import ADMIN, ANA, BEN

OWN, ALL = "/api/v1/bulk", "/api/v1/admin/bulk"


async def dead(api: Api, client: httpx.AsyncClient, brand: str, cause: Cause = Cause.TIMEOUT) -> str:
    job_id = await api.logos(client, brand, count=2)
    await fail(api.core, await claim(api.core, job_id), cause)
    return job_id


async def ended(api: Api, client: httpx.AsyncClient, begun: httpx.Response, base: str = OWN) -> dict[str, Any]:
    assert begun.status_code == 202, begun.text
    await bulk_duty.work(api.core)
    found: dict[str, Any] = (await client.get(f"{base}/{begun.json()['id']}")).json()
    assert found["state"] == "done"
    return found


async def test_a_user_retries_their_own_and_sees_an_estimate_first(
    api: Api, ana: httpx.AsyncClient, ben: httpx.AsyncClient
) -> None:
    mine = [await dead(api, ana, await api.brand(ana)) for _ in range(2)]
    others = await dead(api, ben, await api.brand(ben))
    body = {"action": "retry", "state": ["failed"]}
    expected = (await ana.post(f"{OWN}-estimate", json=body)).json()
    assert (expected["jobs"], expected["credits"]) == (2, 4) and expected["usd"] > 0
    found = await ended(api, ana, await ana.post(OWN, json=body))
    assert (found["done"], found["refused"], found["left"], found["credits"], found["userId"]) == (2, 0, 0, 4, ANA)
    items = (await ana.get(f"{OWN}/{found['id']}/items")).json()
    assert ([item["jobId"] for item in items["items"]], items["nextAfter"]) == (mine, None)
    assert all(item["state"] == "done" and item["newJobId"] for item in items["items"])
    assert (await ben.get(f"/api/v1/jobs/{others}")).json()["replays"] == []
    for path in (f"{OWN}/{found['id']}", f"{OWN}/{found['id']}/items"):
        assert (await ben.get(path)).status_code == 404
    assert (await ben.post(f"{OWN}/{found['id']}/abort")).status_code == 404
    nothing = await ana.post(OWN, json=body)
    assert (nothing.status_code, nothing.json()["error"]) == (
        404,
        "No job fits, or all that do are brought back already.",
    )


async def test_what_its_state_forbids_is_in_no_estimate_and_refused_where_it_is_named(
    api: Api, ana: httpx.AsyncClient
) -> None:
    brand = await api.brand(ana)
    failed, waiting = await dead(api, ana, brand), await api.logos(ana, brand, count=1)

    async def expected(**body: object) -> tuple[int, int]:
        found = (await ana.post(f"{OWN}-estimate", json=body)).json()
        return found["jobs"], found["credits"]

    assert await expected(action="cancel", ids=[failed]) == (0, 0)
    assert await expected(action="cancel", ids=[failed, waiting]) == (1, 1)
    assert await expected(action="retry", ids=[failed, waiting]) == (1, 2)
    assert await expected(action="retry", state=["failed", "queued"]) == (1, 2)
    assert await expected(action="cancel", state=["failed"]) == (0, 0)
    assert (await ana.post(OWN, json={"action": "cancel", "state": ["failed"]})).status_code == 404
    found = await ended(api, ana, await ana.post(OWN, json={"action": "cancel", "ids": [failed, waiting]}))
    assert (found["done"], found["refused"], found["credits"]) == (1, 1, 1)
    (refused,) = (await ana.get(f"{OWN}/{found['id']}/items", params={"state": "refused"})).json()["items"]
    assert (refused["jobId"], refused["detail"]) == (failed, "This job has ended already: failed.")


async def test_what_is_for_operators_is_refused_to_users(api: Api, ana: httpx.AsyncClient) -> None:
    for body in (
        {"action": "replay", "all": True},
        {"action": "purge", "all": True},
        {"action": "retry", "user": BEN},
    ):
        assert (await ana.post(OWN, json=body)).status_code == 403, body
        assert (await ana.post(ALL, json=body)).status_code == 403, body
    for wrong in ({"action": "retry"}, {"action": "retry", "changes": {"a": 1}}, {"action": "sing", "all": True}):
        assert (await ana.post(OWN, json=wrong)).status_code == 400, wrong
    for rate in (0, -1, 5000):
        assert (await ana.post(OWN, json={"action": "retry", "all": True, "rate": rate})).status_code == 400


async def test_two_operators_who_ask_for_the_same_share_one_action(
    api: Api, ana: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    brand = await api.brand(ana)
    for _ in range(3):
        await dead(api, ana, brand)
    other = api.as_user(BEN, "admin")
    body = {"action": "replay", "cause": "timeout", "rate": 0.5}
    answers = await asyncio.gather(*(client.post(ALL, json=body) for client in (admin, other, admin, other)))
    assert {answer.json()["id"] for answer in answers} == {answers[0].json()["id"]}
    assert sorted(answer.json()["joined"] for answer in answers) == [False, True, True, True]
    bulk_id = answers[0].json()["id"]
    paused = await other.post(f"{ALL}/{bulk_id}/pause", json={"reason": "weak"})
    assert paused.json()["state"] == "paused"
    assert (await admin.post(f"{ALL}/{bulk_id}/pause")).status_code == 200
    assert (await other.post(f"{ALL}/{bulk_id}/abort")).json()["state"] == "aborted"
    assert (await other.post(f"{ALL}/{bulk_id}/resume")).status_code == 409
    audit = (await admin.get("/api/v1/admin/audit", params={"subject": bulk_id})).json()
    assert [entry["action"] for entry in audit["entries"]] == ["bulk.abort", "bulk.pause", "bulk.start"]
    assert (await ana.get(f"{OWN}/{bulk_id}")).status_code == 404
    assert [row["id"] for row in (await admin.get(ALL)).json()["bulk"]] == [bulk_id]
    assert (await ana.get(OWN)).json() == {"bulk": [], "nextCursor": None}


async def test_an_operator_acts_on_one_user_by_address(api: Api, admin: httpx.AsyncClient) -> None:
    ana, ben = (api.as_user(name, email=mail) for name, mail in ((ANA, "ana@example.org"), (BEN, "ben@example.org")))
    await dead(api, ana, await api.brand(ana))
    job_id = await dead(api, ben, await api.brand(ben))
    body = {"action": "retry", "user": "BEN@example.org"}
    found = await ended(api, admin, await admin.post(ALL, json=body), ALL)
    assert (found["total"], found["userId"], found["askedBy"]) == (1, BEN, ADMIN)
    items = (await admin.get(f"{ALL}/{found['id']}/items", params={"state": "done"})).json()["items"]
    assert [item["jobId"] for item in items] == [job_id]


async def test_refused_ones_are_named_and_purged_ones_are_gone(
    api: Api, ana: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    brand = await api.brand(ana)
    broken, good = await dead(api, ana, brand), await dead(api, ana, brand, Cause.BUG)
    old = update(jobs).where(jobs.c.id == broken).values(payload={"userId": ANA})
    await api.core.db.write(lambda conn: conn.execute(old).rowcount)
    found = await ended(api, admin, await admin.post(ALL, json={"action": "replay", "all": True}), ALL)
    assert (found["done"], found["refused"]) == (1, 1)
    refused = (await admin.get(f"{ALL}/{found['id']}/items", params={"state": "refused"})).json()["items"]
    assert [item["jobId"] for item in refused] == [broken]
    assert "does not fit the schema" in refused[0]["detail"]
    purged = await ended(api, admin, await admin.post(ALL, json={"action": "purge", "all": True}), ALL)
    assert (purged["total"], purged["done"]) == (1, 1)
    assert (await admin.get("/api/v1/admin/dlq")).json()["total"] == 0
    assert good != broken


async def test_a_users_bulk_is_no_faster_than_their_limit(start: Starter) -> None:
    api = await start(bmn_generations_per_minute=30)
    ana = api.as_user(ANA)
    await dead(api, ana, await api.brand(ana))
    begun = (await ana.post(OWN, json={"action": "retry", "all": True, "rate": 100})).json()
    assert begun["rate"] == 0.5
