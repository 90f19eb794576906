"""Whoever has joined nothing sends little over a socket: what is kept of an unfinished message is memory."""

import asyncio
import base64
import os
import socket
import struct
from dataclasses import dataclass
from typing import Any, cast

import httpx
import pytest

from bmn.identity.development import mint_development_token
from bmn.schemas.events import WIZARD
from bmn.server.edge.asgi import UNKNOWN_BYTES
from bmn.server.edge.websockets import _UNREAD
from tests.kit.people import ANA
from tests.kit.processes import PATIENCE, eventually
from tests.kit.raw import Raw
from tests.security.target import Target

_WHOLE = 900_000


_TEXT, _FRAGMENT, _MORE = b"\x81\x80" + bytes(4), b"\x01\x80" + bytes(4), b"\x00\x80" + bytes(4)
_PING = b"\x89\xfd" + bytes(4) + bytes(125)


@dataclass(frozen=True, slots=True)
class _Place:
    port: int


def _port(target: Target) -> int:
    return int(target.url.rpartition(":")[2])


async def _opened(port: int, sid: str = "") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket; beside a transport that polls, where its id is given."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET /socket.io/?EIO=4&transport=websocket{sid and '&sid='}{sid} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    return reader, writer


async def _ended(reader: asyncio.StreamReader) -> bool:
    try:
        while await asyncio.wait_for(reader.read(65_536), PATIENCE):
            pass
    except ConnectionError:
        pass
    return True


async def _stalled(port: int, first: int, later: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket with a first byte of a frame, and so many bytes of its 900,000."""
    reader, writer = await _opened(port)
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


@pytest.mark.parametrize(
    "said", [_TEXT * 10_000, _FRAGMENT + _MORE * 60_000, _PING * 4_000], ids=["messages", "pieces", "pings"]
)
async def test_an_unknown_one_says_little_in_however_small_words(target: Target, said: bytes) -> None:
    """At once: each is kept until it is looked at, and costs many times what it weighs."""
    reader, writer = await _opened(_port(target))
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    began = asyncio.get_running_loop().time()
    writer.write(said)
    assert await _ended(reader)
    assert asyncio.get_running_loop().time() - began < 5
    writer.close()


async def test_a_message_of_any_number_of_empty_pieces_is_none(target: Target) -> None:
    raw = await Raw.open(_Place(_port(target)))
    assert '"sid"' in await raw.join(WIZARD, mint_development_token(target.settings, user_id=ANA))
    raw.connection.transport.write(_FRAGMENT + _MORE * 60_000)
    assert await raw.closed()


async def test_answers_to_pings_are_not_kept_for_who_takes_none(target: Target) -> None:
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", _port(target)))
        client.setblocking(False)
        raw = await Raw.open(_Place(_port(target)), sock=client)
        assert '"sid"' in await raw.join(WIZARD, mint_development_token(target.settings, user_id=ANA))
        transport, own = raw.connection.transport, client.getsockname()
        (theirs,) = [each for each in target.app.gate._open if each.get_extra_info("peername") == own]
        transport.pause_reading()
        transport.write(_PING * 24_000)

        async def taken() -> bool:
            return not transport.get_write_buffer_size()

        await eventually(taken)
        assert cast(Any, theirs).get_write_buffer_size() < 2 * _UNREAD
        transport.abort()


async def test_beside_a_transport_that_polls_stands_one_websocket(target: Target) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        answer = await client.get(f"http://127.0.0.1:{_port(target)}/socket.io/?EIO=4&transport=polling")
    sid = answer.text.split('"sid":"')[1].split('"')[0]
    (first, one), (second, another) = [await _opened(_port(target), sid) for _ in range(2)]
    assert b" 101 " in await first.readuntil(b"\r\n\r\n")
    assert b" 403 " in await second.readuntil(b"\r\n\r\n")
    for writer in (one, another):
        writer.close()


async def test_who_is_told_to_go_and_stays_keeps_its_place(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else as many more come as are told to go, and all of them are there at once."""
    sockets = target.app.sockets
    idle, transports = sockets._idle, sockets._transports
    reader, writer = await _opened(_port(target))
    head = await reader.readuntil(b"\r\n\r\n")
    sid = (await reader.readuntil(b"}")).split(b'"sid":"')[1].split(b'"')[0].decode()
    assert b" 101 " in head and sid in idle._address

    async def held(name: str) -> None:
        """The transport ends while its WebSocket is still served, as where its last words are not taken."""
        with transports.serving(name, lambda: None):
            await transports.drop(name)
            assert name in idle._address
        assert name not in idle._address

    target.wait(held(sid))
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
