"""`bmn serve --api-processes 2`: one address, two processes, and nothing that a user could see of it."""

import asyncio
import json
import os
import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.kit.processes import PATIENCE, wait_until
from tests.kit.stack import Stack, User, start

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    home, temporary = tmp_path_factory.mktemp("two"), tmp_path_factory.mktemp("figures")
    env = {"TMPDIR": str(temporary)}
    stack = start(home, "--port", "0", "--api-processes", "2", "--queues", "email-send", env=env)
    yield stack
    assert stack.stop() == 0
    assert not list(temporary.glob("bmn-api-*"))


def _apis(stack: Stack) -> list[psutil.Process]:
    titles = {child: " ".join(child.cmdline()) for child in psutil.Process(stack.process.pid).children()}
    return [child for child, title in titles.items() if re.search(r" api \d", title)]


class PlainSocket:
    """A client of PlainSocket.IO on a WebSocket of its own."""

    def __init__(self, line: ClientConnection, said: str) -> None:
        self.line = line
        self.said = said
        self.pid = str(json.loads(said[said.index("{") :]).get("pid", ""))

    @classmethod
    async def join(cls, stack: Stack, token: str, **auth: str) -> "PlainSocket":
        url = stack.api_url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
        line = await connect(url, compression=None, proxy=None)
        await line.recv()
        await line.send("40/wizard," + json.dumps({"token": token, "recovery": True, **auth}))
        while (said := str(await line.recv())) == "2":
            await line.send("3")
        return cls(line, said)


def _served_by(stack: Stack, socket: PlainSocket) -> psutil.Process:
    """The process that has the other end of a socket."""
    port = socket.line.local_address[1]
    for process in _apis(stack):
        if any(each.raddr and each.raddr.port == port for each in process.net_connections("tcp")):
            return process
    raise AssertionError(f"nobody has the connection from port {port}")


async def test_a_user_has_so_many_sockets_with_all_processes_together(stack: Stack) -> None:
    token = User(stack).env["BMN_TOKEN"]
    async with asyncio.timeout(PATIENCE):
        sockets = [await PlainSocket.join(stack, token) for _ in range(20)]
        assert all(socket.said.startswith("40") for socket in sockets)
        assert {_served_by(stack, socket) for socket in sockets} == set(_apis(stack))
        refused = await PlainSocket.join(stack, token)
        assert refused.said.startswith("44") and "Too many sockets" in refused.said
        for socket in (*sockets, refused):
            await socket.line.close()
        again = await PlainSocket.join(stack, token)  # there is room once they are gone
        assert again.said.startswith("40")
        await again.line.close()


async def test_one_that_is_killed_is_started_again_and_its_sockets_resume_with_the_other(stack: Stack) -> None:
    token = User(stack).env["BMN_TOKEN"]
    async with asyncio.timeout(PATIENCE):
        sockets = [await PlainSocket.join(stack, token) for _ in range(8)]
        victim = _served_by(stack, sockets[0])
        hers = [socket for socket in sockets if _served_by(stack, socket) == victim]
        os.kill(victim.pid, signal.SIGKILL)
        for socket in hers:
            await socket.line.wait_closed()
            back = await PlainSocket.join(stack, token, pid=socket.pid)
            assert back.pid == socket.pid
            await back.line.close()
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{stack.api_url}/health/live")).status_code == 200
        for socket in sockets:
            await socket.line.close()
    wait_until(lambda: len(_apis(stack)) == 2, what="the killed process is there again")


def test_whoever_is_asked_tells_the_figures_of_all(stack: Stack) -> None:
    def ask(_: int) -> int:
        return httpx.get(f"{stack.api_url}/health", trust_env=False).status_code

    def told() -> set[str]:
        with ThreadPoolExecutor(8) as several:  # at once: where one is busy the other one answers
            assert set(several.map(ask, range(16))) == {200}
        text = httpx.get(f"{stack.api_url}/metrics", trust_env=False).text
        return set(re.findall(r'bmn_http_requests_total\{[^}]*process="(\d)"[^}]*route="/health"', text))

    wait_until(lambda: told() == {"1", "2"}, what="both processes are in the figures")


def test_a_client_that_polls_is_told_to_use_a_websocket(stack: Stack) -> None:
    answer = httpx.get(f"{stack.api_url}/socket.io/?EIO=4&transport=polling", trust_env=False)
    assert answer.status_code == 400
    assert "websocket" in answer.json()["message"]
