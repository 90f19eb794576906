"""The server as a process: it stops when it is told to, in order, with exit code 0."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import uvicorn

from bmn.db.migrations import migrate
from bmn.identity.development import mint_development_token
from bmn.lifeline import end_when_told
from bmn.settings import load_settings
from tests.kit.people import ANA
from tests.kit.processes import PATIENCE, wait_until

SERVE = """
import socket, sys
from bmn.server.app import run
from bmn.settings import load_settings
sock = socket.socket(fileno=int(sys.argv[1]))
run(load_settings(redis_url=sys.argv[2], public_url=sys.argv[3]), sock)
"""


@pytest.mark.full
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_told_to_stop_ends_its_streams_and_exits_with_0(
    home: Path, redis_url: str, number: signal.Signals
) -> None:
    settings = load_settings()
    migrate(settings.database_address)
    with socket.create_server(("127.0.0.1", 0)) as sock:
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(sock.fileno()), redis_url, url], pass_fds=[sock.fileno()]
        )
    try:
        headers = {"Authorization": f"Bearer {mint_development_token(settings, ANA)}"}
        with httpx.Client(base_url=url, headers=headers, timeout=PATIENCE, trust_env=False) as client:
            brand = client.post("/api/v1/brands", json={"name": "Acme"}).json()["id"]
            job = client.post("/api/v1/generation/logos", json={"brandId": brand}).json()["jobId"]
            polled = client.get("/socket.io/?EIO=4&transport=polling").text
            transport = f"/socket.io/?EIO=4&transport=polling&sid={json.loads(polled[1:])['sid']}"
            token = headers["Authorization"].removeprefix("Bearer ")
            client.post(transport, content=f"40/wizard,{json.dumps({'token': token})}")
            assert '"sid"' in client.get(transport).text
            with ThreadPoolExecutor(1) as pool, client.stream("GET", f"/api/v1/jobs/{job}/events") as answer:
                lines = answer.iter_lines()
                assert any(line.startswith("event: job:progress") for line in lines)
                waiting = pool.submit(client.get, transport)
                wait_until(lambda: _is_connected_twice(process.pid), what="the long poll is on its way")
                process.send_signal(number)
                list(lines)  # ends in good order: a stream that is cut raises here
                waiting.exception(PATIENCE)  # so does the poll, answered or not
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()


def _is_connected_twice(pid: int) -> bool:
    inbound = [c for c in psutil.Process(pid).net_connections("tcp") if c.status == psutil.CONN_ESTABLISHED]
    return len(inbound) >= 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_before_the_server_listens_for_signals_ends_it_too(number: signal.Signals) -> None:
    """Who keeps processes stops them also while they start."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    server = uvicorn.Server(uvicorn.Config(app, lifespan="on", log_config=None))
    try:
        end_when_told(server.handle_exit)
        signal.raise_signal(number)
        with socket.create_server(("127.0.0.1", 0)) as sock:
            await asyncio.wait_for(server.serve([sock]), PATIENCE)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
