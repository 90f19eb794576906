"""What an attacker meets: one server per file, with a real Redis, on SQLite. The engine's fixtures run on SQLite only."""

import asyncio
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from bmn.server.app import create_app, create_server
from bmn.settings import load_settings
from tests.kit.engine import engine, settings
from tests.kit.processes import PATIENCE, wait_until
from tests.security.target import Target

__all__ = ["engine", "settings"]


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
        thread.join(PATIENCE)
    loop.close()


@pytest.fixture
def database_url(tmp_path: Path, migrated_sqlite: Path) -> str:
    return f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'test.sqlite3')}"
