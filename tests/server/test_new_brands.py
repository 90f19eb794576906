"""A brand that its order makes: both are there, or neither is."""

import asyncio
from typing import Any

import httpx
import pytest

from bmn.db.accounts import credit_store
from bmn.schemas.kind import NEW_BRAND
from tests.kit.api import Api
from tests.kit.people import ANA

LOGOS = "/api/v1/generation/logos"
ORDERS = [
    (LOGOS, {"count": 2}),
    ("/api/v1/generation/wizard", {"step": "brand-identity"}),
    ("/api/v1/generation/kits", {"count": 1, "products": ["mug"], "without": ["bundle", "video"]}),
]


async def _brands(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get("/api/v1/brands")).json()["brands"]
    return found


async def _spend(api: Api) -> None:
    """Takes all of Ana's credits."""
    left = (await api.core.db.read(lambda conn: credit_store.balance(conn, ANA))).remaining
    await api.core.db.write(lambda conn: credit_store.reserve(conn, ANA, left))


@pytest.mark.parametrize(("path", "asked"), ORDERS)
async def test_an_order_makes_the_brand_that_it_names(
    api: Api, ana: httpx.AsyncClient, path: str, asked: dict[str, object]
) -> None:
    body = {"brandId": NEW_BRAND, "newBrand": {"name": "Café Rouge", "logoStyle": "vintage"}, **asked}
    made = await ana.post(path, json=body, headers={"Idempotency-Key": "once"})
    assert made.status_code == 202, made.text
    again = await ana.post(path, json=body, headers={"Idempotency-Key": "once"})
    assert again.status_code == 202, again.text
    (brand,) = await _brands(ana)
    assert (brand["name"], brand["logoStyle"]) == ("Café Rouge", "vintage")
    (job,) = (await ana.get("/api/v1/jobs")).json()["jobs"]
    assert job["brandId"] == brand["id"]
    known = {**body, "newBrand": {"name": "CAFÉ  ROUGE"}}
    assert (await ana.post(path, json=known)).status_code == 202
    assert [each["id"] for each in await _brands(ana)] == [brand["id"]]


@pytest.mark.parametrize(("path", "asked"), ORDERS)
async def test_an_order_that_is_refused_leaves_no_brand(
    api: Api, ana: httpx.AsyncClient, path: str, asked: dict[str, object]
) -> None:
    assert await _brands(ana) == []
    await _spend(api)
    refused = await ana.post(path, json={"brandId": NEW_BRAND, "newBrand": {"name": "Acme"}, **asked})
    assert refused.status_code == 402, refused.text
    assert await _brands(ana) == []


async def test_the_form_of_the_first_page_leaves_no_brand_either(api: Api, ana: httpx.AsyncClient) -> None:
    assert await _brands(ana) == []
    await _spend(api)
    assert (await ana.post("/g/new", data={"name": "Acme", "key": "12345678"})).status_code == 402
    assert await _brands(ana) == []


async def test_orders_at_once_for_one_new_name_make_one_brand(api: Api, ana: httpx.AsyncClient) -> None:
    body = {"brandId": NEW_BRAND, "newBrand": {"name": "Acme"}, "count": 1}
    made = await asyncio.gather(*(ana.post(LOGOS, json=body) for _ in range(6)))
    assert {each.status_code for each in made} == {202}
    assert len(await _brands(ana)) == 1


@pytest.mark.parametrize(
    "names",
    [{"brandId": NEW_BRAND}, {"brandId": "1d9c1f0e-7c5e-4c8e-9a39-5b1f0f2f7a11", "newBrand": {"name": "Acme"}}, {}],
)
async def test_an_order_names_one_brand(ana: httpx.AsyncClient, names: dict[str, object]) -> None:
    for path, asked in ORDERS:
        assert (await ana.post(path, json={**names, **asked})).status_code == 400


async def test_a_dry_run_makes_no_brand(ana: httpx.AsyncClient) -> None:
    body = {"brandId": NEW_BRAND, "newBrand": {"name": "Acme"}, "count": 2}
    assert (await ana.post(f"{LOGOS}/estimate", json=body)).json()["credits"] > 0
    assert await _brands(ana) == []
