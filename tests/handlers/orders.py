"""Payloads of every kind, as far as they differ from job to job, and what was made of them."""

from typing import Any
from uuid import uuid4

from tests.kit.bench import Bench
from tests.kit.people import ANA, EMAIL
from tests.kit.pictures import png

COLORS = {"colorPalette": ["#112233", "#AABBCC"]}
WELCOME = {"to": EMAIL, "template": "welcome", "userId": ANA, "data": {"name": "Ana"}}


async def mockup(bench: Bench, **fields: Any) -> dict[str, Any]:
    usual = {"productId": str(uuid4()), "productName": "Mug", "productCategory": "drinkware", **COLORS}
    return {**usual, "logoUrl": await bench.asset("logo", png("red")), **fields}


async def bundle(bench: Bench, **fields: Any) -> dict[str, Any]:
    urls = [await bench.asset("mockup", png(color)) for color in ("red", "green", "blue")]
    return {"bundleName": "Starter", "productMockupUrls": urls, "brandName": "Acme", **COLORS, **fields}


async def video(bench: Bench, **fields: Any) -> dict[str, Any]:
    usual = {"productName": "Mug", "brandName": "Acme", "durationSeconds": 3, **COLORS}
    return {**usual, "productMockupUrl": await bench.asset("mockup"), **fields}


async def logos(bench: Bench) -> dict[str, Any]:
    usual = {"brandName": "Acme", "brandVision": "v", "logoStyle": "modern", "colorPalette": ["#112233"]}
    return {**usual, "count": 1}


async def wizard(bench: Bench) -> dict[str, Any]:
    return {"step": "brand-identity"}


async def stored(bench: Bench, asset: dict[str, Any]) -> bytes:
    key = bench.core.storage.key_of(asset["url"])
    assert key is not None
    return await bench.core.storage.get(key)
