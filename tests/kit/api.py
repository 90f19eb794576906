"""A real server on a port of its own, with a real Redis and a real database, and its clients."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from bmn.db.accounts import api_keys
from bmn.identity.development import mint_development_token
from bmn.identity.key_format import MintedKey, mint_key, new_row
from bmn.jobs.core import Core
from bmn.schemas.base import Role
from bmn.server.app import Application, create_app, create_server
from bmn.settings import Settings, load_settings
from tests.kit.people import ANA
from tests.kit.processes import PATIENCE


@dataclass
class Api:
    """A running server. `api.as_user(ANA)` is an HTTP client signed in as that user."""

    url: str
    settings: Settings
    app: Application
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def core(self) -> Core:
        return self.app.resources.core

    @property
    def port(self) -> int:
        return httpx.URL(self.url).port or 0

    async def key(self, role: Role, user_id: str, seconds: float | None = None) -> MintedKey:
        """An API key of this role."""
        minted = mint_key()
        new = new_row(minted, f"the tests' {role.value}", role, user_id, seconds)
        await self.core.db.write(lambda conn: api_keys.create(conn, new, by="tests"))
        return minted

    def with_token(self, token: str) -> httpx.AsyncClient:
        return self._client({"Authorization": f"Bearer {token}"})

    def as_user(self, user_id: str, role: str = "user", email: str | None = None) -> httpx.AsyncClient:
        token = mint_development_token(self.settings, user_id, email, role)
        return self._client({"Authorization": f"Bearer {token}"})

    def anonymous(self) -> httpx.AsyncClient:
        return self._client({})

    def _client(self, headers: dict[str, str]) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=100)
        client = httpx.AsyncClient(base_url=self.url, headers=headers, timeout=PATIENCE, limits=limits, trust_env=False)
        self.clients.append(client)
        return client

    async def brand(self, client: httpx.AsyncClient, name: str = "Acme Coffee", **fields: Any) -> str:
        answer = await client.post("/api/v1/brands", json={"name": name, **fields})
        assert answer.status_code == 201, answer.text
        brand_id: str = answer.json()["id"]
        return brand_id

    async def logos(self, client: httpx.AsyncClient, brand_id: str, **fields: Any) -> str:
        answer = await client.post("/api/v1/generation/logos", json={"brandId": brand_id, **fields})
        assert answer.status_code == 202, answer.text
        job_id: str = answer.json()["jobId"]
        return job_id


class Starter:
    """Starts servers and stops them at the end of the test."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self._running: list[tuple[Any, asyncio.Task[None], Api]] = []

    async def __call__(self, **changes: Any) -> Api:
        sock = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        settings = load_settings(**{**self._settings, "public_url": url, **changes})
        app = create_app(settings)
        server = create_server(app)
        task = asyncio.create_task(server.serve([sock]))
        api = Api(url, settings, app)
        self._running.append((server, task, api))
        async with asyncio.timeout(PATIENCE):
            while not server.started and not task.done():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert server.started
        return api

    async def stop(self) -> None:
        for server, task, api in self._running:
            for client in api.clients:
                await client.aclose()
            server.should_exit = True
            await task
        self._running.clear()


@pytest.fixture
async def start(home: Path, redis_url: str, database_url: str) -> AsyncIterator[Starter]:
    starter = Starter(
        {
            "redis_url": redis_url,
            "database_url": database_url,
            "bmn_requests_per_minute": 0,
            "bmn_generations_per_minute": 0,
        }
    )
    yield starter
    await starter.stop()


@pytest.fixture
async def api(start: Starter) -> Api:
    return await start()


def fresh_key() -> str:
    return uuid4().hex


async def sign_in(api: Api, user_id: str = ANA, role: str = "user", path: str = "/") -> httpx.AsyncClient:
    """A browser with a session; what it sends comes from pages of ours."""
    answer = await api.as_user(user_id, role).post("/api/v1/session", json={"path": path})
    browser = api.anonymous()
    browser.headers["Sec-Fetch-Site"] = "same-origin"
    landed = await browser.get(answer.json()["url"])
    assert (landed.status_code, landed.headers["location"]) == (303, path)
    return browser
