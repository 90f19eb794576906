"""A load generator that costs little itself: keep-alive connections, requests written as bytes, answers by their length."""

import asyncio
import time
from collections.abc import Callable
from urllib.parse import urlsplit


class Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, url: str) -> "Connection":
        parts = urlsplit(url)
        return cls(*await asyncio.open_connection(parts.hostname, parts.port))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of one answer. The answer must carry Content-Length."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
        )
        return int(head.split(b" ", 2)[1]), await self._reader.readexactly(length)

    def close(self) -> None:
        self._writer.close()


def request(method: str, path: str, *, token: str = "", body: bytes = b"", headers: str = "") -> bytes:
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\n{bearer}Content-Type: application/json\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def load(
    url: str, make: Callable[[int], bytes], *, clients: int, requests: int, expect: int
) -> tuple[list[float], float]:
    """Sends `requests` requests over `clients` connections; returns each one's seconds, and requests a second."""
    numbers = iter(range(requests))
    seconds: list[float] = []

    async def client() -> None:
        connection = await Connection.open(url)
        for number in numbers:
            start = time.perf_counter()
            status, body = await connection.ask(make(number))
            seconds.append(time.perf_counter() - start)
            if status != expect:
                raise RuntimeError(f"expected {expect}, got {status}: {body[:300]!r}")
        connection.close()

    begin = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return seconds, requests / (time.perf_counter() - begin)
