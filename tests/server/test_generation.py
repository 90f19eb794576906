"""Submitting: what is accepted, what is refused, and that nothing is stored or charged where it is refused."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from bmn.db import claims, job_store
from bmn.db.library import asset_store
from bmn.db.library.product_store import SEED
from bmn.db.records import NewAsset
from bmn.errors import Cause
from bmn.work.defaults import palette_of
from tests.kit.api import Api, Starter, fresh_key
from tests.kit.jobs import claim, fail
from tests.kit.people import ANA
from tests.kit.processes import eventually

LOGOS = "/api/v1/generation/logos"
FULL = {
    "brandName": "Acme Coffee",
    "logoStyle": "bold",
    "colorPalette": ["#123abc", "fff"],
    "brandVision": "Coffee for people who get up early.",
    "archetype": "The Explorer",
    "count": 2,
}


async def payload_of(api: Api, job_id: str) -> dict[str, Any]:
    row = await api.core.db.read(lambda conn: job_store.get_job(conn, job_id))
    payload: dict[str, Any] = row.payload
    return payload


async def remaining(client: httpx.AsyncClient) -> int:
    return int((await client.get("/api/v1/credits")).json()["creditsRemaining"])


async def number_of_jobs(client: httpx.AsyncClient) -> int:
    return int((await client.get("/api/v1/jobs")).json()["total"])


async def test_logos_are_accepted_with_the_words_of_the_contract(api: Api, ana: httpx.AsyncClient) -> None:
    brand = await api.brand(ana)
    answer = await ana.post(LOGOS, json={"brandId": brand, **FULL})
    body = answer.json()
    assert answer.status_code == 202
    assert set(body) == {"jobId", "generationJobId", "queueName", "message"}
    assert body["jobId"] == f"logo-generation-{body['generationJobId']}"
    assert (body["queueName"], body["message"]) == ("logo-generation", "Logo generation started. Generating 2 logos.")
    payload = await payload_of(api, body["jobId"])
    assert payload["colorPalette"] == ["#123ABC", "#FFFFFF"]
    assert (payload["userId"], payload["brandName"], payload["isRefinement"]) == (ANA, "Acme Coffee", False)
    assert await remaining(ana) == 18


async def test_the_brand_alone_is_enough(api: Api, ana: httpx.AsyncClient) -> None:
    plain = await api.brand(ana, "Plain")
    rich = await api.brand(ana, "Rich", vision="Grow slowly.", colorPalette=["#111111"], logoStyle="vintage")
    first = await payload_of(api, await api.logos(ana, plain))
    assert (first["brandName"], first["logoStyle"], first["colorPalette"]) == ("Plain", "modern", palette_of("Plain"))
    assert "Plain" in first["brandVision"]
    second = await payload_of(api, await api.logos(ana, rich))
    assert (second["logoStyle"], second["colorPalette"], second["brandVision"]) == (
        "vintage",
        ["#111111"],
        "Grow slowly.",
    )


async def test_every_generator_accepts_its_body(api: Api, ana: httpx.AsyncClient) -> None:
    brand = await api.brand(ana)
    bodies: dict[str, dict[str, Any]] = {
        "bundles": {"bundleName": "Set", "productMockupUrls": ["https://a.example/1.png", "https://a.example/2.png"]},
        "videos": {"productName": "Mug", "productMockupUrl": "https://a.example/1.png"},
        "wizard": {"step": "brand-identity", "input": {"name": "Acme"}},
    }
    for kind, fields in bodies.items():
        answer = await ana.post(f"/api/v1/generation/{kind}", json={"brandId": brand, **fields})
        assert answer.status_code == 202, answer.text
        assert set(answer.json()) == {"jobId", "generationJobId", "queueName", "message"}
    assert await remaining(ana) == 20 - 2 - 5 - 1


def mockups(brand: str, number: int) -> dict[str, Any]:
    products = [
        {"productId": row["id"], "productName": row["name"], "productCategory": row["category"]}
        for row in SEED[:number]
    ]
    return {"brandId": brand, "products": products, "logoUrl": "https://a.example/logo.png"}


async def test_mockups_are_one_job_a_product_in_their_order(api: Api, ana: httpx.AsyncClient) -> None:
    brand = await api.brand(ana)
    answer = await ana.post("/api/v1/generation/mockups", json=mockups(brand, 3))
    assert answer.status_code == 202
    found = answer.json()["jobs"]
    assert [job["productId"] for job in found] == [row["id"] for row in SEED[:3]]
    assert {job["queueName"] for job in found} == {"mockup-generation"}
    groups = {(await ana.get(f"/api/v1/jobs/{job['jobId']}")).json()["groupId"] for job in found}
    assert len(groups) == 1 and None not in groups


async def test_mockups_are_all_or_none(start: Starter) -> None:
    api = await start(bmn_credits_new_user=2)
    ana = api.as_user(ANA)
    brand = await api.brand(ana)
    answer = await ana.post("/api/v1/generation/mockups", json=mockups(brand, 3))
    assert answer.status_code == 402
    assert answer.json() | {"error": "Insufficient credits", "required": 3, "available": 2} == answer.json()
    assert (await remaining(ana), await number_of_jobs(ana)) == (2, 0)


async def test_fifty_submissions_against_two_credits_leave_two_jobs_and_no_debt(start: Starter) -> None:
    api = await start(bmn_credits_new_user=2)
    ana = api.as_user(ANA)
    brand = await api.brand(ana)
    answers = await asyncio.gather(*(ana.post(LOGOS, json={"brandId": brand, "count": 1}) for _ in range(50)))
    assert sorted({answer.status_code for answer in answers}) == [202, 402]
    assert sum(answer.status_code == 202 for answer in answers) == 2
    assert all(a.json()["required"] == 1 and a.json()["available"] == 0 for a in answers if a.status_code == 402)
    assert (await remaining(ana), await number_of_jobs(ana)) == (0, 2)


async def test_one_key_is_one_job_however_often_it_is_sent(api: Api, ana: httpx.AsyncClient) -> None:
    brand = await api.brand(ana)
    headers = {"Idempotency-Key": fresh_key()}
    body = {"brandId": brand, "count": 1}
    answers = await asyncio.gather(*(ana.post(LOGOS, json=body, headers=headers) for _ in range(30)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    assert (await remaining(ana), await number_of_jobs(ana)) == (19, 1)
    other = await ana.post(LOGOS, json={**body, "count": 2}, headers=headers)
    assert other.status_code == 409
    elsewhere = await ana.post(
        "/api/v1/generation/wizard", json={"brandId": brand, "step": "brand-identity"}, headers=headers
    )
    assert elsewhere.status_code == 409
    assert await number_of_jobs(ana) == 1


async def test_a_key_whose_job_has_failed_says_so_and_how_to_go_on(api: Api, ana: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": fresh_key()}
    order = {"brandId": await api.brand(ana), **FULL}
    first = (await ana.post(LOGOS, json=order, headers=headers)).json()
    await fail(api.core, await claim(api.core, first["jobId"]), Cause.PROVIDER_OVERLOADED)
    again = await ana.post(LOGOS, json=order, headers=headers)
    body = again.json()
    assert (again.status_code, body["jobId"], body["ended"]) == (202, first["jobId"], "failed")
    assert (
        body["message"]
        == body["warning"]
        == (
            f"This idempotency key belongs to job {first['jobId']}, which has failed; nothing new was started. "
            "Retry that job, or send a fresh key to submit it again."
        )
    )
    retried = (await ana.post(f"/api/v1/jobs/{first['jobId']}/retry")).json()["jobId"]
    told = (await ana.post(LOGOS, json=order, headers=headers)).json()["warning"]
    assert told.endswith(f"That job was started again as {retried}; send a fresh key to submit it again.")
    assert await number_of_jobs(ana) == 2


async def test_a_key_of_mockups_says_that_one_of_them_was_cancelled(api: Api, ana: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": fresh_key()}
    order = mockups(await api.brand(ana), 2)
    first = await ana.post("/api/v1/generation/mockups", json=order, headers=headers)
    assert first.status_code == 202, first.text
    last = first.json()["jobs"][-1]["jobId"]
    await ana.post(f"/api/v1/jobs/{last}/cancel")
    again = (await ana.post("/api/v1/generation/mockups", json=order, headers=headers)).json()
    assert again["jobs"] == first.json()["jobs"] and again["ended"] == "cancelled" and last in again["message"]


async def test_what_was_accepted_under_a_key_is_answered_again_though_it_could_not_begin_now(api: Api) -> None:
    operator, ana = api.as_user(ANA, "admin"), api.as_user(ANA)
    brands = [await api.brand(ana) for _ in range(2)]
    at = {"runAt": (datetime.now(UTC) - timedelta(seconds=50)).isoformat()}  # of the minute in which it is accepted
    for brand, (order, client) in zip(brands, ((at, ana), ({"priority": 0}, operator)), strict=True):
        body = {"brandId": brand, "count": 1, **order}
        headers = {"Idempotency-Key": fresh_key()}
        first = await client.post(LOGOS, json=body, headers=headers)
        assert first.status_code == 202

        async def is_refused(order: dict[str, Any] = order) -> bool:
            answer = await ana.post(LOGOS, json={"brandId": str(uuid4()), "count": 1, **order})
            return answer.status_code in (400, 403)

        await eventually(is_refused)
        again = await ana.post(LOGOS, json=body, headers=headers)
        assert (again.status_code, again.json()["jobId"]) == (202, first.json()["jobId"])
        other = await ana.post(LOGOS, json={**body, "count": 2}, headers=headers)
        assert other.status_code == 409
    assert await number_of_jobs(ana) == 2


async def test_the_key_of_one_user_means_nothing_for_another(
    api: Api, ana: httpx.AsyncClient, ben: httpx.AsyncClient
) -> None:
    headers = {"Idempotency-Key": fresh_key()}
    found = []
    for client in (ana, ben):
        brand = await api.brand(client)
        answer = await client.post(LOGOS, json={"brandId": brand}, headers=headers)
        assert answer.status_code == 202
        found.append(answer.json()["jobId"])
    assert found[0] != found[1]


BAD = {
    "no brand": {"brandId": None},
    "brand no uuid": {"brandId": "acme"},
    "count 0": {"count": 0},
    "count 9": {"count": 9},
    "count a text": {"count": "many"},
    "color that is none": {"colorPalette": ["teal-ish"]},
    "no color": {"colorPalette": []},
    "nine colors": {"colorPalette": ["#111111"] * 9},
    "unknown style": {"logoStyle": "baroque"},
    "unknown field": {"color": "#111111"},
    "somebody else's id": {"userId": ANA},
    "vision too long": {"brandVision": "x" * 2001},
    "NUL in the name": {"brandName": "a\0b"},
    "lone surrogate": {"brandName": "a\ud800b"},
    "a file address": {"previousLogoUrl": "file:///etc/passwd"},
    "a picture in the address": {"previousLogoUrl": "data:image/png;base64,iVBORw0KGgo="},
    "a refinement of nothing": {"isRefinement": True},
}


@pytest.mark.parametrize("name", BAD)
async def test_bad_input_is_refused_by_field_and_stores_nothing(api: Api, ana: httpx.AsyncClient, name: str) -> None:
    brand = await api.brand(ana)
    text = json.dumps({"brandId": brand, **BAD[name]})
    answer = await ana.post(LOGOS, content=text, headers={"Content-Type": "application/json"})
    body = answer.json()
    assert (answer.status_code, body["error"]) == (400, "Validation failed")
    assert body["issues"] and all(set(issue) == {"loc", "msg", "type"} for issue in body["issues"])
    assert set(body["details"]) == {"formErrors", "fieldErrors"}
    fields = body["details"]["fieldErrors"]
    assert (body["details"]["formErrors"] or fields) and set(fields) <= set(BAD[name])
    assert (await remaining(ana), await number_of_jobs(ana)) == (20, 0)


RAW = {
    "broken": b'{"brandId": ',
    "not an object": b"[1, 2]",
    "a depth bomb": b"[" * 100_000,
    "not UTF-8": b'{"brandId": "\xff\xfe"}',
    "an endless number": b'{"count": ' + b"9" * 100_000 + b"}",
    "nothing": b"",
}


@pytest.mark.parametrize("name", RAW)
async def test_what_is_no_json_is_a_bad_request_and_no_fault_of_ours(
    api: Api, ana: httpx.AsyncClient, name: str
) -> None:
    answer = await ana.post(LOGOS, content=RAW[name], headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert "error" in answer.json()


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"1e999"])
async def test_numbers_that_json_does_not_know_are_refused(api: Api, ana: httpx.AsyncClient, number: bytes) -> None:
    brand = await api.brand(ana)
    body = b'{"brandId": "%s", "step": "brand-identity", "input": {"a": [%s]}}' % (brand.encode(), number)
    answer = await ana.post("/api/v1/generation/wizard", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text


async def test_a_brand_that_is_not_there_and_one_of_somebody_else_look_the_same(
    api: Api, ana: httpx.AsyncClient, ben: httpx.AsyncClient
) -> None:
    foreign = await api.brand(ben)
    answers = [
        await ana.post(LOGOS, json={"brandId": brand, **fields})
        for brand in (foreign, str(uuid4()))
        for fields in ({}, FULL)
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {
        (404, '{"error":"Brand not found","code":"not_found"}')
    }
    assert await remaining(ana) == 20


async def test_the_files_of_others_cannot_be_worked_into_ones_own(
    api: Api, ana: httpx.AsyncClient, ben: httpx.AsyncClient
) -> None:
    mine, foreign = await api.brand(ana), await api.brand(ben)
    stolen = api.core.storage.url_for(f"brands/{foreign}/logo/one.png")
    own = api.core.storage.url_for(f"brands/{mine}/logo/one.png")
    for kind, fields in (
        ("logos", {"previousLogoUrl": stolen}),
        ("mockups", {**mockups(mine, 1), "logoUrl": stolen + "?until=1&signature=x"}),
        ("bundles", {"bundleName": "Set", "productMockupUrls": [own, stolen]}),
        ("videos", {"productName": "Mug", "productMockupUrl": own, "logoUrl": stolen}),
    ):
        answer = await ana.post(f"/api/v1/generation/{kind}", json={"brandId": mine, **fields})
        assert (answer.status_code, answer.json()["error"]) == (404, "File not found"), kind
    assert await number_of_jobs(ana) == 0
    refined = await payload_of(api, await api.logos(ana, mine, previousLogoUrl=own, refinementNotes="rounder"))
    assert refined["isRefinement"] is True


async def test_an_estimate_says_which_brand_it_is_about(api: Api, ana: httpx.AsyncClient) -> None:
    path = "/api/v1/generation/logos/estimate"
    new = await ana.post(path, json={"brandName": "Blue Bottle", "count": 2})
    assert (new.status_code, new.json()["credits"]) == (200, 2)
    assert (await ana.post(path, json={"count": 2})).status_code == 400
    assert (await ana.post(path, json={"brandId": str(uuid4())})).status_code == 404
    assert await number_of_jobs(ana) == 0


async def test_a_logo_is_changed_in_the_look_it_was_asked_to_have(api: Api, ana: httpx.AsyncClient) -> None:
    """The brand's record may say another one by now."""
    brand = await api.brand(ana)
    asked = {"logoStyle": "vintage", "colorPalette": ["#5A3825"]}
    key = f"brands/{brand}/logo/one.png"
    made = NewAsset(
        id=str(uuid4()),
        brand_id=brand,
        job_id=await api.logos(ana, brand, count=1, **asked),
        asset_type="logo",
        url=api.core.storage.url_for(key),
        storage_key=key,
        sha256="0" * 64,
        mime_type="image/png",
        size_bytes=1,
    )
    await api.core.db.write(lambda conn: asset_store.add(conn, made))
    change = {"previousLogoUrl": made.url, "refinementNotes": "rounder"}
    refined = await payload_of(api, await api.logos(ana, brand, **change))
    assert {name: refined[name] for name in asked} == asked
    bold = await payload_of(api, await api.logos(ana, brand, **change, logoStyle="bold"))
    assert (bold["logoStyle"], bold["colorPalette"]) == ("bold", ["#5A3825"])


async def test_a_brand_keeps_the_look_of_its_first_logos_until_its_owner_changes_it(
    api: Api, ana: httpx.AsyncClient
) -> None:
    async def look(brand: str) -> tuple[Any, ...]:
        record = (await ana.get(f"/api/v1/brands/{brand}")).json()
        return tuple(record[name] for name in ("colorPalette", "logoStyle", "archetype"))

    invented = await api.brand(ana)
    assert await look(invented) == (None, None, None)
    await api.logos(ana, invented, count=1)
    brown = palette_of("Acme Coffee")
    assert await look(invented) == (brown, "modern", None), "whoever invented it"

    green = {"colorPalette": ["#2D6A4F"], "logoStyle": "bold"}
    once = await payload_of(api, await api.logos(ana, invented, count=1, **green))
    assert (once["colorPalette"], once["logoStyle"]) == (["#2D6A4F"], "bold")
    assert "look" not in once
    await api.logos(ana, invented, count=1, look="keep", archetype="The Sage", **green)
    assert await look(invented) == (brown, "modern", "The Sage"), "what is missing is no change"
    again = await payload_of(api, await api.logos(ana, invented, count=1))
    assert again["colorPalette"] == brown

    await api.logos(ana, invented, count=1, look="change", colorPalette=["#2D6A4F"])
    assert await look(invented) == (["#2D6A4F"], "modern", "The Sage")

    given = await api.brand(ana, "Other")
    await api.logos(ana, given, count=1, **{name: FULL[name] for name in ("logoStyle", "colorPalette", "archetype")})
    assert await look(given) == (["#123ABC", "#FFFFFF"], "bold", "The Explorer")


async def test_what_is_refused_or_repeated_changes_no_look(api: Api, ana: httpx.AsyncClient, start: Starter) -> None:
    brand = await api.brand(ana, "Acme Coffee", colorPalette=["#6F4E37"], logoStyle="modern")
    body = {"brandId": brand, "look": "change", "colorPalette": ["#2D6A4F"], "count": 1}
    headers = {"Idempotency-Key": fresh_key()}
    assert (await ana.post(LOGOS, json=body, headers=headers)).status_code == 202
    back = await ana.patch(f"/api/v1/brands/{brand}", json={"colorPalette": ["#6F4E37"]})
    assert back.status_code == 200
    assert (await ana.post(LOGOS, json=body, headers=headers)).status_code == 202
    assert (await ana.post(LOGOS, json={**body, "count": 9})).status_code == 400
    assert (await ana.post(LOGOS, json={**body, "look": "maybe"})).status_code == 400
    assert (await ana.get(f"/api/v1/brands/{brand}")).json()["colorPalette"] == ["#6F4E37"]


async def test_the_eleventh_generation_of_a_minute_waits(start: Starter) -> None:
    api = await start(bmn_generations_per_minute=3, bmn_requests_per_minute=60)
    ana, ben = api.as_user(ANA), api.as_user(str(uuid4()))
    brand = await api.brand(ana)
    for _ in range(3):
        await api.logos(ana, brand, count=1)
    answer = await ana.post(LOGOS, json={"brandId": brand, "count": 1})
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert (await ana.get("/api/v1/credits")).status_code == 200
    await api.logos(ben, await api.brand(ben), count=1)


@pytest.mark.parametrize(
    ("limit", "status", "code"),
    [
        ({"bmn_generations_per_minute": 1}, 429, "rate_limited"),
        ({"bmn_budgets": "user=1credits"}, 402, "budget_reached"),
    ],
)
async def test_what_would_be_refused_is_so_before_its_brand_is_made(
    start: Starter, limit: dict[str, Any], status: int, code: str
) -> None:
    api = await start(**limit)
    ana = api.as_user(ANA)
    new = {"logos": {"brandName": "New", "count": 1}, "kits": {"pick": 1}}
    assert (await ana.post(f"{LOGOS}/estimate", json=new["logos"])).status_code == 200
    await api.logos(ana, await api.brand(ana), count=1)
    for kind, body in new.items():
        answer = await ana.post(f"/api/v1/generation/{kind}/estimate", json=body)
        assert (answer.status_code, answer.json().get("code")) == (status, code), kind


async def test_a_refused_submission_is_none_of_a_minute(start: Starter) -> None:
    api = await start(bmn_generations_per_minute=3, bmn_requests_per_minute=60)
    ana = api.as_user(ANA)
    brand = await api.brand(ana)
    for _ in range(4):
        assert (await ana.post(LOGOS, json={"brandId": brand, "count": 0})).status_code == 400
        assert (await ana.post(LOGOS, json={"brandId": str(uuid4()), "count": 1})).status_code == 404
        assert (await ana.post(LOGOS, content=b"{", headers={"Content-Type": "application/json"})).status_code == 400
    for _ in range(3):
        await api.logos(ana, brand, count=1)
    assert (await ana.post(LOGOS, json={"brandId": brand, "count": 1})).status_code == 429


async def test_a_repetition_is_none_of_a_minute(start: Starter) -> None:
    api = await start(bmn_generations_per_minute=3, bmn_requests_per_minute=60)
    ana = api.as_user(ANA)
    brand, headers = await api.brand(ana), {"Idempotency-Key": fresh_key()}
    order = {"brandId": brand, "count": 1}
    sent = await asyncio.gather(*(ana.post(LOGOS, json=order, headers=headers) for _ in range(6)))
    assert [answer.status_code for answer in sent] == [202] * 6
    assert len({answer.json()["jobId"] for answer in sent}) == 1
    kit = {"brandId": brand, "count": 1, "pick": 1, "products": ["mug"], "without": ["bundle", "video"]}
    kits = {"Idempotency-Key": fresh_key()}
    begun = [await ana.post("/api/v1/generation/kits", json=kit, headers=kits) for _ in range(3)]
    assert [answer.status_code for answer in begun] == [202] * 3
    await api.logos(ana, brand, count=1)
    assert (await ana.post(LOGOS, json=order)).status_code == 429
    assert (await ana.post(LOGOS, json=order, headers=headers)).json()["jobId"] == sent[0].json()["jobId"]
    assert (await ana.post(LOGOS, json={**order, "count": 2}, headers=headers)).status_code == 409
    assert (await ana.post(LOGOS, json=order)).status_code == 429


UNREADABLE = {
    "not UTF-8": (b"\x80\x81", {"Content-Type": "application/json"}, "The body cannot be read as JSON in UTF-8."),
    "packed": (b"\x1f\x8b", {"Content-Type": "application/json", "Content-Encoding": "gzip"}, "The body is packed"),
    "a form": (b"name=Acme", {"Content-Type": "application/x-www-form-urlencoded"}, "The body is sent as"),
    "of no kind": (b"{}", {}, "The body does not say that it is JSON."),
}


@pytest.mark.parametrize("name", UNREADABLE)
@pytest.mark.parametrize("path", ["/api/v1/brands", LOGOS])
async def test_a_body_that_cannot_be_read_says_why_and_counts_as_a_request(
    start: Starter, name: str, path: str
) -> None:
    api = await start(bmn_requests_per_minute=2, bmn_generations_per_minute=1)
    client = api.as_user(ANA)
    content, headers, words = UNREADABLE[name]
    for _ in range(2):
        answer = await client.post(path, content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
        assert answer.json()["error"].startswith(words)
    assert (await client.post(path, content=content, headers=headers)).status_code == 429


async def test_pages_and_files_are_counted_as_well(start: Starter) -> None:
    api = await start(bmn_requests_per_minute=2)
    ana = api.as_user(ANA)
    assert [(await ana.get("/docs")).status_code for _ in range(3)] == [200] * 3
    statuses = [(await ana.get("/")).status_code for _ in range(22)]
    assert statuses == [200] * 20 + [429] * 2
    ben = api.as_user(str(uuid4()))
    statuses = [(await ben.get(f"/files/brands/{uuid4()}/logo/a.png")).status_code for _ in range(22)]
    assert statuses == [404] * 20 + [429] * 2


async def test_requests_a_minute_have_a_limit_and_the_admins_hear_of_who_keeps_knocking(start: Starter) -> None:
    api = await start(bmn_requests_per_minute=5)
    ana = api.as_user(ANA)
    statuses = [(await ana.get("/api/v1/products")).status_code for _ in range(11)]
    assert statuses == [200] * 5 + [429] * 6
    await api.core.outbox.close()
    told = [event for _, event in await api.core.stream.page("-", count=100) if event.event == "system:alert"]
    assert [(event.data["type"], event.data["metadata"]) for event in told] == [
        ("rate-limit", {"userId": ANA, "limit": "requests"})
    ]


async def test_a_job_may_be_planned_and_have_deadlines(api: Api, ana: httpx.AsyncClient) -> None:
    brand = await api.brand(ana)
    planned = await api.logos(ana, brand, runIn="10m", startWithin=30, finishWithin="1h30m")
    shown = (await ana.get(f"/api/v1/jobs/{planned}")).json()
    times = [datetime.fromisoformat(shown[name]) for name in ("createdAt", "runAt", "startBy", "finishBy")]
    assert [round((time - times[0]).total_seconds()) for time in times] == [0, 600, 630, 6000]
    assert "startWithin" not in shown["payload"]
    headline = (await ana.get(f"/api/v1/jobs/{planned}/why")).json()["headline"]
    assert headline.startswith(("planned, begins in 10 m", "planned, begins in 9 m"))
    at = datetime.now(UTC) + timedelta(hours=2)
    then = await api.logos(ana, brand, runAt=at.isoformat())
    shown = (await ana.get(f"/api/v1/jobs/{then}")).json()
    assert abs(datetime.fromisoformat(shown["runAt"]) - at).total_seconds() < 5
    assert "startBy" not in shown


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"runAt": "2020-01-01T00:00:00Z"}, "lies in the past"),
        ({"runAt": "2999-01-01T00:00:00Z"}, "too far ahead"),
        ({"runAt": "2026-01-01T00:00:00"}, "is not a time with its zone"),
        ({"runAt": "2999-01-01T00:00:00Z", "runIn": 5}, "give either runAt or runIn"),
        ({"startWithin": "soon"}, "not a time span"),
        ({"startWithin": 0}, "must be more than 0"),
        ({"finishWithin": 1e9}, "must be at most"),
        ({"finishWithin": True}, "number"),
        ({"priority": 1.5}, "whole number"),
    ],
)
async def test_terms_that_cannot_be_meant_are_refused(
    api: Api, ana: httpx.AsyncClient, terms: dict[str, Any], said: str
) -> None:
    answer = await ana.post(LOGOS, json={"brandId": await api.brand(ana), **terms})
    assert answer.status_code == 400
    assert said in answer.text
    assert await number_of_jobs(ana) == 0


async def test_only_operators_and_services_go_first(api: Api, ana: httpx.AsyncClient, admin: httpx.AsyncClient) -> None:
    brand = await api.brand(ana)
    refused = await ana.post(LOGOS, json={"brandId": brand, "priority": 0})
    assert refused.status_code == 403
    assert "Ask for 1 or more" in refused.json()["hint"]
    assert await number_of_jobs(ana) == 0
    usual, last = await api.logos(ana, brand), await api.logos(ana, brand, priority=9)
    first = await api.logos(admin, await api.brand(admin), priority=0)
    rows = await api.core.db.write(lambda conn: claims.claim(conn, "logo-generation", 9, "w", 10))
    assert [row.id for row in rows] == [first, usual, last]


async def test_a_newer_job_replaces_what_still_waits(api: Api, ana: httpx.AsyncClient) -> None:
    brand = await api.brand(ana)
    other = await api.logos(ana, await api.brand(ana, "Other"))
    old = [await api.logos(ana, brand, count=2) for _ in range(2)]
    key = {"Idempotency-Key": fresh_key()}
    body = {"brandId": brand, "count": 1, "replaces": True}
    answer = (await ana.post(LOGOS, json=body, headers=key)).json()
    assert answer["replaced"] == old
    assert (await ana.post(LOGOS, json=body, headers=key)).json() == answer
    states = [(await ana.get(f"/api/v1/jobs/{job}")).json()["state"] for job in (*old, other, answer["jobId"])]
    assert states == ["cancelled", "cancelled", "queued", "queued"]
