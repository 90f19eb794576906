"""The processes of the engine's bench: our worker, RQ's own, a page to fetch; and what the system says of them."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bmn.lifeline import lifeline
from bmn.work.registry import QUEUES, get_queue

QUEUE = "crm-sync"


@contextmanager
def process(role: str, *arguments: str, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """One of the roles below, ready to work; killed at the end."""
    command = lifeline([sys.executable, "-m", "bench.engine_parts", role, *arguments])
    child = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    assert child.stdout
    try:
        child.first_line = child.stdout.readline().strip()  # type: ignore[attr-defined]
        yield child
    finally:
        child.kill()
        child.wait()


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError("the bench waits for something that does not come")
        time.sleep(0.005)


def pss_mib(pid: int) -> float:
    """The memory that belongs to a process, shared pages divided among those who share them."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("this system does not say")


def _worker(slots: str, replaces: str = "") -> None:
    from bmn.jobs.process import run
    from bmn.settings import load_settings
    from bmn.work.wiring import open_core

    QUEUES[QUEUE] = replace(get_queue(QUEUE), handler="bench.handlers")
    replaced = int(replaces) if replaces else None
    run(
        open_core,
        load_settings(),
        [QUEUE],
        slots=int(slots),
        replaces=replaced,
        ready=lambda: print("ready", flush=True),
    )


def _stock(url: str) -> None:
    from redis import Redis
    from rq import Queue, Worker

    connection = Redis.from_url(url)
    worker = Worker([Queue("stock", connection=connection)], connection=connection)
    print("ready", flush=True)
    worker.work(logging_level="ERROR")


def _page() -> None:
    import uvicorn

    async def app(scope: dict[str, str], receive: object, send: Callable[[dict[str, object]], object]) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})  # type: ignore[misc]
            await send({"type": "http.response.body", "body": b"ok"})  # type: ignore[misc]

    sock = socket.create_server(("127.0.0.1", 0))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print(sock.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off")).run([sock])


if __name__ == "__main__":
    os.environ.setdefault("BMN_LOG_LEVEL", "error")
    {"worker": _worker, "stock": _stock, "page": _page}[sys.argv[1]](*sys.argv[2:])
