"""Brands, assets, products, credits and costs."""

from typing import Any

import httpx
from sqlalchemy import insert

from bmn.db.library.product_store import SEED
from bmn.db.tables import provider_calls
from bmn.work.defaults import palette_of
from tests.kit.api import Api, Starter
from tests.kit.jobs import add_asset
from tests.kit.people import ANA, BEN

API = "/api/v1"


async def test_a_brand_is_made_found_and_changed(api: Api, ana: httpx.AsyncClient) -> None:
    made = await ana.post(f"{API}/brands", json={"name": " Ünïcode ☕ عربي ", "colorPalette": ["0f0"]})
    brand = made.json()
    assert (made.status_code, brand["name"], brand["colorPalette"]) == (201, "Ünïcode ☕ عربي", ["#00FF00"])
    assert (await ana.get(f"{API}/brands/{brand['id']}")).json() == brand
    changed = await ana.patch(f"{API}/brands/{brand['id']}", json={"vision": "Calm.", "colorPalette": None})
    assert changed.status_code == 200
    now = (await ana.get(f"{API}/brands/{brand['id']}")).json()
    assert (now["vision"], now["colorPalette"], now["name"]) == ("Calm.", None, brand["name"])
    for body in ({"status": "sold"}, {"userId": BEN}, {"name": ""}, {"colorPalette": ["red-ish"]}):
        assert (await ana.patch(f"{API}/brands/{brand['id']}", json=body)).status_code == 400, body
    assert (await ana.patch(f"{API}/brands/{brand['id']}", json={"name": None})).json()["name"] == brand["name"]


async def test_a_change_is_seen_at_once_by_every_server(start: Starter) -> None:
    first, second = await start(), await start()
    ana, elsewhere = first.as_user(ANA), second.as_user(ANA)
    brand = await first.brand(ana, "Before")
    for name in ("One", "Two", "Three"):
        assert (await elsewhere.get(f"{API}/brands/{brand}")).status_code == 200  # it is cached now
        await ana.patch(f"{API}/brands/{brand}", json={"name": name})
        assert (await elsewhere.get(f"{API}/brands/{brand}")).json()["name"] == name


async def test_brands_are_found_by_name_and_page_by_page(api: Api, ana: httpx.AsyncClient) -> None:
    made = [await api.brand(ana, name) for name in ("Acme", "Bolt", "Cask")]
    found = (await ana.get(f"{API}/brands", params={"name": "aCME"})).json()["brands"]
    assert [brand["id"] for brand in found] == made[:1]
    seen, cursor = [], None
    for _ in range(2):
        page = (await ana.get(f"{API}/brands", params={"limit": 2, **({"cursor": cursor} if cursor else {})})).json()
        seen += [brand["id"] for brand in page["brands"]]
        cursor = page["nextCursor"]
    assert (seen, cursor) == (made[::-1], None)


async def test_one_asset_of_a_kind_is_the_selected_one(api: Api, ana: httpx.AsyncClient) -> None:
    brand = await api.brand(ana)
    first, second = [await add_asset(api.core, brand) for _ in range(2)]
    mockup = await add_asset(api.core, brand, asset_type="mockup")
    for chosen in (first, mockup, second):
        assert (await ana.post(f"{API}/assets/{chosen}/select")).json()["isSelected"] is True
    rows = (await ana.get(f"{API}/brands/{brand}/assets")).json()["assets"]
    assert {row["id"]: row["isSelected"] for row in rows} == {first: False, second: True, mockup: True}
    logos = (await ana.get(f"{API}/brands/{brand}/assets", params={"type": "mockup"})).json()["assets"]
    assert [row["id"] for row in logos] == [mockup]
    assert (await ana.get(f"{API}/assets/{second}")).json()["isSelected"] is True


async def test_the_catalogue_has_the_products_that_can_be_named(api: Api, ana: httpx.AsyncClient) -> None:
    for _ in range(2):  # from the rows, then from the cache
        found = (await ana.get(f"{API}/products")).json()["products"]
        assert {product["id"]: product["slug"] for product in found} == {row["id"]: row["slug"] for row in SEED}
    assert await api.core.redis.ttl("cache:product:catalog") > 3500


async def test_a_new_user_starts_with_credits_and_sees_where_they_went(api: Api, ana: httpx.AsyncClient) -> None:
    job_id = await api.logos(ana, await api.brand(ana), count=3)
    body = (await ana.get(f"{API}/credits")).json()
    assert (body["creditsRemaining"], body["creditsReserved"], body["creditsUsed"]) == (17, 3, 0)
    assert [(entry["kind"], entry["amount"], entry["jobId"]) for entry in body["ledger"]] == [
        ("reserve", -3, job_id),
        ("start", 20, None),
    ]


async def test_costs_are_shown_by_kind_provider_and_user(
    api: Api, ana: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    rows: list[dict[str, Any]] = [
        {"user_id": ANA, "queue": "logo-generation", "provider": "bfl", "usd": 0.03, "units": 1.0, "sandboxed": 0},
        {"user_id": ANA, "queue": "logo-generation", "provider": "bfl", "usd": 0.03, "units": 1.0, "sandboxed": 0},
        {"user_id": BEN, "queue": "video-generation", "provider": "google", "usd": 0.8, "units": 8.0, "sandboxed": 1},
        {"user_id": None, "queue": None, "provider": "resend", "usd": 0.0, "units": 1.0, "sandboxed": 0, "at": 1.0},
    ]

    def write(conn: Any) -> None:
        for row in rows:
            conn.execute(insert(provider_calls).values(operation="make", outcome="ok", **row))

    await api.core.db.write(write)
    mine = (await ana.get(f"{API}/costs")).json()
    (row,) = mine["rows"]
    assert row == {
        "key": "logo-generation",
        "calls": 2,
        "units": 2.0,
        "usd": 0.06,
        "sandboxed": False,
        "usdEstimated": None,
    }
    assert (mine["totalUsd"], mine["sandboxedUsd"]) == (0.06, 0.0)
    users = (await admin.get(f"{API}/costs", params={"by": "user"})).json()
    assert {row["key"]: row["usd"] for row in users["rows"]} == {ANA: 0.06, BEN: 0.8, "-": 0.0}
    assert (users["totalUsd"], users["sandboxedUsd"]) == (0.06, 0.8)
    recent = (await admin.get(f"{API}/costs", params={"by": "provider", "all": True, "since": 3600})).json()
    assert {row["key"] for row in recent["rows"]} == {"bfl", "google"}
    for params in ({"by": "user"}, {"all": True}):
        assert (await ana.get(f"{API}/costs", params=params)).status_code == 403


async def test_a_dry_run_shows_prompts_and_price_and_stores_nothing(api: Api, ana: httpx.AsyncClient) -> None:
    brand = await api.brand(ana, "Acme")
    answer = await ana.post(f"{API}/generation/logos/estimate", json={"brandId": brand, "count": 3})
    body = answer.json()
    assert (answer.status_code, len(body["prompts"]), body["credits"], body["creditsAvailable"]) == (200, 3, 3, 20)
    assert body["usd"] > 0 and all("Acme" in prompt for prompt in body["prompts"])
    assert (await ana.get(f"{API}/jobs")).json()["total"] == 0


def test_a_palette_out_of_a_name_is_always_the_same_and_usable() -> None:
    palettes = {name: palette_of(name) for name in ("Acme", "Bolt", "茶☕ عربي", "x")}
    assert palettes["Acme"] == palette_of(" acme ")
    assert len({tuple(colors) for colors in palettes.values()}) == len(palettes)
    assert all(len(colors) == 3 and all(len(c) == 7 and c[0] == "#" for c in colors) for colors in palettes.values())
