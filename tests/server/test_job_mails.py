"""Mails about jobs that ended while nobody watched: once, for those who want them."""

import asyncio
import re
from typing import Any

import httpx
from sqlalchemy import delete, select, update

from bmn.broker import redis_keys
from bmn.db import claims
from bmn.db.hooks import deliveries, gone
from bmn.db.tables import jobs, kits
from bmn.errors import Cause
from bmn.schemas.base import Role
from bmn.work.ends import PATIENCE_SECONDS, tell_of_ends
from bmn.work.kits import course
from tests.kit.api import Api
from tests.kit.jobs import add_asset, claim, complete, fail
from tests.kit.people import ANA, BEN

MAIL = "ana@example.org"


async def _ended(api: Api, ana: httpx.AsyncClient, brand: str, *, failed: bool = False, **fields: Any) -> str:
    """A job that ended eleven minutes ago."""
    job_id = await api.logos(ana, brand, count=1, **fields)
    row = await claim(api.core, job_id)
    await (fail(api.core, row, Cause.BAD_INPUT) if failed else complete(api.core, row))
    past = update(jobs).where(jobs.c.id == job_id).values(completed_at=jobs.c.completed_at - PATIENCE_SECONDS - 60)
    await api.core.db.write(lambda conn: conn.execute(past))
    return job_id


async def _mails(api: Api) -> list[dict[str, Any]]:
    query = select(jobs.c.payload).where(jobs.c.queue == "email-send").order_by(jobs.c.created_at)
    payloads = await api.core.db.read(lambda conn: [dict(row.payload) for row in conn.execute(query)])
    return [each for each in payloads if each["template"].startswith(("generation-", "kit-"))]


async def test_an_end_that_nobody_saw_is_told_once_by_mail(api: Api) -> None:
    ana = api.as_user(ANA, email=MAIL)
    brand = await api.brand(ana)
    ready, failed = await _ended(api, ana, brand), await _ended(api, ana, brand, failed=True)
    for _ in range(2):
        await tell_of_ends(api.core)
    told = await _mails(api)
    assert [(each["template"], each["to"], each["data"]["brandName"]) for each in told] == [
        ("generation-ready", MAIL, "Acme Coffee"),
        ("generation-failed", MAIL, "Acme Coffee"),
    ]
    assert told[0]["data"]["dashboardUrl"].endswith(f"/g/job/{ready}")
    assert told[1]["data"]["retryUrl"].endswith(f"/g/job/{failed}")


async def test_what_somebody_saw_or_hears_of_in_another_way_is_no_mail(api: Api) -> None:
    ana = api.as_user(ANA, email=MAIL)
    brand = await api.brand(ana)
    looked = await _ended(api, ana, brand)
    assert (await ana.get(f"/api/v1/jobs/{looked}")).status_code == 200
    streamed = await _ended(api, ana, brand)
    assert "job:complete" in (await ana.get(f"/api/v1/jobs/{streamed}/events")).text
    await _ended(api, ana, brand, webhookUrl=f"{api.url}/hook")
    just_now = await api.logos(ana, brand, count=1)
    await complete(api.core, await claim(api.core, just_now))
    assert await api.core.redis.exists(redis_keys.watched(looked), redis_keys.watched(streamed)) == 2
    await tell_of_ends(api.core)
    assert await _mails(api) == []


async def test_whoever_s_receiver_did_not_take_it_gets_a_mail(api: Api) -> None:
    """It has gone, or was removed, while the job ran: nobody else would tell of its end."""
    ana = api.as_user(ANA, email=MAIL)
    brand = await api.brand(ana)
    hook = {"url": "https://hooks.example.com/x"}
    for why in ("gone", "removed"):
        endpoint = (await ana.post("/api/v1/webhooks/endpoints", json=hook)).json()["id"]
        job_id = await _ended(api, ana, brand)
        await tell_of_ends(api.core)
        assert await _mails(api) == []
        if why == "removed":
            assert (await ana.delete(f"/api/v1/webhooks/endpoints/{endpoint}")).status_code == 204
        else:
            (row,), _ = await api.core.db.read(lambda conn, it=job_id: deliveries.listed(conn, ANA, job_id=it))  # type: ignore[misc]
            await api.core.db.write(lambda conn, it=row: gone.forget(conn, it))  # type: ignore[misc]
        await tell_of_ends(api.core)
        (mail,) = await _mails(api)
        assert mail["data"]["dashboardUrl"].endswith(job_id)
        await api.core.db.write(lambda conn: conn.execute(delete(jobs).where(jobs.c.queue == "email-send")))
        await api.core.redis.set(redis_keys.watched(job_id), 1)


async def test_who_else_looks_takes_no_mail_from_its_owner(api: Api) -> None:
    ana = api.as_user(ANA, email=MAIL)
    job_id = await api.logos(ana, await api.brand(ana), count=1)
    viewer, operator = [api.with_token((await api.key(role, BEN)).text) for role in (Role.VIEWER, Role.OPERATOR)]
    ends = [asyncio.create_task(one.get(f"/api/v1/jobs/{job_id}?wait=60")) for one in (viewer, operator)]
    await asyncio.wait(ends, timeout=0.5)  # most come while it runs; one that comes later is no different
    await complete(api.core, await claim(api.core, job_id))
    assert [(await end).status_code for end in ends] == [200, 200]
    why = {"reveal": "true", "reason": "ticket 7"}
    for path in (f"jobs/{job_id}/events", f"events?job={job_id}"):
        asked = httpx.QueryParams(path.partition("?")[2]).merge(why)
        assert "job:complete" in (await operator.get(f"/api/v1/{path}", params=asked)).text
    await _later(api)
    assert [each["template"] for each in await _mails(api)] == ["generation-ready"]


async def test_whoever_wants_none_gets_none_and_may_want_them_again(api: Api) -> None:
    ana = api.as_user(ANA, email=MAIL)
    brand = await api.brand(ana)
    await _ended(api, ana, brand)
    await tell_of_ends(api.core)
    ((mail),) = await _mails(api)
    anybody = api.anonymous()
    link = mail["data"]["offUrl"]
    for _ in range(2):  # a mail reader that opens links by itself changes nothing
        page = (await anybody.get(link)).text
    assert "Send me none" in page
    assert (await anybody.get(link[:-2] + "AA")).status_code == 404
    for wanted, mails in (("false", 1), ("true", 2)):
        assert re.search(f'name="wanted" value="{wanted}"', (await anybody.get(link)).text)
        assert (await anybody.post(link, data={"wanted": wanted})).status_code == 303
        if wanted == "false":
            await _ended(api, ana, brand)
        await tell_of_ends(api.core)
        assert len(await _mails(api)) == mails


async def _later(api: Api) -> None:
    """Eleven minutes pass for everything that has ended or waits."""
    for column in (jobs.c.completed_at, kits.c.changed_at, kits.c.ended_at):
        past = update(column.table).values({column: column - PATIENCE_SECONDS - 60})
        await api.core.db.write(lambda conn, past=past: conn.execute(past))  # type: ignore[misc]
    await tell_of_ends(api.core)


async def test_a_kit_is_one_mail_when_it_waits_and_one_when_it_is_done(api: Api) -> None:
    ana = api.as_user(ANA, email=MAIL)
    brand = await api.brand(ana)
    body = {"brandId": brand, "count": 1, "products": ["mug", "cap"], "without": ["bundle", "video"]}
    kit = (await ana.post("/api/v1/generation/kits", json=body)).json()["groupId"]

    async def make(queue: str) -> None:
        for job in await api.core.db.write(lambda conn: claims.claim(conn, queue, 50, "tester", 30.0)):
            await add_asset(api.core, brand, job.id, job.id.encode(), metadata={"index": 0})
            await complete(api.core, job)
        await course.carry_on(api.core)

    await make("logo-generation")
    await _later(api)
    logo = (await ana.get(f"/api/v1/brands/{brand}/assets")).json()["assets"][0]["id"]
    assert (await ana.post(f"/api/v1/kits/{kit}/pick", json={"assetId": logo})).status_code == 200
    await course.carry_on(api.core)
    await make("mockup-generation")
    await _later(api)
    told = await _mails(api)
    assert [each["template"] for each in told] == ["kit-waiting", "generation-ready"], "no job of it is a mail"
    assert told[0]["data"]["message"] == "Waits until you pick one of 1 logo."
    assert told[1]["data"]["assetType"] == "whole brand"
    page = f"{api.settings.public_address}/g/kit/{kit}"
    assert {each["data"].get("kitUrl") or each["data"]["dashboardUrl"] for each in told} == {page}
    await _later(api)
    assert len(await _mails(api)) == 2


async def test_a_kit_that_its_owner_looks_at_is_no_mail(api: Api) -> None:
    ana = api.as_user(ANA, email=MAIL)
    brand = await api.brand(ana)
    kit = (await ana.post("/api/v1/generation/kits", json={"brandId": brand, "count": 1})).json()["groupId"]
    (job,) = (await ana.get("/api/v1/jobs", params={"groupId": kit})).json()["jobs"]
    await add_asset(api.core, brand, job["jobId"], metadata={"index": 0})
    await complete(api.core, await claim(api.core, job["jobId"]))
    await course.carry_on(api.core)
    assert (await ana.get(f"/api/v1/kits/{kit}")).json()["state"] == "picking"
    await _later(api)
    assert await _mails(api) == []
