"""A real server on a port of its own, with a real Redis and each of the two databases."""

import httpx
import pytest

from tests.kit.api import Api, api, start
from tests.kit.people import ADMIN, ANA, BEN

__all__ = ["api", "start"]


@pytest.fixture
async def ana(api: Api) -> httpx.AsyncClient:
    return api.as_user(ANA)


@pytest.fixture
async def ben(api: Api) -> httpx.AsyncClient:
    return api.as_user(BEN)


@pytest.fixture
async def admin(api: Api) -> httpx.AsyncClient:
    return api.as_user(ADMIN, "admin")
