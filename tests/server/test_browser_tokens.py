"""A token that a back end hands to a browser: it reads and follows one thing, by every door, and nothing else by any."""

import asyncio
import json
import time
from typing import Any
from uuid import uuid4

import httpx
import pytest

from bmn.db.accounts import api_keys
from bmn.db.library import asset_store
from bmn.db.transitions import asset_row
from bmn.schemas.base import Role
from bmn.schemas.events import ADMIN, DASHBOARD, WIZARD
from bmn.schemas.results import LogosResult
from bmn.server.access.permissions import EVENTS, ROUTES
from bmn.work.kits import course
from tests.kit.api import Api
from tests.kit.jobs import add_asset, claim, complete, progress
from tests.kit.people import ANA, BEN
from tests.kit.processes import PATIENCE
from tests.kit.raw import Raw
from tests.server.addresses import address

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

_READ = {
    "GET /api/v1/jobs",
    "GET /api/v1/jobs/{job_id}",
    "GET /api/v1/jobs/{job_id}/why",
    "GET /api/v1/jobs/{job_id}/events",
    "GET /api/v1/events",
    "GET /api/v1/brands/{brand_id}",
    "GET /api/v1/brands/{brand_id}/assets",
    "GET /api/v1/assets/{asset_id}",
    "GET /api/v1/kits/{kit_id}",
}
_OF_JOB = {"job:join", "job:leave", "job:status"}
_OF_GROUP = {"group:join", "group:leave", "group:watch", "group:unwatch", *_OF_JOB}
_FOLLOWED = {
    "job": _OF_JOB,
    "group": _OF_GROUP,
    "brand": {"brand:join", "brand:leave", "brand:watch", "brand:unwatch", *_OF_GROUP},
}


class World:
    """Two brands of one user, a kit, its job and a picture each, and tokens for the first job, brand and group."""

    def __init__(self, api: Api, ids: dict[str, str], tokens: dict[str, str]) -> None:
        self.api = api
        self.ids = ids
        self.tokens = tokens

    def paths(self, which: str) -> dict[str, str]:
        """What each route that a browser's token may ask is about, for one of the two."""
        job, brand, asset, group = (self.ids[f"{kind} {which}"] for kind in ("job", "brand", "asset", "group"))
        return {
            "job": f"/api/v1/jobs/{job}",
            "why": f"/api/v1/jobs/{job}/why",
            "job events": f"/api/v1/jobs/{job}/events",
            "events": f"/api/v1/events?job={job}",
            "brand": f"/api/v1/brands/{brand}",
            "assets": f"/api/v1/brands/{brand}/assets",
            "asset": f"/api/v1/assets/{asset}",
            "kit": f"/api/v1/kits/{group}",
        }


@pytest.fixture
async def world(api: Api) -> World:
    ana, ids = api.as_user(ANA), dict[str, str]()
    for which in ("one", "two"):
        brand = ids[f"brand {which}"] = await api.brand(ana, f"Acme {which}")
        group = ids[f"group {which}"] = await _kit(ana, brand)
        (listed,) = (await ana.get("/api/v1/jobs", params={"groupId": group})).json()["jobs"]
        job = ids[f"job {which}"] = listed["jobId"]
        ids[f"asset {which}"] = await add_asset(api.core, brand, job, b"\x89PNG\r\n\x1a\npicture")
        await complete(api.core, await claim(api.core, job))
    tokens = {}
    for kind in ("job", "brand", "group"):
        made = await ana.post("/api/v1/tokens", json={f"{kind}Id": ids[f"{kind} one"]})
        assert made.status_code == 201, made.text
        tokens[kind] = made.json()["token"]
    return World(api, ids, tokens)


async def test_it_reads_its_own_thing_and_no_other(world: World) -> None:
    of_job = {"job", "why", "job events", "events", "asset"}
    may = {"job": of_job, "group": {*of_job, "kit"}, "brand": set(world.paths("one"))}
    for kind, token in world.tokens.items():
        client = world.api.with_token(token)
        own = {name: (await client.get(path)).status_code for name, path in world.paths("one").items()}
        assert own == {name: 200 if name in may[kind] else 404 for name in own}, kind
        other = {name: (await client.get(path)).status_code for name, path in world.paths("two").items()}
        assert set(other.values()) == {404}, (kind, other)
        both = f"/api/v1/events?job={world.ids['job one']}&job={world.ids['job two']}"
        assert (await client.get(both)).status_code == 404
        listed = (await client.get("/api/v1/jobs")).json()["jobs"]
        assert [each["jobId"] for each in listed] == [world.ids["job one"]]
        wider = [f"?user={ANA}", "?all=true", f"?brand={world.ids['brand two']}", f"?prefix={world.ids['job two']}"]
        wider += [
            f"?groupId={world.ids['group two']}",
            f"?groupId={world.ids['group two']}&brand={world.ids['brand two']}",
        ]
        for query in wider:
            answer = await client.get(f"/api/v1/jobs{query}")
            assert answer.status_code in (403, 404) or world.ids["job two"] not in answer.text, query


async def test_it_opens_no_other_route(world: World) -> None:
    wrong = []
    for kind, token in world.tokens.items():
        client = world.api.with_token(token)
        for name in ROUTES.keys() - _READ:
            method, path = name.split(" ")
            body = {} if method == "GET" else {"json": {}}
            status = (await client.request(method, address(path), **body)).status_code
            if status not in ({401, 403} if path.startswith("/admin") else {403}):  # pages ask to sign in
                wrong.append((kind, name, status))
    assert wrong == []
    job = world.ids["job one"]
    for path in (f"/api/v1/jobs/{job}/cancel", f"/api/v1/jobs/{job}/share", "/api/v1/tokens", "/api/v1/session"):
        body = {"jobId": job} if path.endswith("tokens") else {}
        answer = await world.api.with_token(world.tokens["job"]).post(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), path


def _asking(namespace: str, event: str, ids: dict[str, str], which: str) -> str:
    named = {f"{kind}Id": ids[f"{kind} {which}"] for kind in ("brand", "job", "group")}
    return f"42{namespace},7{json.dumps([event, named])}"


async def test_a_socket_of_it_follows_its_own_thing_and_hears_of_nothing_else(world: World) -> None:
    ids, wrong = world.ids, []
    for kind, token in world.tokens.items():
        for namespace in (WIZARD, DASHBOARD, ADMIN):
            raw = await Raw.open(world.api)
            joined = '"sid"' in await raw.join(namespace, token)
            assert joined == (namespace != ADMIN)
            for event in (name for place, name in EVENTS if joined and place == namespace):
                for which in ("one", "two"):
                    told = await raw.ask(_asking(namespace, event, ids, which))
                    may = event in _FOLLOWED[kind] and which == "one"
                    if ("error" not in told) != may:
                        wrong.append((kind, event, which, told))
            await raw.connection.close()
    assert wrong == []


async def test_it_hears_nothing_that_its_users_own_room_is_told(world: World) -> None:
    raw = await Raw.open(world.api)
    await raw.join(DASHBOARD, world.tokens["brand"])
    ids = world.ids
    assert await raw.ask(_asking(DASHBOARD, "brand:watch", ids, "one")) == {"ok": True}
    ana = world.api.as_user(ANA)
    for which in ("two", "one"):
        await ana.patch(f"/api/v1/brands/{ids[f'brand {which}']}", json={"vision": which})
    told = await asyncio.wait_for(raw.read(), PATIENCE)
    assert ids["brand one"] in told, "the first thing that it heard was of its own brand"
    await raw.connection.close()


async def test_a_groups_page_hears_of_its_later_jobs_without_asking_for_them(api: Api) -> None:
    """By the token of its kit: the jobs of each step in its room, with pictures that open, and where the kit stands."""
    ana = api.as_user(ANA)
    brands = [await api.brand(ana, name) for name in ("one", "two")]
    groups, of_logos = [], []
    for brand in brands:
        groups.append(await _kit(ana, brand))
        (job,) = (await ana.get("/api/v1/jobs", params={"groupId": groups[-1]})).json()["jobs"]
        of_logos.append(await claim(api.core, job["jobId"]))
    token = (await ana.post("/api/v1/tokens", json={"groupId": groups[0]})).json()["token"]
    page = {namespace: await Raw.open(api) for namespace in (WIZARD, DASHBOARD)}
    for namespace, asked in ((WIZARD, "group:join"), (DASHBOARD, "group:watch")):
        await page[namespace].join(namespace, token)
        named = json.dumps([asked, {"groupId": groups[0]}])
        assert await page[namespace].ask(f"42{namespace},7{named}") == {"ok": True}
    for group, brand, row in reversed([*zip(groups, brands, of_logos, strict=True)]):  # the other one first: unheard
        logo = await add_asset(api.core, brand, row.id, b"png")
        saved = await api.core.db.read(lambda conn, logo=logo: asset_store.get(conn, logo))
        result = LogosResult(logos=[asset_row(saved)], generated=1, requested=1)
        await complete(api.core, row, result)
        await course.carry_on(api.core)
        await ana.post(f"/api/v1/kits/{group}/pick", json={"assetId": logo})
        await course.carry_on(api.core)
    heard = {namespace: [await _next(page[namespace])] for namespace in page}
    while heard[WIZARD][-1]["jobId"] == of_logos[0].id:
        heard[WIZARD].append(await _next(page[WIZARD]))
    *first, later = heard[WIZARD]
    assert later["jobId"].startswith("mockup-generation-")
    assert "?" in first[-1]["result"]["logos"][0]["url"], "signed: its room may see it"
    assert (heard[DASHBOARD][0]["groupId"], heard[DASHBOARD][0]["state"]) == (groups[0], "picking")
    for raw in page.values():
        await raw.connection.close()


async def _kit(client: httpx.AsyncClient, brand: str) -> str:
    body = {"brandId": brand, "count": 1, "products": ["mug"], "without": ["bundle", "video"]}
    begun = await client.post("/api/v1/generation/kits", json=body)
    assert begun.status_code == 202, begun.text
    return str(begun.json()["groupId"])


async def _next(raw: Raw) -> dict[str, Any]:
    """What the next event says."""
    text = await asyncio.wait_for(raw.read(), PATIENCE)
    data: dict[str, Any] = json.loads(text.partition(",")[2])[1]
    return data


async def test_it_follows_live_also_by_an_address_alone(api: Api) -> None:
    """As an EventSource does, which sends no header. No other token is read from an address."""
    ana = api.as_user(ANA)
    job = await api.logos(ana, await api.brand(ana), count=1)
    token = (await ana.post("/api/v1/tokens", json={"jobId": job})).json()["token"]
    anybody = api.anonymous()
    for path in (f"/api/v1/jobs/{job}/events?token=", f"/api/v1/events?job={job}&token="):
        assert (await anybody.get(path + ana.headers["Authorization"].partition(" ")[2])).status_code == 401
    assert (await anybody.get(f"/api/v1/jobs/{job}?token={token}")).status_code == 401
    seen: list[str] = []
    async with anybody.stream("GET", f"/api/v1/jobs/{job}/events", params={"token": token}) as answer:
        assert answer.status_code == 200
        async for line in answer.aiter_lines():
            if line.startswith("event:"):
                seen.append(line)
            if len(seen) == 1:
                row = await claim(api.core, job)
                await progress(api.core, row, 40)
                await complete(api.core, row)
                seen.append("begun")
    assert seen[-1] == "event: job:complete"


async def test_it_ends_by_itself_and_with_the_key_that_made_it(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    key = await api.key(Role.USER, ANA)
    maker = api.with_token(key.text)
    brand = await api.brand(maker)
    answer = await maker.post("/api/v1/tokens", json={"brandId": brand, "expiresIn": 60})
    token = answer.json()["token"]
    client = api.with_token(token)
    assert (await client.get(f"/api/v1/brands/{brand}")).status_code == 200
    forged = [token[:-2] + "AA", token.replace(".", "a."), "bmn_view_", "bmn_view_.", token.partition(".")[0]]
    for each in forged:
        assert (await api.with_token(each).get(f"/api/v1/brands/{brand}")).status_code == 401, each
    await api.core.db.write(lambda conn: api_keys.revoke(conn, key.id, by="tests"))
    async with asyncio.timeout(PATIENCE):
        while (await client.get(f"/api/v1/brands/{brand}")).status_code != 401:  # noqa: ASYNC110, a server is asked
            await asyncio.sleep(0.1)
    own = api.as_user(BEN)
    mine = await api.brand(own)
    short = (await own.post("/api/v1/tokens", json={"brandId": mine, "expiresIn": 30})).json()["token"]
    now = time.time()
    monkeypatch.setattr("bmn.identity.browser.time.time", lambda: now + 31)
    assert (await api.with_token(short).get(f"/api/v1/brands/{mine}")).status_code == 401


async def test_only_what_is_ones_own_gets_one(world: World) -> None:
    ben, admin = world.api.as_user(BEN), world.api.as_user(BEN, "admin")
    bodies: list[tuple[dict[str, Any], int]] = [
        ({"jobId": world.ids["job one"]}, 404),
        ({"brandId": world.ids["brand one"]}, 404),
        ({"jobId": f"logo-generation-{uuid4()}"}, 404),
        ({"groupId": world.ids["group one"]}, 404),
        ({"groupId": str(uuid4())}, 404),
        ({}, 400),
        ({"groupId": world.ids["group one"], "brandId": world.ids["brand one"]}, 400),
        ({"jobId": world.ids["job one"], "brandId": world.ids["brand one"]}, 400),
        ({"jobId": world.ids["job one"], "expiresIn": 10**6}, 400),
    ]
    for body, status in bodies:
        for client in (ben, admin):
            assert (await client.post("/api/v1/tokens", json=body)).status_code == status, body
