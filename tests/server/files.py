"""A brand with one file, and the link to it."""

import httpx
import pytest

from tests.kit.api import Api
from tests.kit.jobs import add_asset

PNG = b"\x89PNG\r\n\x1a\n" + b"pixels"


@pytest.fixture
async def brand(api: Api, ana: httpx.AsyncClient) -> str:
    brand = await api.brand(ana)
    await add_asset(api.core, brand, data=PNG)
    return brand


async def signed_url(client: httpx.AsyncClient, brand: str) -> str:
    url: str = (await client.get(f"/api/v1/brands/{brand}/assets")).json()["assets"][0]["url"]
    return url
