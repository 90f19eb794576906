"""Whoever has joined nothing sends little over a socket: what is kept of an unfinished message is memory."""

import asyncio
import base64
import os
import struct
from dataclasses import dataclass

import httpx
import pytest

from bmn.identity.development import mint_development_token
from bmn.schemas.events import WIZARD
from bmn.server.edge.asgi import UNKNOWN_BYTES
from tests.kit.people import ANA
from tests.kit.processes import PATIENCE
from tests.kit.raw import Raw
from tests.security.target import Target

_WHOLE = 900_000


@dataclass(frozen=True, slots=True)
class _Place:
    port: int


def _port(target: Target) -> int:
    return int(target.url.rpartition(":")[2])


async def _stalled(port: int, first: int, later: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket with a first byte of a frame, and so many bytes of its 900,000."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    writer.write(bytes([first, 0xFF]) + struct.pack(">Q", _WHOLE) + bytes(4) + bytes(later))
    return reader, writer


@pytest.mark.parametrize("first", [0x81, 0x01], ids=["one frame", "a fragment"])
async def test_an_unknown_ones_unfinished_message_is_not_kept(target: Target, first: int) -> None:
    """At once, and not when the transport that joined nothing is ended after ten seconds."""
    reader, writer = await _stalled(_port(target), first, 4 * UNKNOWN_BYTES)
    began = asyncio.get_running_loop().time()
    try:
        while await asyncio.wait_for(reader.read(65_536), PATIENCE):
            pass
    except ConnectionError:
        pass
    assert asyncio.get_running_loop().time() - began < 5
    writer.close()


async def test_one_who_has_joined_sends_large_messages(target: Target) -> None:
    raw = await Raw.open(_Place(_port(target)))
    assert '"sid"' in await raw.join(WIZARD, mint_development_token(target.settings, user_id=ANA))
    more = "a" * _WHOLE
    assert "error" in await raw.ask(f'42{WIZARD},7["job:status",{{"jobId":"x","more":"{more}"}}]')
    await raw.connection.close()


@pytest.mark.parametrize("sid", ["", "&sid=nonsense", "real"])
async def test_a_poll_of_an_unknown_one_brings_little(target: Target, sid: str) -> None:
    address = f"http://127.0.0.1:{_port(target)}/socket.io/?EIO=4&transport=polling"
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        if sid == "real":
            sid = "&sid=" + (await client.get(address)).text.split('"sid":"')[1].split('"')[0]
        answer = await client.post(address + sid, content=b"4" + b"x" * UNKNOWN_BYTES)
    assert answer.status_code == 413
