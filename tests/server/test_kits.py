"""Kits over HTTP and in the browser: priced, begun once for a key, kept from others, picked, cancelled, told."""

import asyncio
import json

import httpx
import pytest

from bmn.db.accounts import credit_store
from bmn.errors import Cause
from bmn.schemas.events import DASHBOARD
from bmn.schemas.kit_requests import QUEUE_OF
from bmn.work.kits import course
from tests.kit.api import Api, Starter, sign_in
from tests.kit.jobs import add_asset, claim, complete, fail
from tests.kit.people import ANA, BEN
from tests.kit.processes import PATIENCE
from tests.kit.raw import Raw

_KITS = "/api/v1/generation/kits"
_ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_a_kit_over_http(api: Api, ana: httpx.AsyncClient, ben: httpx.AsyncClient) -> None:
    brand = await api.brand(ana)
    body = {"brandId": brand, "count": 1, "products": ["mug", "cap"]}
    price = (await ana.post(f"{_KITS}/estimate", json=body)).json()
    assert (price["credits"], [step["jobs"] for step in price["steps"]]) == (10, [1, 2, 1, 1])
    assert price["steps"][0]["unknown"] is None
    assert price["steps"][1]["unknown"] == "which logo is picked"
    assert price["usd"] == pytest.approx(sum(step["usd"] for step in price["steps"]))
    assert price["sandboxed"] == all(step["sandboxed"] for step in price["steps"])
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


class Held:
    """A kit of Ana's that is looked after over HTTP, with a test in the place of its workers."""

    def __init__(self, api: Api, ana: httpx.AsyncClient, brand: str, kit: str) -> None:
        self.api, self.ana, self.brand, self.kit = api, ana, brand, kit

    async def jobs(self, step: str) -> list[str]:
        """The open jobs of a step."""
        asked = {"groupId": self.kit, "queue": QUEUE_OF[step], "state": "queued"}
        return [each["jobId"] for each in (await self.ana.get("/api/v1/jobs", params=asked)).json()["jobs"]]

    async def made(self, job_id: str, step: str, kind: str) -> None:
        """A worker makes it."""
        await add_asset(self.api.core, self.brand, job_id, b"png", asset_type=kind, metadata={"index": 0})
        await complete(self.api.core, await claim(self.api.core, job_id, QUEUE_OF[step]))

    async def stands(self) -> tuple[str, str, str | None]:
        """Where it is once whoever sweeps has looked at it."""
        await course.carry_on(self.api.core)
        kit = (await self.ana.get(f"/api/v1/kits/{self.kit}")).json()
        return kit["state"], kit["step"], kit["cause"]

    async def retry(self, job_id: str) -> str:
        """Asks for it again, which the kit's state shows at once."""
        done = await self.ana.post(f"/api/v1/jobs/{job_id}/retry")
        assert done.status_code == 202, done.text
        assert (await self.ana.get(f"/api/v1/kits/{self.kit}")).json()["state"] == "running"
        return str(done.json()["jobId"])


async def test_a_kit_goes_on_after_each_way_to_be_held(api: Api, ana: httpx.AsyncClient) -> None:
    """A part fails, fails again, is cancelled, credits end; each time brought on over HTTP alone, and told."""
    brand = await api.brand(ana)
    body = {"brandId": brand, "count": 1, "pick": 1, "products": ["mug", "cap"], "without": ["video"]}
    kit = Held(api, ana, brand, (await ana.post(_KITS, json=body)).json()["groupId"])
    dashboard = await Raw.open(api)
    await dashboard.join(DASHBOARD, ana.headers["Authorization"].partition(" ")[2])
    (logos,) = await kit.jobs("logos")
    for _ in range(2):
        await fail(api.core, await claim(api.core, logos), Cause.MODERATED)
        assert await kit.stands() == ("held", "logos", "moderated")
        logos = await kit.retry(logos)
    await kit.made(logos, "logos", "logo")
    assert await kit.stands() == ("running", "mockups", None)
    one, other = await kit.jobs("mockups")
    assert (await ana.post(f"/api/v1/jobs/{one}/cancel")).json()["state"] == "cancelled"
    assert await kit.stands() == ("running", "mockups", None), "another part of it is under way"
    await kit.made(other, "mockups", "mockup")
    assert await kit.stands() == ("held", "mockups", "cancelled")
    await kit.made(await kit.retry(one), "mockups", "mockup")
    everything_else = (await ana.get("/api/v1/credits")).json()["creditsRemaining"]
    await api.core.db.write(lambda conn: credit_store.reserve(conn, ANA, everything_else))
    assert await kit.stands() == ("held", "bundle", "insufficient_credits")
    await api.core.db.write(lambda conn: credit_store.grant(conn, ANA, 2, "tests", None))
    await course.look_for_credits(api.core)
    assert await kit.stands() == ("running", "bundle", None)
    (bundle,) = await kit.jobs("bundle")
    await kit.made(bundle, "bundle", "bundle")
    assert await kit.stands() == ("done", "bundle", None)
    told = [("held", "logos"), ("running", "logos")] * 2 + [("running", "mockups")]
    told += [("held", "mockups"), ("running", "mockups"), ("held", "bundle"), ("running", "bundle")]
    assert await _told(dashboard, kit.kit) == [*told, ("running", "bundle"), ("done", "bundle")]
    await dashboard.connection.close()


async def _told(dashboard: Raw, kit: str) -> list[tuple[str, str]]:
    """Where a kit was said to be, up to its end."""
    found: list[tuple[str, str]] = []
    while not found or found[-1][0] != "done":
        name, data, *_ = json.loads((await asyncio.wait_for(dashboard.read(), PATIENCE)).partition(",")[2])
        if name == "kit:updated" and data["groupId"] == kit:
            found.append((data["state"], data["step"]))
    return found


@_ONE_DATABASE
async def test_an_estimate_says_which_steps_are_charged(start: Starter) -> None:
    """The sandbox stands in for the providers whose key is missing; what the others charge is not hidden by that."""
    api = await start(bfl_api_key="a-key", bmn_sandbox_url="http://127.0.0.1:9")
    price = (await api.as_user(ANA).post(f"{_KITS}/estimate", json={})).json()
    free = {step["step"]: step["usd"] for step in price["steps"] if step["sandboxed"]}
    assert free.keys() < {"logos", "mockups", "bundle", "video"}
    assert "logos" not in free
    assert "video" in free
    assert (price["sandboxed"], price["usdSandboxed"]) == (False, pytest.approx(sum(free.values())))


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
