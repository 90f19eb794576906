"""A server that records what it is sent and answers as it is told, and what a vendor's client makes of that."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from typing import Any

import pytest

from bmn.errors import Cause, JobFailure

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
