"""A server that is attacked."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from bmn.identity.development import mint_development_token
from bmn.server.app import Application
from bmn.settings import Settings
from tests.kit.processes import PATIENCE

T = TypeVar("T")


@dataclass
class Target:
    """A running server. `write` and `read` are for what its workers would do meanwhile."""

    url: str
    settings: Settings
    app: Application
    loop: asyncio.AbstractEventLoop
    clients: list[httpx.Client] = field(default_factory=list)

    def client(self, user_id: str, role: str = "user", email: str | None = None) -> httpx.Client:
        token = mint_development_token(self.settings, user_id, email, role)
        headers = {"Authorization": f"Bearer {token}"}
        self.clients.append(httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE, trust_env=False))
        return self.clients[-1]

    def brand(self, client: httpx.Client) -> str:
        return str(client.post("/api/v1/brands", json={"name": "Acme"}).json()["id"])

    def logos(self, client: httpx.Client, count: int) -> str:
        body = {"brandId": self.brand(client), "count": count}
        return str(client.post("/api/v1/generation/logos", json=body).json()["jobId"])

    def write(self, change: Callable[[Any], T]) -> T:
        return self.wait(self.app.resources.core.db.write(change))

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)
