"""A client that does nothing wrong while others do: whether it is answered, and how soon."""

import asyncio
import json
import time
from functools import partial
from urllib.parse import urlsplit

from bench.http import request
from bench.stack import BenchServer

_HANDSHAKE = "/socket.io/?EIO=4&transport=polling"
_PATIENCE = 10.0
_request = partial(request, headers="Connection: close\r\n")


class Polite:
    """Once a second: whether the server lives, who it is for, its own brands, and a transport that it joins.

    problems: what was not answered as it should have been.
    """

    def __init__(self, stack: BenchServer) -> None:
        self._stack = stack
        self.seconds: list[float] = []
        self.problems: list[str] = []

    async def run(self, until: float) -> None:
        while time.monotonic() < until:
            begin = time.monotonic()
            await self.ask_all()
            await asyncio.sleep(max(0.0, begin + 1 - time.monotonic()))

    async def ask_all(self) -> None:
        token = self._stack.token
        await self._ask(_request("GET", "/health/live"), 200)
        await self._ask(_request("GET", "/health"), 200)
        await self._ask(_request("GET", "/api/v1/brands", token=token), 200)
        await self._join(token)

    async def _join(self, token: str) -> None:
        opened = await self._ask(_request("GET", _HANDSHAKE), 200)
        if not opened:
            return
        sid = json.loads(opened[opened.index(b"{") : opened.rindex(b"}") + 1])["sid"]
        connect = f"40/dashboard,{json.dumps({'token': token})}".encode()
        await self._ask(_request("POST", f"{_HANDSHAKE}&sid={sid}", body=connect), 200)
        joined = await self._ask(_request("GET", f"{_HANDSHAKE}&sid={sid}"), 200)
        if joined and b'"sid"' not in joined:
            self.problems.append(f"not let in: {joined[:100]!r}")
        await self._ask(_request("POST", f"{_HANDSHAKE}&sid={sid}", body=b"1"), 200)

    async def _ask(self, asked: bytes, expected: int) -> bytes:
        began = time.perf_counter()
        line = asked.split(b"\r\n", 1)[0].decode()
        try:
            async with asyncio.timeout(_PATIENCE):
                status, body = await self._answer(asked)
        except (OSError, TimeoutError, ValueError) as error:
            self.problems.append(f"{line}: {type(error).__name__}")
            return b""
        self.seconds.append(time.perf_counter() - began)
        if status != expected:
            self.problems.append(f"{line}: {status}")
            return b""
        return body

    async def _answer(self, asked: bytes) -> tuple[int, bytes]:
        """Status and body, whose chunks stand in it as they came. Raises ValueError where nothing is answered."""
        parts = urlsplit(self._stack.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(asked)
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            return int(head[9:12]), body
        finally:
            writer.close()

    def figures(self) -> str:
        if not self.seconds:
            return "never answered"
        ordered = sorted(self.seconds)
        p50, p99 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
        told = f"{len(ordered)} answers, p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, slowest {ordered[-1]:.2f} s"
        return f"{told}, {len(self.problems)} problems"
