"""A sandbox on a real port, at speed 0, one for each test."""

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

from bmn_sandbox.app import create_app
from bmn_sandbox.state import Sandbox


@dataclass(slots=True)
class RunningSandbox:
    """url: without a slash at its end. state_dir: what it keeps. state: its pace may be changed."""

    url: str
    state_dir: Path
    state: Sandbox

    def fault(self, provider: str, **rule: Any) -> None:
        """Sets a fault; the names are those of the control route, such as `dropResponse`."""
        answer = httpx.post(f"{self.url}/_sandbox/faults", json={"provider": provider, **rule})
        assert answer.status_code == 201, answer.text

    def ledger(self, provider: str | None = None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.get(
            f"{self.url}/_sandbox/ledger", params={"provider": provider} if provider else {}
        ).json()
        return found

    def requests(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.get(f"{self.url}/_sandbox/requests").json()
        return found


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
    thread.join(10)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    with running(tmp_path / "sandbox") as started:
        yield started
