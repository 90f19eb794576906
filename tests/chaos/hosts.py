"""Hosts of one installation: each a home, a way of its own to Redis and PostgreSQL, and a release of bmn that runs there."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
from sqlalchemy.engine import make_url

from bmn.lifeline import lifeline
from tests.chaos.deployment import Deployment
from tests.kit.processes import PATIENCE, free_port, wait_until
from tests.kit.proxy import Proxy

_GRACE = "60"


@dataclass(slots=True)
class Host:
    """What runs `arguments` of a release. bmn: its command. port: where its API listens; 0 without one."""

    name: str
    home: Path
    bmn: Path
    arguments: tuple[str, ...]
    env: Mapping[str, str]
    ways: tuple[Proxy, Proxy]
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None
    seen: set[int] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What it has said, over all of its starts."""
        return self.home / "host.log"

    def start(self, bmn: Path | None = None) -> None:
        """Starts it, as another release where that is given, and returns once it serves."""
        self.bmn = bmn or self.bmn
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                lifeline([str(self.bmn), *self.arguments]),
                env={**self.env},
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        said = self.log.stat().st_size
        wait_until(lambda: self._is_ready(said), what=f"{self.name} serves")

    def _is_ready(self, said: int) -> bool:
        assert self.process
        assert self.process.poll() is None, f"{self.name} ended: {self.tail()}"
        if not self.port:
            return "workers ready" in self.log.read_text(errors="replace")[said:]
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/health/live", trust_env=False).status_code == 200
        return False

    def pids(self) -> list[int]:
        """Of its processes."""
        assert self.process
        with contextlib.suppress(psutil.NoSuchProcess):
            top = psutil.Process(self.process.pid)
            return [top.pid, *(child.pid for child in top.children(recursive=True))]
        return []

    def stop(self) -> None:
        """In order; it has to end by itself. Raises AssertionError with what it said where it does not."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        self.process = None
        assert code == 0, f"{self.name} ended with {code}: {self.tail()}"

    def cut_off(self) -> None:
        """Nothing arrives any more, here or there, and no connection ends for it: a cable that was pulled."""
        for way in self.ways:
            way.silence()

    def reconnect(self) -> None:
        """The cable is back; what was open is not."""
        for way in self.ways:
            way.mend()

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]

    def close(self) -> None:
        """Ends whatever is left of it."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        for way in self.ways:
            way.close()


def make_host(stack: Deployment, name: str, bmn: Path, *arguments: str, api: bool = False) -> Host:
    """A host of the stack's installation that is not started yet. The folder of objects is mounted on all."""
    home = stack.folder / name
    home.mkdir()
    (home / "objects").symlink_to(stack.objects)
    database = make_url(stack.env["DATABASE_URL"])
    assert database.host and database.port
    ways = Proxy(str(stack.redis.socket)), Proxy((database.host, database.port))
    port = free_port() if api else 0
    env = {
        **stack.env,
        "BMN_HOME": str(home),
        "REDIS_URL": f"redis://127.0.0.1:{ways[0].port}/0",
        "DATABASE_URL": database.set(port=ways[1].port).render_as_string(hide_password=False),
    }
    env.pop("PYTHONPATH")
    options = ("serve", "--no-workers", "--port", str(port)) if api else ("worker", *arguments)
    return Host(name, home, bmn, (*options, "--grace", _GRACE), env, ways, port)


def replace(host: Host, bmn: Path) -> float:
    """Stops a host and starts another release on it; for how many seconds it did not serve."""
    began = time.monotonic()
    host.stop()
    host.start(bmn)
    return time.monotonic() - began
