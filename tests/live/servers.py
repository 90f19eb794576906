"""Socket servers, some of them in processes of their own, a real Redis and SQLite, and the official client."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import uvicorn
from sqlalchemy import Connection, update

from bmn.db import job_store
from bmn.db.library import brand_store
from bmn.db.records import NewJob
from bmn.db.tables import brands as brand_table
from bmn.db.tables import jobs as job_table
from bmn.identity.development import mint_development_token
from bmn.jobs.core import Core
from bmn.server.sockets.limits import Limits
from bmn.settings import Settings, load_settings
from tests.kit.driver import Client, Driver
from tests.kit.people import ANA
from tests.kit.processes import PATIENCE
from tests.kit.raw import Address
from tests.kit.rows import add_event
from tests.live.serve import App, uvicorn_config

_ROOT = Path(__file__).parents[2]


class ServerProcess:
    def __init__(self, env: dict[str, str], port: int = 0, **limits: Any) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.live.serve"],
            env={**env, "LIVE_PORT": str(port), "LIVE_LIMITS": json.dumps(limits)},
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )

    async def started(self) -> "ServerProcess":
        assert self.process.stdout
        line = await asyncio.to_thread(self.process.stdout.readline)
        assert line, "the server did not start"
        self.port = int(line)
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


class Server:
    """A server in the test's own process, with resources of its own."""

    def __init__(self, settings: Settings, port: int, **limits: Any) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = int(self._listener.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.app = App(settings, Limits(**limits))
        self._server = uvicorn.Server(uvicorn_config(self.app))

    async def started(self) -> "Server":
        self._serving = asyncio.create_task(self._server._serve([self._listener]))
        async with asyncio.timeout(PATIENCE):
            while not self._server.started and not self._serving.done():  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        assert self._server.started
        return self

    async def stop(self) -> None:
        self._server.should_exit = True
        await self._serving


class Reachable(Address, Protocol):
    """Of which the official client wants to know more."""

    @property
    def url(self) -> str: ...


class Live:
    """The whole of it. A test's own process holds a core, and writes rows and events the way a worker does."""

    def __init__(self, settings: Settings, core: Core, env: dict[str, str]) -> None:
        self.settings = settings
        self.core = core
        self._env = env
        self._servers: list[Server] = []
        self._processes: list[ServerProcess] = []
        self._driver: Driver | None = None
        self._clients = 0

    async def server(self, port: int = 0, settings: dict[str, Any] | None = None, **limits: Any) -> Server:
        chosen = load_settings(redis_url=self.settings.redis_url, **(settings or {}))
        server = Server(chosen, port, **limits)
        self._servers.append(server)
        return await server.started()

    async def process(self, port: int = 0, **limits: Any) -> ServerProcess:
        """A server in a process of its own, which a test may kill or measure."""
        process = ServerProcess(self._env, port, **limits)
        self._processes.append(process)
        return await process.started()

    def token(self, user_id: str = ANA, role: str = "user", seconds: float = 3600) -> str:
        return mint_development_token(self.settings, user_id, None, role, seconds)

    async def join(self, server: Reachable, namespace: str, **options: Any) -> Client:
        """A client that begins to connect; as Ana unless `token` or `auth` says otherwise."""
        if self._driver is None:
            self._driver = Driver()
            await self._driver.start()
        self._clients += 1
        client = Client(self._driver, f"c{self._clients}")
        auth = options.pop("auth", None) or {"token": options.pop("token", None) or self.token()}
        fast = {"reconnectionDelay": 20, "reconnectionDelayMax": 100, "transports": ["websocket"]}
        settings = {**fast, "auth": auth, **options}
        self._driver.command("connect", client.name, url=server.url + namespace, options=settings)
        return client

    async def client(self, server: Reachable, namespace: str = "/wizard", **options: Any) -> Client:
        """A client that has connected."""
        client = await self.join(server, namespace, **options)
        await client.connected()
        return client

    async def brand(self, user_id: str = ANA) -> str:
        row = await self.core.db.write(lambda conn: brand_store.create(conn, user_id, {"name": "Acme"}))
        return str(row.id)

    async def job(
        self,
        user_id: str = ANA,
        brand_id: str | None = None,
        payload: dict[str, Any] | None = None,
        group_id: str | None = None,
    ) -> str:
        """A job with its first event, published."""
        job_id = f"logo-{uuid4()}"
        new = NewJob(
            id=job_id,
            queue="logo-generation",
            payload=payload or {},
            payload_version=1,
            max_attempts=3,
            priority=1,
            user_id=user_id,
            brand_id=brand_id,
            group_id=group_id,
        )
        first = await self.core.db.write(lambda conn: job_store.insert_job(conn, new))
        await self.core.events.publish([first])
        return job_id

    async def publish(
        self, job_id: str, event: str = "job:progress", *, stored_only: bool = False, **fields: Any
    ) -> int:
        """A job publishes an event; its seq. stored_only: Redis does not get it."""
        row = await self.core.db.write(lambda conn: add_event(conn, job_id, event, **fields))
        if not stored_only:
            await self.core.events.publish([row])
        return int(row.seq)

    async def publish_many(self, job_id: str, count: int) -> None:
        def write(conn: Connection) -> list[Any]:
            return [add_event(conn, job_id) for _ in range(count)]

        await self.core.events.publish(await self.core.db.write(write))

    async def end(self, job_id: str, state: str = "completed", **fields: Any) -> None:
        values = {"state": state, "progress": 100, **fields}
        await self.core.db.write(
            lambda conn: conn.execute(update(job_table).where(job_table.c.id == job_id).values(**values))
        )

    async def give_away(self, brand_id: str, user_id: str) -> None:
        await self.core.db.write(
            lambda conn: conn.execute(update(brand_table).where(brand_table.c.id == brand_id).values(user_id=user_id))
        )

    async def close(self) -> None:
        if self._driver is not None:
            await self._driver.stop()
        for server in self._servers:
            await server.stop()
        for process in self._processes:
            if process.process.poll() is None:
                process.kill()
            assert process.process.stdout
            process.process.stdout.close()
