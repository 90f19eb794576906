"""Addresses of pictures: what can never be fetched is refused by the parameter that gives it, before anything is paid."""

import httpx

from tests.kit.api import Api


async def test_a_picture_that_can_never_be_fetched_is_refused_before_it_is_paid(
    api: Api, ana: httpx.AsyncClient
) -> None:
    brand, product = await api.brand(ana), (await ana.get("/api/v1/products")).json()["products"][0]
    chosen = {"productId": product["id"], "productName": product["name"], "productCategory": product["category"]}
    for url in ("http://a.example/logo.png", "https://10.0.0.1/logo.png", "https://intranet/", "https://a.example:99/"):
        body = {"brandId": brand, "logoUrl": url, "products": [chosen]}
        answer = await ana.post("/api/v1/generation/mockups", json=body)
        assert answer.status_code == 400, answer.text
        assert "logoUrl" in answer.text
    assert (await ana.get("/api/v1/jobs")).json()["total"] == 0
