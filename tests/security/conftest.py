"""What an attacker meets: one server per file, with a real Redis, on SQLite. The engine's fixtures run on SQLite only."""

import asyncio
import shutil
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import redis

from bmn.identity.tokens import mint_development_token
from bmn.server.app import Application, create_app, create_server
from bmn.settings import Settings, load_settings
from tests.jobs.conftest import engine, settings
from tests.processes import wait_until

__all__ = ["engine", "settings"]

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
        self.clients.append(httpx.Client(base_url=self.url, headers=headers, timeout=20, trust_env=False))
        return self.clients[-1]

    def brand(self, client: httpx.Client) -> str:
        return str(client.post("/api/v1/brands", json={"name": "Acme"}).json()["id"])

    def logos(self, client: httpx.Client, count: int) -> str:
        body = {"brandId": self.brand(client), "count": count}
        return str(client.post("/api/v1/generation/logos", json=body).json()["jobId"])

    def write(self, change: Callable[[Any], T]) -> T:
        return self.wait(self.app.resources.core.db.write(change))

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)


@pytest.fixture(scope="module")
def emptied_redis(redis_server: str) -> Iterator[str]:
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
        yield redis_server
        client.flushall()


@pytest.fixture(scope="module")
def before_start() -> None:
    """What happened before the server of this file started; files say so by a fixture of the same name."""


@pytest.fixture(scope="module")
def target(
    tmp_path_factory: pytest.TempPathFactory, emptied_redis: str, migrated_sqlite: Path, before_start: None
) -> Iterator[Target]:
    home = tmp_path_factory.mktemp("home")
    database = shutil.copy(migrated_sqlite, home / "test.sqlite3")
    loop = asyncio.new_event_loop()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        chosen = load_settings(
            bmn_home=home,
            redis_url=emptied_redis,
            database_url=f"sqlite:///{database}",
            public_url=url,
            bmn_requests_per_minute=0,
            bmn_generations_per_minute=0,
        )
        app = create_app(chosen)
        server = create_server(app)
        # uvicorn takes signals only in the main thread, and here it is not.
        thread = threading.Thread(target=lambda: loop.run_until_complete(server.serve([sock])), daemon=True)
        thread.start()
        wait_until(lambda: server.started or not thread.is_alive())
        assert server.started
        found = Target(url, chosen, app, loop)
        yield found
        for client in found.clients:
            client.close()
        server.should_exit = True
        thread.join(20)
    loop.close()


@pytest.fixture
def database_url(tmp_path: Path, migrated_sqlite: Path) -> str:
    return f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'test.sqlite3')}"
