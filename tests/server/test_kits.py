"""Kits over HTTP and in the browser: priced, begun once for a key, kept from others, picked, cancelled, told."""

import httpx
import pytest

from bmn.work.kits import course
from tests.kit.api import Api, sign_in
from tests.kit.jobs import add_asset, claim, complete
from tests.kit.people import ANA, BEN

_KITS = "/api/v1/generation/kits"
_ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_a_kit_over_http(api: Api, ana: httpx.AsyncClient, ben: httpx.AsyncClient) -> None:
    brand = await api.brand(ana)
    body = {"brandId": brand, "count": 1, "products": ["mug", "cap"]}
    price = (await ana.post(f"{_KITS}/estimate", json=body)).json()
    assert (price["credits"], [step["jobs"] for step in price["steps"]]) == (10, [1, 2, 1, 1])
    imagined = (await ana.post(f"{_KITS}/estimate", json={})).json()
    assert imagined["credits"] == 14
    for wrong, status in (
        ({"pick": 2}, 400),
        ({"products": ["mug"]}, 400),
        ({"products": ["mug", "spoon"]}, 404),
        ({"without": ["logos"]}, 400),
        ({"webhookUrl": "https://10.0.0.1/"}, 400),
    ):
        assert (await ana.post(_KITS, json={**body, **wrong})).status_code == status, wrong
    assert (await ben.post(_KITS, json=body)).status_code == 404
    key = {"Idempotency-Key": "one"}
    begun = await ana.post(_KITS, json=body, headers=key)
    assert begun.status_code == 202, begun.text
    assert (await ana.post(_KITS, json=body, headers=key)).json()["groupId"] == begun.json()["groupId"]
    assert (await ana.post(_KITS, json={**body, "pick": 1}, headers=key)).status_code == 409
    kit = begun.json()["groupId"]
    listed = (await ana.get("/api/v1/jobs", params={"groupId": kit})).json()
    assert (listed["total"], listed["jobs"][0]["groupId"]) == (1, kit)
    job_id = listed["jobs"][0]["jobId"]
    logo = await add_asset(api.core, brand, job_id, metadata={"index": 0})
    await complete(api.core, await claim(api.core, job_id))
    await course.carry_on(api.core)
    assert (await ana.get(f"/api/v1/kits/{kit}")).json()["state"] == "picking"
    assert (await ben.get(f"/api/v1/kits/{kit}")).status_code == 404
    for path in ("pick", "cancel"):
        assert (await ben.post(f"/api/v1/kits/{kit}/{path}", json={"assetId": logo})).status_code in (400, 404)
    assert (await ana.post(f"/api/v1/assets/{logo}/select")).status_code == 200
    picked = (await ana.get(f"/api/v1/kits/{kit}")).json()
    assert (picked["state"], picked["logoId"]) == ("running", logo)
    await course.carry_on(api.core)
    (found,) = (await ana.get("/api/v1/kits", params={"state": "running"})).json()["kits"]
    assert [(step["step"], step["state"], len(step["jobs"])) for step in found["steps"]] == [
        ("logos", "done", 1),
        ("pick", "done", 0),
        ("mockups", "running", 2),
        ("bundle", "waiting", 0),
        ("video", "waiting", 0),
    ]
    ended = await ana.post(f"/api/v1/kits/{kit}/cancel", json={"reason": "enough"})
    assert (ended.json()["state"], ended.json()["creditsRefunded"]) == ("cancelled", 3)
    assert (await ana.post(f"/api/v1/kits/{kit}/cancel")).status_code == 409


@_ONE_DATABASE
async def test_a_kit_has_a_page(api: Api) -> None:
    client = api.as_user(ANA)
    brand = await api.brand(client, "Acme & Sons")
    browser = await sign_in(api)
    room = (await browser.get(f"/g/{brand}")).text
    assert "Make it all · 14 credits" in room
    begun = await browser.post(f"/g/{brand}/kit", data={"key": "k" * 20})
    path = begun.headers["location"]
    assert (await browser.post(f"/g/{brand}/kit", data={"key": "k" * 20})).headers["location"] == path
    (job,) = (await client.get("/api/v1/jobs")).json()["jobs"]
    logo = await add_asset(api.core, brand, job["jobId"], b"png", metadata={"index": 0})
    await complete(api.core, await claim(api.core, job["jobId"]))
    await course.carry_on(api.core)
    shown = (await browser.get(path)).text
    assert "A whole brand for Acme &amp; Sons" in shown
    assert "Waits until you pick one of 1 logo." in shown
    assert f'action="/g/asset/{logo}/pick"' in shown
    assert (await (await sign_in(api, BEN)).get(path)).status_code == 404
    await browser.post(f"/g/asset/{logo}/pick", data={"back": path})
    await course.carry_on(api.core)
    assert "Putting the logo on products." in (await browser.get(path)).text
    assert (await browser.post(f"{path}/cancel")).headers["location"] == path
    assert "Cancelled: nothing more is ordered" in (await browser.get(path)).text
