"""The providers' sandbox on a real port: one of a test's own, or one that a whole session shares."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from bmn.settings import SANDBOX_KEY, ProviderAccess
from bmn_sandbox.app import create_app
from bmn_sandbox.state import Sandbox
from tests.kit.processes import PATIENCE


@dataclass(slots=True)
class SandboxControl:
    """A running sandbox, by its control routes. url: without a slash at its end."""

    url: str

    def fault(self, provider: str, **rule: Any) -> None:
        """Sets a fault; the names are those of the control route, such as `dropResponse`."""
        answer = httpx.post(f"{self.url}/_sandbox/faults", json={"provider": provider, **rule}, timeout=PATIENCE)
        assert answer.status_code == 201, answer.text

    def clear(self) -> None:
        httpx.delete(f"{self.url}/_sandbox/faults", timeout=PATIENCE)

    def hits(self) -> int:
        """How many requests have met a fault that is set; one that hangs counts as it comes in."""
        return sum(fault["hits"] for fault in httpx.get(f"{self.url}/_sandbox/faults", timeout=PATIENCE).json())

    def ledger(self, provider: str | None = None) -> list[dict[str, Any]]:
        return self._list("ledger", provider)

    def requests(self, provider: str | None = None) -> list[dict[str, Any]]:
        return self._list("requests", provider)

    def mails(self) -> list[dict[str, Any]]:
        return self._list("mails")

    def access(self, path: str = "") -> ProviderAccess:
        return ProviderAccess(self.url + path, SANDBOX_KEY, sandboxed=True)

    def _list(self, what: str, provider: str | None = None) -> list[dict[str, Any]]:
        params = {"provider": provider} if provider else {}
        rows: list[dict[str, Any]] = httpx.get(f"{self.url}/_sandbox/{what}", params=params, timeout=PATIENCE).json()
        return rows


@dataclass(slots=True)
class RunningSandbox(SandboxControl):
    """A sandbox in this process. state_dir: what it keeps. state: its pace may be changed."""

    state_dir: Path
    state: Sandbox


@contextmanager
def running(state_dir: Path, *, speed: float = 0) -> Iterator[RunningSandbox]:
    """A sandbox that serves until the block ends; another one may go on from the same state."""
    app = create_app(state_dir, speed=speed)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the sandbox did not start"
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield RunningSandbox(f"http://127.0.0.1:{port}", state_dir, app.state.sandbox)
    server.should_exit = True
    thread.join(PATIENCE)


@pytest.fixture(name="sandbox")
def own_sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    """One that nobody has used before."""
    with running(tmp_path / "sandbox") as started:
        yield started


@pytest.fixture(name="sandbox")
def shared_sandbox(sandbox_server: str) -> Iterator[SandboxControl]:
    """The session's; its ledger goes on from test to test, its faults end with each."""
    control = SandboxControl(sandbox_server)
    control.clear()
    yield control
    control.clear()
