"""HEAD answers wherever GET does, with the same headers and nothing behind them."""

import asyncio

import httpx
import pytest

from tests.kit.api import Api
from tests.kit.jobs import add_asset
from tests.kit.processes import PATIENCE
from tests.server.files import PNG, brand, signed_url

__all__ = ["brand"]  # a fixture

_OF_ONE_ANSWER = ("date", "x-request-id")


def told(answer: httpx.Response) -> dict[str, str]:
    return {
        name: value
        for name, value in answer.headers.items()
        if name not in _OF_ONE_ANSWER and not name.startswith("ratelimit")
    }


@pytest.mark.parametrize("path", ["/health", "/health/live", "/metrics", "/openapi.json", "/api/v1/jobs", "/nowhere"])
async def test_it_says_what_a_get_says(ana: httpx.AsyncClient, path: str) -> None:
    read, asked = await ana.get(path), await ana.head(path)
    assert (asked.status_code, asked.content) == (read.status_code, b"")
    assert told(asked).keys() == told(read).keys()


async def test_of_a_file_it_says_the_size_and_leaves_a_range_to_get(ana: httpx.AsyncClient, brand: str) -> None:
    url = (await signed_url(ana, brand)).split("?")[0]
    asked = await ana.head(url)
    assert (asked.status_code, asked.headers["content-length"], asked.content) == (200, str(len(PNG)), b"")
    assert told(asked) == told(await ana.get(url))
    part = await ana.head(url, headers={"Range": "bytes=0-1"})
    assert (part.status_code, part.headers["content-length"]) == (200, str(len(PNG)))  # RFC 9110, 14.2


async def test_a_stream_of_events_is_not_held_open(api: Api, ana: httpx.AsyncClient) -> None:
    job = await api.logos(ana, await api.brand(ana))
    async with asyncio.timeout(PATIENCE):
        asked = await ana.head(f"/api/v1/jobs/{job}/events")
        assert (asked.status_code, asked.headers["content-type"].split(";")[0]) == (200, "text/event-stream")
        assert (await ana.get("/health/live")).status_code == 200  # over the same connection


async def test_it_does_not_spend_a_sign_in_link(api: Api, ana: httpx.AsyncClient) -> None:
    """Programs that preview links ask like this."""
    url = (await ana.post("/api/v1/session", json={"path": "/"})).json()["url"]
    browser = api.anonymous()
    assert "set-cookie" not in (await browser.head(url)).headers
    assert (await browser.get(url)).status_code == 303


async def test_what_only_writes_refuses_it(ana: httpx.AsyncClient, api: Api, brand: str) -> None:
    await add_asset(api.core, brand, data=PNG)
    assert (await ana.head("/api/v1/generation/logos")).status_code == 405
