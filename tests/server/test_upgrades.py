"""Requests that would go on in another protocol: in one that is spoken here, and in one that is not."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

import pytest

from tests.kit.api import Api, Starter
from tests.kit.people import ANA
from tests.kit.processes import PATIENCE

H2C = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
HANDSHAKE = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


class Line:
    """A connection over which bytes are sent as they are."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, api: Api, *parts: str) -> "Line":
        """parts: each is sent once the one before it has gone."""
        line = cls(*await asyncio.open_connection("127.0.0.1", api.port))
        for part in parts:
            await line.say(part)
        return line

    async def say(self, part: str) -> None:
        self.writer.write(part.encode())
        await self.writer.drain()
        await asyncio.sleep(0)

    async def answer(self) -> tuple[int, bytes]:
        """The status of the next answer, and its body."""
        head = (await self._within(self.reader.readuntil(b"\r\n\r\n"))).decode().lower()
        length = head.partition("content-length: ")[2].partition("\r\n")[0]
        return int(head.split(" ")[1]), await self._within(self.reader.readexactly(int(length or 0)))

    async def end(self) -> bytes:
        """What comes until the server closes the connection."""
        return await self._within(self.reader.read())

    async def _within(self, coming: Coroutine[Any, Any, bytes]) -> bytes:
        return await asyncio.wait_for(coming, PATIENCE)


def order(api: Api, name: str, *, chunked: bool = False) -> tuple[str, str]:
    """The head of a request for a brand as Java's client sends it, and its body."""
    body = json.dumps({"name": name})
    token = api.as_user(ANA).headers["Authorization"]
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    head = f"POST /api/v1/brands HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nContent-Type: application/json\r\n"
    sent = f"{len(body):x}\r\n{body}\r\n0\r\n\r\n" if chunked else body
    return f"{head}{H2C}{framing}\r\n\r\n", sent


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("together", [False, True])
async def test_a_request_that_would_rather_speak_http_2_is_one_of_http_1(
    api: Api, together: bool, chunked: bool
) -> None:
    parts = [part for name in ("One", "Two", "Three") for part in order(api, name, chunked=chunked)]
    line = await Line.open(api, *(["".join(parts)] if together else parts))
    for name in ("One", "Two", "Three"):
        status, body = await line.answer()
        assert (status, json.loads(body).get("name")) == (201, name), body
    line.writer.close()


async def test_such_a_request_without_a_body_is_answered_and_followed_by_others(api: Api) -> None:
    line = await Line.open(api, f"GET /health/live HTTP/1.1\r\nHost: x\r\n{H2C}\r\n" * 3)
    assert [(await line.answer())[0] for _ in range(3)] == [200] * 3
    line.writer.close()


@pytest.mark.parametrize(
    "more",
    ["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", f"X-Pad: {'a' * 9000}\r\n\r\n"],
    ids=["a length", "chunks", "a long line"],
)
async def test_a_handshake_that_cannot_be_read_is_refused_and_ended(api: Api, more: str) -> None:
    """Unanswered, its connection would stay for as long as its client likes."""
    line = await Line.open(api, HANDSHAKE + more)
    status, body = await line.answer()
    assert (status, json.loads(body)["code"]) == (400, "bad_request")
    assert await line.end() == b""


async def test_a_browser_with_long_cookies_has_its_websocket(api: Api) -> None:
    line = await Line.open(api, f"{HANDSHAKE}Cookie: {'; '.join(f'sb-{n}={n:03000}' for n in range(4))}\r\n\r\n")
    assert (await line.answer())[0] == 101
    line.writer.close()


async def test_a_websocket_behind_another_request_outlives_the_time_of_idle_connections(start: Starter) -> None:
    api = await start(bmn_keep_alive_seconds=5)
    ask = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    line, idle = await Line.open(api, f"{ask}{HANDSHAKE}\r\n"), await Line.open(api, ask)
    assert [(await line.answer())[0] for _ in range(2)] == [200, 101]
    await idle.answer()
    assert await idle.end() == b""  # the time is over
    line.writer.write(b"\x81\x8a" + bytes(4) + b"40/wizard,")
    assert b"44/wizard," in await asyncio.wait_for(line.reader.readuntil(b"44/wizard,"), PATIENCE)
    line.writer.close()
