"""Looking at jobs, stopping them, starting them again, and following them live."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx

from bmn.db import call_store, claims, job_store, transitions
from bmn.db.operators import queue_store
from bmn.db.records import NewCall
from bmn.errors import Cause
from bmn.schemas.base import when
from bmn.schemas.results import AssetRow, LogosResult
from bmn.server.usecases.waiting import STREAMS
from tests.kit.api import Api, Starter
from tests.kit.jobs import QUEUE, add_asset, claim, complete, fail, progress
from tests.kit.people import ANA, BEN, EVE
from tests.kit.processes import PATIENCE


async def frames(answer: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    """The events of a stream, as they come."""
    event: dict[str, Any] = {}
    async for line in answer.aiter_lines():
        if not line and event:
            yield event
            event = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = json.loads(value) if name == "data" else value


async def test_jobs_are_listed_newest_first_page_by_page(api: Api, ana: httpx.AsyncClient) -> None:
    brand = await api.brand(ana)
    made = [await api.logos(ana, brand, count=1) for _ in range(5)]
    found, cursor = [], None
    for _ in range(3):
        page = (await ana.get("/api/v1/jobs", params={"limit": 2, **({"cursor": cursor} if cursor else {})})).json()
        assert page["total"] == 5
        found += [job["jobId"] for job in page["jobs"]]
        cursor = page["nextCursor"]
    assert (found, cursor) == (made[::-1], None)
    bad = await ana.get("/api/v1/jobs", params={"cursor": "nonsense"})
    assert bad.status_code == 400


async def test_jobs_are_found_by_what_is_known_of_them(api: Api, ana: httpx.AsyncClient) -> None:
    brand, other = await api.brand(ana, "Tea House"), await api.brand(ana, "Bike Shop")
    tea, bike = await api.logos(ana, brand, count=1), await api.logos(ana, other, count=1)
    await ana.post(f"/api/v1/jobs/{tea}/cancel")
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({"queue": QUEUE}, {tea, bike}),
        ({"queue": "video-generation"}, set()),
        ({"state": "cancelled"}, {tea}),
        ({"state": ["cancelled", "queued"]}, {tea, bike}),
        ({"cause": "cancelled"}, {tea}),
        ({"brand": other}, {bike}),
        ({"text": "tea house"}, {tea}),
        ({"text": "100%"}, set()),
        ({"prefix": tea[len(QUEUE) + 1 :][:8]}, {tea}),
        ({"prefix": bike}, {bike}),
        ({"since": 3600}, {tea, bike}),
    ]
    for params, expected in cases:
        answer = await ana.get("/api/v1/jobs", params=params)
        assert {job["jobId"] for job in answer.json()["jobs"]} == expected, params
    assert (await ana.get("/api/v1/jobs", params={"state": "happy"})).status_code == 400
    assert (await ana.get("/api/v1/jobs", params={"all": True})).status_code == 403


async def test_an_admin_sees_everybodys_jobs_when_they_ask(
    api: Api, ana: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    job_id = await api.logos(ana, await api.brand(ana))
    assert (await admin.get("/api/v1/jobs")).json()["total"] == 0
    for params in ({"all": True}, {"user": ANA}):
        assert [job["jobId"] for job in (await admin.get("/api/v1/jobs", params=params)).json()["jobs"]] == [job_id]
    assert (await admin.get(f"/api/v1/jobs/{job_id}")).json()["userId"] == ANA


async def test_a_user_is_named_by_their_address_in_any_case(api: Api, admin: httpx.AsyncClient) -> None:
    ana, ben = (api.as_user(name, email=email) for name, email in ((ANA, "Ana@Example.org"), (BEN, "ben@example.org")))
    job_id = await api.logos(ana, await api.brand(ana))
    await api.logos(ben, await api.brand(ben))
    for name in ("ana@example.org", "ANA@example.org", ANA):
        found = (await admin.get("/api/v1/jobs", params={"user": name, "queue": QUEUE})).json()["jobs"]
        assert [job["jobId"] for job in found] == [job_id], name
        assert (await admin.get("/api/v1/costs", params={"user": name})).status_code == 200
    for path in ("jobs", "costs", "jobs/groups"):
        unknown = await admin.get(f"/api/v1/{path}", params={"user": "eve@example.org"})
        assert (unknown.status_code, "eve@example.org" in unknown.json()["error"]) == (404, True)
        for params in ({"user": "ben@example.org"}, {"user": "eve@example.org"}, {"all": True}):
            assert (await ana.get(f"/api/v1/{path}", params=params)).status_code == 403
    await api.as_user(EVE, email="ben@example.org").get("/api/v1/credits")
    twice = await admin.get("/api/v1/jobs", params={"user": "ben@example.org"})
    assert (twice.status_code, BEN in twice.json()["hint"], EVE in twice.json()["hint"]) == (400, True, True)


async def test_jobs_are_counted_by_what_they_share_and_found_by_what_they_cost(
    api: Api, ana: httpx.AsyncClient, ben: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    brand = await api.brand(ana)
    failed = []
    for cause, usd, sandboxed in ((Cause.TIMEOUT, 0.5, False), (Cause.TIMEOUT, 0.25, False), (Cause.BUG, 2.0, True)):
        failed.append(await api.logos(ana, brand, count=1))
        job = await claim(api.core, failed[-1])
        await _paid(api, job.id, usd, sandboxed=sandboxed)
        await fail(api.core, job, cause)
    cheap = await api.logos(ben, await api.brand(ben), count=1)

    async def groups(by: str, client: httpx.AsyncClient = admin, **params: Any) -> list[tuple[str, int, float]]:
        # Of one queue: a new user is told to others by jobs of other queues, soon.
        asked = {"by": by, "queue": QUEUE, "all": client is admin, **params}
        answer = await client.get("/api/v1/jobs/groups", params=asked)
        assert answer.json()["by"] == by and answer.json()["searchedTo"] is None, answer.text
        return [(row["key"], row["jobs"], row["usd"]) for row in answer.json()["groups"]]

    assert await groups("cause") == [("timeout", 2, 0.75), ("-", 1, 0), ("bug", 1, 0)]
    assert await groups("user") == [(ANA, 3, 0.75), (BEN, 1, 0)]
    assert await groups("queue", minCost=0.5) == [(QUEUE, 2, 0.5)]
    assert await groups("cause", ben) == [("-", 1, 0)]
    hours = await groups("hour", state="failed")
    assert sum(number for _, number, _ in hours) == 3 and all(key.endswith(":00:00.000Z") for key, _, _ in hours)
    dear = (await admin.get("/api/v1/jobs", params={"all": True, "minCost": 0.5})).json()
    assert {job["jobId"] for job in dear["jobs"]} == {failed[0], failed[2]} and dear["total"] == 2
    assert cheap not in str(dear)
    for wrong in ({"by": "mood"}, {"by": "cause", "minCost": "nan"}, {"by": "cause", "minCost": -1}):
        assert (await ana.get("/api/v1/jobs/groups", params=wrong)).status_code == 400


async def _paid(api: Api, job_id: str, usd: float, *, sandboxed: bool) -> None:
    call = NewCall("bfl", "submit", "flux", 1, usd, sandboxed, 10, "ok", 200, None, job_id=job_id)
    await api.core.db.write(lambda conn: call_store.add(conn, call))


async def test_one_job_shows_everything_known(api: Api, ana: httpx.AsyncClient) -> None:
    brand = await api.brand(ana)
    first, job_id = await api.logos(ana, brand), await api.logos(ana, brand)
    job = (await ana.get(f"/api/v1/jobs/{job_id}")).json()
    assert (job["state"], job["position"], job["brandName"], job["creditsReserved"]) == ("queued", 1, "Acme Coffee", 4)
    assert [(entry["seq"], entry["event"]) for entry in job["timeline"]] == [(1, "job:progress")]
    assert job["createdAt"].endswith("Z") and job["completedAt"] is None
    row = await claim(api.core, first)
    await add_asset(api.core, brand, first)
    await complete(api.core, row)
    job = (await ana.get(f"/api/v1/jobs/{first}")).json()
    assert (job["state"], job["progress"], [asset["type"] for asset in job["assets"]]) == ("completed", 100, ["logo"])
    assert "signature=" in job["assets"][0]["url"] and "position" not in job


async def test_a_waiting_job_can_be_cancelled_once_and_costs_nothing(api: Api, ana: httpx.AsyncClient) -> None:
    job_id = await api.logos(ana, await api.brand(ana))
    answer = await ana.post(f"/api/v1/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert (await ana.post(f"/api/v1/jobs/{job_id}/cancel")).status_code == 409
    assert (await ana.get("/api/v1/credits")).json()["creditsRemaining"] == 20


async def test_a_job_is_started_again_once_as_a_new_one_that_names_its_parent(
    api: Api, ana: httpx.AsyncClient, ben: httpx.AsyncClient
) -> None:
    brand, foreign = await api.brand(ana), await api.brand(ben)
    job_id = await api.logos(ana, brand)
    assert (await ana.post(f"/api/v1/jobs/{job_id}/retry")).status_code == 409
    await fail(api.core, await claim(api.core, job_id), Cause.PROVIDER_OVERLOADED)
    stolen = {"changes": {"previousLogoUrl": api.core.storage.url_for(f"brands/{foreign}/logo/a.png")}}
    assert (await ana.post(f"/api/v1/jobs/{job_id}/retry", json=stolen)).status_code == 404
    assert (await ana.post(f"/api/v1/jobs/{job_id}/retry", json={"changes": {"count": 99}})).status_code == 400
    answers = await asyncio.gather(
        *(ana.post(f"/api/v1/jobs/{job_id}/retry", json={"changes": {"count": 2}}) for _ in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 9
    body = next(answer.json() for answer in answers if answer.status_code == 202)
    assert (body["parentId"], body["queueName"]) == (job_id, QUEUE)
    job = (await ana.get(f"/api/v1/jobs/{body['jobId']}")).json()
    assert (job["parentId"], job["payload"]["count"]) == (job_id, 2)


async def test_logs_are_read_on_from_where_one_was(api: Api, ana: httpx.AsyncClient) -> None:
    job_id = await api.logos(ana, await api.brand(ana))

    def write(conn: Any) -> None:
        for number in (1, 2, 3):
            job_store.add_log(conn, job_id, number, "info", f"line {number}", {"n": number})

    await api.core.db.write(write)
    lines = (await ana.get(f"/api/v1/jobs/{job_id}/logs")).json()["logs"]
    assert [line["message"] for line in lines] == ["line 1", "line 2", "line 3"]
    further = await ana.get(f"/api/v1/jobs/{job_id}/logs", params={"after": lines[1]["id"]})
    assert [line["message"] for line in further.json()["logs"]] == ["line 3"]
    second = await ana.get(f"/api/v1/jobs/{job_id}/logs", params={"attempt": 2})
    assert [line["message"] for line in second.json()["logs"]] == ["line 2"]


async def test_why_says_what_a_job_waits_for_and_what_to_do(api: Api, ana: httpx.AsyncClient) -> None:
    brand = await api.brand(ana)
    job_id = await api.logos(ana, brand)

    async def why() -> dict[str, Any]:
        body: dict[str, Any] = (await ana.get(f"/api/v1/jobs/{job_id}/why")).json()
        assert set(body) == {"jobId", "state", "headline", "cause", "causeText", "money", "kept", "try"}
        return body

    waiting = await why()
    assert waiting["causeText"] == "No worker serves the queue logo-generation."
    assert waiting["try"]["command"] == "bmn worker logo-generation"
    await api.core.db.write(
        lambda conn: queue_store.set_paused(conn, QUEUE, by="op", reason="new key", cause="provider_auth")
    )
    paused = await why()
    assert paused["causeText"] == "The queue logo-generation is paused by hand: new key"
    assert (paused["cause"], paused["try"]["command"]) == ("provider_auth", "bmn queues resume logo-generation")
    await api.core.db.write(lambda conn: queue_store.set_running(conn, QUEUE, by="op"))
    lost = await claim(api.core, job_id)
    await api.core.db.write(lambda conn: transitions.lose(conn, lost))
    await fail(api.core, await claim(api.core, job_id), Cause.PROVIDER_OVERLOADED)
    failed = await why()
    assert failed["headline"].startswith("failed after 1 attempt (1 worker lost), ")
    assert (failed["state"], failed["cause"]) == ("failed", "provider_overloaded")
    assert "charged 0, refunded 4" in failed["money"] and failed["kept"] == "Nothing was delivered."
    assert failed["try"]["command"] == f"bmn jobs retry {job_id}"


async def test_a_shared_link_shows_the_pictures_to_anybody_until_it_ends(api: Api, ana: httpx.AsyncClient) -> None:
    brand = await api.brand(ana)
    job_id = await api.logos(ana, brand)
    await add_asset(api.core, brand, job_id, b"\x89PNG\r\n\x1a\n....")
    link = (await ana.post(f"/api/v1/jobs/{job_id}/share", json={"hours": 1})).json()
    anybody = api.anonymous()
    assert (await anybody.get(link["url"])).status_code == 200  # the page for people
    shown = (await anybody.get(f"/api/v1/shared/{link['token']}")).json()
    assert (shown["jobId"], shown["brandName"], len(shown["assets"])) == (job_id, "Acme Coffee", 1)
    assert not {"userId", "payload", "costUsd", "creditsReserved"} & set(shown)
    assert (await anybody.get(shown["assets"][0]["url"])).status_code == 200
    token = link["token"]
    page = (await anybody.get(link["url"])).text
    ends = [int(found) for found in re.findall(r"until=(\d+)", page + str(shown))]
    assert ends and max(ends) <= int(token.split(".")[1])  # no picture outlives what showed it
    until = token.split(".")[1]
    for forged in (
        token[:-1] + ("B" if token.endswith("A") else "A"),
        token.replace(link["id"], "0" * 24),
        token.replace(until, str(int(until) + 60)),
        "x",
        "a.1.b",
    ):
        assert (await anybody.get(f"/api/v1/shared/{forged}")).status_code == 404, forged
    ended = api.app.resources.signer.share(link["id"], time.time() - 1)
    assert (await anybody.get(f"/api/v1/shared/{ended}")).status_code == 404


async def test_a_stream_tells_everything_once_in_order_and_ends_with_the_job(api: Api, ana: httpx.AsyncClient) -> None:
    brand = await api.brand(ana)
    job_id = await api.logos(ana, brand)
    url = api.core.storage.url_for(f"brands/{brand}/logo/a.png")
    async with ana.stream("GET", f"/api/v1/jobs/{job_id}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        found = []
        async for frame in frames(answer):
            found.append(frame)
            if len(found) == 1:  # the past is told; now it goes on live
                row = await claim(api.core, job_id)
                for percent in (10, 40, 90):
                    await progress(api.core, row, percent)
                logo = {"id": "a", "brand_id": brand, "job_id": job_id, "asset_type": "logo", "url": url}
                rest = {"thumbnail_url": None, "mime_type": "image/png", "metadata": {}, "is_selected": False}
                logos = [AssetRow(**logo, **rest, created_at=when(0.0))]
                await complete(api.core, row, LogosResult(logos=logos, generated=1, requested=1))
    assert [int(frame["id"]) for frame in found] == list(range(1, len(found) + 1))
    assert [frame["data"]["progress"] for frame in found if "progress" in frame["data"]][-4:] == [10, 40, 90, 100]
    assert found[-1]["event"] == "job:complete"
    signed = found[-1]["data"]["result"]["logos"][0]["url"]
    assert signed.startswith(url + "?until=")
    seen = found[-2]["id"]
    again = await ana.get(f"/api/v1/jobs/{job_id}/events", headers={"Last-Event-ID": seen})
    assert again.text.count("event: ") == 1 and "event: job:complete" in again.text
    nothing = await ana.get(f"/api/v1/jobs/{job_id}/events", headers={"Last-Event-ID": found[-1]["id"]})
    assert (nothing.status_code, nothing.text) == (204, "")  # else an EventSource would come back for ever


async def test_one_stream_tells_of_several_jobs_and_ends_with_the_last(api: Api, ana: httpx.AsyncClient) -> None:
    brand = await api.brand(ana)
    one, two = [await api.logos(ana, brand) for _ in range(2)]
    found = []
    async with ana.stream("GET", "/api/v1/events", params={"job": [one, f"{two}:1"]}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for frame in frames(answer):
            found.append((frame["data"]["jobId"], frame["data"]["seq"]))
            if len(found) == 1:
                for row in await api.core.db.write(lambda conn: claims.claim(conn, QUEUE, 2, "tester", 30.0)):
                    await complete(api.core, row)
    for job_id, first in ((one, 1), (two, 2)):
        seqs = [seq for told_of, seq in found if told_of == job_id]
        assert seqs and seqs == list(range(first, first + len(seqs)))


async def test_a_stream_of_several_jobs_is_bounded_and_tells_nobody_of_others(
    api: Api, ana: httpx.AsyncClient, monkeypatch: Any
) -> None:
    monkeypatch.setattr("bmn.server.routes.job_event_routes._HEARTBEAT_SECONDS", 0.0)
    monkeypatch.setattr("bmn.server.usecases.waiting._SAFETY_SECONDS", 0.05)
    mine = await api.logos(ana, await api.brand(ana))
    ben = api.as_user(BEN)
    foreign = await api.logos(ben, await api.brand(ben))
    for params, status in (
        ({}, 400),
        ({"job": [mine] * 13}, 400),
        ({"job": ["a b"]}, 400),
        ({"job": [f"{mine}:x"]}, 400),
        ({"job": [mine, foreign]}, 404),
        ({"job": ["logo-generation-none"]}, 404),
    ):
        assert (await ana.get("/api/v1/events", params=params)).status_code == status, params
    async with ana.stream("GET", "/api/v1/events", params={"job": mine}) as answer:
        lines = answer.aiter_lines()  # held, since the stream is closed with its iterator
        async for line in lines:
            if line == "event: alive":
                break


async def test_a_failure_with_attempts_to_come_does_not_end_the_stream(api: Api, ana: httpx.AsyncClient) -> None:
    job_id = await api.logos(ana, await api.brand(ana))
    row = await claim(api.core, job_id)
    retry = await api.core.db.write(
        lambda conn: transitions.retry(conn, row, delay=0, cause=Cause.TIMEOUT, error="slow", retries_left=2)
    )
    assert retry
    await fail(api.core, await claim(api.core, job_id), Cause.TIMEOUT)
    answer = await ana.get(f"/api/v1/jobs/{job_id}/events")
    names = [line for line in answer.text.splitlines() if line.startswith("event: job:failed")]
    assert len(names) == 2


async def test_events_come_from_the_rows_while_redis_is_away(start: Starter) -> None:
    api = await start(redis_url="redis://127.0.0.1:9/0")
    ana = api.as_user(ANA)
    job_id = await api.logos(ana, await api.brand(ana))
    async with ana.stream("GET", f"/api/v1/jobs/{job_id}/events") as answer:
        found = []
        async for frame in frames(answer):
            found.append(frame["event"])
            if len(found) == 1:
                await complete(api.core, await claim(api.core, job_id))
    assert found[-1] == "job:complete"


async def test_a_stream_has_a_heartbeat_and_a_user_a_number_of_streams(
    api: Api, ana: httpx.AsyncClient, monkeypatch: Any
) -> None:
    monkeypatch.setattr("bmn.server.routes.job_event_routes._HEARTBEAT_SECONDS", 0.0)
    monkeypatch.setattr("bmn.server.usecases.waiting._SAFETY_SECONDS", 0.05)
    monkeypatch.setattr("bmn.server.usecases.waiting._FOLLOWED_PER_USER", 1)
    job_id = await api.logos(ana, await api.brand(ana))
    async with ana.stream("GET", f"/api/v1/jobs/{job_id}/events") as answer:
        lines = answer.aiter_lines()  # held, since the stream is closed with its iterator
        async for line in lines:
            if line == ": alive":
                break
        refused = await ana.get(f"/api/v1/jobs/{job_id}/events")
        assert refused.status_code == 429
    async with asyncio.timeout(PATIENCE):
        while api.app.resources.tally.open_here(STREAMS, ANA):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
