"""People, servers and recordings: what the criteria are driven with, all of it from outside."""

import asyncio
import json
import sqlite3
import statistics
import uuid
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import httpx

from bmn.identity.development import mint_development_token
from bmn.settings import Settings
from tests.kit.driver import Client, Driver, Said
from tests.kit.processes import PATIENCE
from tests.kit.stack import Stack, start

T = TypeVar("T")

# The specification's own figures hold here: backoffs, limits of time. Only the limits a minute are lifted.
AS_SPECIFIED = {"BMN_BACKOFF_SCALE": "1"}
ENDED = ("completed", "partial", "failed", "cancelled")


def serve(home: Path, *arguments: str, **env: str) -> Stack:
    """`bmn serve` on a free port, with the specification's figures and a sandbox that does not dawdle."""
    port = () if "--port" in arguments else ("--port", "0")
    return start(home, "--sandbox-speed", "0.2", "--grace", "30", *port, *arguments, env={**AS_SPECIFIED, **env})


@dataclass(slots=True)
class Person:
    """Somebody with an account, a token and a front end."""

    stack: Stack
    role: str = "user"
    user_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def token(self) -> str:
        email = f"{self.user_id[:8]}@example.org"
        return mint_development_token(Settings(bmn_home=self.stack.home), self.user_id, email, self.role)

    def at(self, stack: Stack) -> "Person":
        """The same person, talking to another server process."""
        return Person(stack, self.role, self.user_id)

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        url = f"{self.stack.api_url}/api/v1{path}"
        return httpx.request(method, url, json=body, headers=headers, timeout=PATIENCE, **more)

    def get(self, path: str) -> Any:
        return self.ask("GET", path).raise_for_status().json()

    def post(self, path: str, body: Any = None) -> Any:
        return self.ask("POST", path, body).raise_for_status().json()

    def brand(self) -> "Brand":
        name = f"Brand {uuid.uuid4().hex[:8]}"  # no other job's prompt holds it, so faults can be set for it alone
        return Brand(name, str(self.post("/brands", {"name": name})["id"]))

    def order_logos(self, brand: "Brand", count: int = 4) -> str:
        return str(self.post("/generation/logos", {"brandId": brand.id, "count": count})["jobId"])

    def job(self, job_id: str) -> Any:
        return self.get(f"/jobs/{job_id}")

    def auth(self) -> dict[str, Any]:
        return {"auth": {"token": self.token}}


@dataclass(frozen=True, slots=True)
class Brand:
    name: str
    id: str


class FrontEnd:
    """Browsers' sockets: the official JavaScript client, as a front end would make it."""

    def __init__(self) -> None:
        self._driver = Driver()
        self._count = 0

    async def __aenter__(self) -> "FrontEnd":
        await self._driver.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._driver.stop()

    async def open(self, stack: Stack, namespace: str, **options: Any) -> Client:
        """A socket that begins to connect."""
        self._count += 1
        client = Client(self._driver, f"c{self._count}")
        chosen = {"transports": ["websocket"], **options}
        self._driver.command("connect", client.name, url=stack.api_url + namespace, options=chosen)
        return client

    async def join(self, person: Person, namespace: str = "/wizard", **options: Any) -> Client:
        """A connected socket of this person."""
        client = await self.open(person.stack, namespace, **{**person.auth(), **options})
        await client.connected()
        return client

    async def until(self, true: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        return await self._driver.until(lambda _: true(), seconds)


def ended(client: Client, job_id: str) -> list[Said]:
    """The event that ends a job, once it has been heard."""
    return [
        said
        for said in client.events("job:complete", "job:failed", "job:cancelled")
        if said["args"][0]["jobId"] == job_id and not said["args"][0].get("retriesLeft")
    ]


def of_job(client: Client, job_id: str, *names: str) -> list[Any]:
    return [data for data in client.data(*names) if data.get("jobId") == job_id]


def in_a_loop(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs asynchronous work to its end beside whatever loop there is; for recordings that several tests look at."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(work())).result()


def rows(stack: Stack, sql: str, *values: object) -> list[dict[str, Any]]:
    """What an operator sees who asks the database."""
    with closing(
        sqlite3.connect(f"file:{stack.home / 'bmn.sqlite3'}?mode=ro", uri=True, timeout=PATIENCE)
    ) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(sql, values)]


def redis_address(stack: Stack) -> str:
    return str(json.loads((stack.home / "serve.json").read_text())["redis_url"])


def nine_in_ten(milliseconds: list[float]) -> float:
    """What nine of ten took at most. Every call counts, and the tenth is left to whatever else the machine does."""
    return statistics.quantiles(milliseconds, n=10)[-1]


def figures(milliseconds: list[float]) -> str:
    median, p90, calls = statistics.median(milliseconds), nine_in_ten(milliseconds), len(milliseconds)
    return f"p50 {median:.1f} ms, p90 {p90:.1f} ms, worst {max(milliseconds):.0f} ms of {calls}"


class Dashboard:
    """The queues' dashboard in a signed-in browser."""

    def __init__(self, admin: Person) -> None:
        self._browser = httpx.Client(base_url=admin.stack.api_url, follow_redirects=True, timeout=PATIENCE)
        link = admin.post("/session", {"path": "/admin/queues"})["url"]
        self.page = self._browser.get(httpx.URL(link).raw_path.decode())

    @cached_property
    def queues(self) -> dict[str, dict[str, Any]]:
        answer = self._browser.get("/admin/queues/0/data/queues.json").raise_for_status()
        return {queue["name"]: queue for queue in answer.json()["queues"]}

    def jobs(self, queue: str, registry: str) -> list[str]:
        path = f"/admin/queues/0/data/jobs/{queue}/{registry}/100/asc/1.json"
        return [job["id"] for job in self._browser.get(path).raise_for_status().json()["jobs"]]
