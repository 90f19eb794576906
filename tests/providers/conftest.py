"""The provider sandbox over real HTTP, a server that records what it is sent, and one that answers as it is told."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from bmn.errors import Cause, JobFailure
from bmn.providers.base import ProviderCall
from bmn.settings import SANDBOX_KEY, ProviderAccess, Settings

# What every vendor's client makes of a refused call: rows 38 to 41 of the fault matrix.
STATUSES = [
    (400, Cause.BAD_INPUT),
    (422, Cause.BAD_INPUT),
    (401, Cause.PROVIDER_AUTH),
    (402, Cause.PROVIDER_CREDIT),
    (403, Cause.PROVIDER_AUTH),
    (429, Cause.PROVIDER_RATE_LIMITED),
    (500, Cause.PROVIDER_OVERLOADED),
    (502, Cause.PROVIDER_OVERLOADED),
    (503, Cause.PROVIDER_OVERLOADED),
]


async def failing(action: Awaitable[Any]) -> JobFailure:
    """The failure that an action ends in."""
    with pytest.raises(JobFailure) as caught:
        await action
    return caught.value


@dataclass
class SandboxControl:
    """A running sandbox, by its control routes."""

    url: str

    def fault(self, provider: str, **fault: Any) -> None:
        answer = httpx.post(f"{self.url}/_sandbox/faults", json={"provider": provider, **fault})
        assert answer.status_code == 201, answer.text

    def clear(self) -> None:
        httpx.delete(f"{self.url}/_sandbox/faults")

    def ledger(self, provider: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = httpx.get(f"{self.url}/_sandbox/ledger", params={"provider": provider}).json()
        return rows

    def requests(self, provider: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = httpx.get(f"{self.url}/_sandbox/requests", params={"provider": provider}).json()
        return rows

    def mails(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = httpx.get(f"{self.url}/_sandbox/mails").json()
        return rows

    def access(self, path: str = "") -> ProviderAccess:
        return ProviderAccess(self.url + path, SANDBOX_KEY, sandboxed=True)


@pytest.fixture(scope="session")
def _sandbox_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from bmn_sandbox.app import create_app

    app = create_app(tmp_path_factory.mktemp("sandbox"), speed=0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1))
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    server.force_exit = True
    thread.join(timeout=10)


@pytest.fixture
def sandbox(_sandbox_server: str) -> Iterator[SandboxControl]:
    control = SandboxControl(_sandbox_server)
    control.clear()
    yield control
    control.clear()


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(bmn_home=home)


@pytest.fixture
def calls() -> list[ProviderCall]:
    """What the clients of this test have reported."""
    return []


@pytest.fixture
def on_call(calls: list[ProviderCall]) -> Callable[[ProviderCall], Awaitable[None]]:
    async def report(call: ProviderCall) -> None:
        calls.append(call)

    return report


@dataclass
class Wire:
    """A raw server: keeps every request as it came, and sends `answers` in turn (the last one for ever)."""

    url: str = ""
    answers: list[bytes] = field(default_factory=list)
    seen: list[bytes] = field(default_factory=list)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await self._head(reader):
                length = _content_length(head)
                self.seen.append(head + (await reader.readexactly(length) if length else b""))
                writer.write(self.answers[min(len(self.seen), len(self.answers)) - 1])
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    @staticmethod
    async def _head(reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return b""


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


def answer(body: bytes, status: int = 200, **headers: str) -> bytes:
    """An HTTP answer as bytes; `content_type` becomes `content-type`."""
    fields = {"content_type": "application/json", "content_length": str(len(body)), **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + body


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    made = Wire()
    server = await asyncio.start_server(made.handle, "127.0.0.1", 0, limit=2**26)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made
    server.close()
