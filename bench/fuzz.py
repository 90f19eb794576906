"""Nonsense at the raw HTTP and Engine.IO doors of a server of its own: `python -m bench.fuzz --seconds 600 --seed 1`.

Everything is drawn from the seed. Meanwhile a well-behaved client, from another address, asks four things a second.
Ends with 1 where that client was not answered, where anything was answered with a 500, or where the server has died.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from bench.polite import Polite
from bench.stack import BenchServer, api_process, running_stack

_MIB = 1024 * 1024
_AT_ONCE = 24
_FROM = "127.0.0.2"  # the well-behaved client comes from 127.0.0.1
_READ_SECONDS = 2.0
_PATHS = ("/", "/health", "/metrics", "/api/v1/brands", "/api/v1/generation/logos", "/files/brands/a/b/c.png", "/signin",
          "/s/x.1.y", "/socket.io/", "/socket.io/?EIO=4&transport=polling", "/socket.io", "/static/page.css", "*",
          "http://evil.example/", "//evil.example/", "/%00", "/%", "/..%2f..%2fetc", "/a?" + "b" * 3000)  # fmt: skip
_METHODS = (
    b"GET",
    b"POST",
    b"HEAD",
    b"OPTIONS",
    b"PUT",
    b"PATCH",
    b"DELETE",
    b"CONNECT",
    b"TRACE",
    b"PRI",
    b"get",
    b"",
)
_NAMES = (b"Content-Length", b"Transfer-Encoding", b"Connection", b"Upgrade", b"Expect", b"Range", b"Authorization",
          b"Host", b"Cookie", b"Origin", b"If-None-Match", b"X-Request-Id", b"Content-Type",
          b"Content-Encoding", b"X", b"")  # fmt: skip
_VALUES = (b"0", b"1", b"-1", b"99999999999999999999", b"chunked", b"chunked, chunked", b"gzip", b"close", b"keep-alive",
           b"websocket", b"h2c", b"100-continue", b"bytes=0-1,5-6,-1", b"Bearer x", b"", b"x" * 5000, b"http://[",
           b"application/json", b"\xff\xfe", b"a\x00b", b'W/"x", *')  # fmt: skip
_PACKETS = (b"0", b"1", b"2", b"2probe", b"3", b"4", b"40", b"40/wizard,", b'40/admin,{"token":"x"}', b'42["a"]', b"5",
            b"6", b"7", b"451-[]", b"459999999-[]", b"bAAAA", b"b!", b"\x1e", b"4" + b"[" * 3000, b"\xed\xa0\x80",
            b"41", b"43/x,1[]")  # fmt: skip


@dataclass
class Fuzz:
    """answers: how often each status was answered; `nothing` where the connection ended without one."""

    draw: random.Random
    host: str
    port: int
    answers: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    defects: list[bytes] = field(default_factory=list)

    async def run(self, until: float) -> None:
        while time.monotonic() < until:
            kind = self.draw.choice((self._head, self._body, self._bytes, self._many, self._poll, self._frames))
            self.kinds[kind.__name__.strip("_")] += 1
            try:
                await kind()
            except (OSError, EOFError, TimeoutError, ValueError, asyncio.IncompleteReadError):
                self.answers["nothing"] += 1

    async def _head(self) -> None:
        await self._say([self._some_head() + b"\r\n"])

    async def _body(self) -> None:
        size = self.draw.choice((0, 1, 500, 70_000, 1_200_000))
        part = self.draw.randbytes(min(size, 4000))
        chunks = [b"%x%s\r\n" % (len(part), self.draw.choice((b"", b";a=b", b" "))), part, b"\r\n"]
        end = self.draw.choice((b"0\r\n\r\n", b"0\r\nX-Trailer: y\r\n\r\n", b"", b"-1\r\n", b"ffffffffffffffff1\r\n"))
        line = self.draw.choice((b"Transfer-Encoding: chunked\r\n", b"Content-Length: %d\r\n" % size))
        await self._say([self._some_head() + line + b"\r\n", *chunks * self.draw.choice((1, 3, 300)), end])

    async def _bytes(self) -> None:
        await self._say([self.draw.randbytes(self.draw.choice((1, 50, 5000))) for _ in range(self.draw.randint(1, 5))])

    async def _many(self) -> None:
        parts = [self._some_head() + b"\r\n" for _ in range(self.draw.randint(2, 40))]
        await self._say([b"".join(parts)])

    async def _poll(self) -> None:
        sid = await self._sid()
        packets = b"\x1e".join(self.draw.choice(_PACKETS) for _ in range(self.draw.choice((1, 3, 300))))
        length = self.draw.choice((len(packets), len(packets), len(packets) + 100, 2_000_000))
        path = b"/socket.io/?EIO=4&transport=polling&sid=" + sid
        await self._say([b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (path, length), packets])
        if self.draw.random() < 0.5:
            await self._say([b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path])

    async def _frames(self) -> None:
        sid = b"&sid=" + await self._sid() if self.draw.random() < 0.5 else b""
        head = (
            b"GET /socket.io/?EIO=4&transport=websocket%s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            % sid
        )
        await self._say([head, *(self._frame() for _ in range(self.draw.randint(1, 20)))])

    def _frame(self) -> bytes:
        """Mostly whole ones; now and then a bit, a length or a mask is wrong."""
        data, mask = self.draw.choice(_PACKETS), self.draw.randbytes(4)
        first = self.draw.choice((0x81, 0x81, 0x81, 0x82, 0x01, 0x80, 0x88, 0x89, 0xF1, self.draw.randrange(256)))
        size = len(data) if self.draw.random() < 0.9 else self.draw.randrange(1 << 20)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + (size & 0xFFFF).to_bytes(2, "big")
        return bytes([first]) + length + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))

    def _some_head(self) -> bytes:
        draw = self.draw
        line = b"%s %s HTTP/%s\r\n" % (
            draw.choice(_METHODS[:3] if draw.random() < 0.7 else _METHODS),
            draw.choice(_PATHS).encode(),
            draw.choice((b"1.1", b"1.1", b"1.1", b"1.0", b"2.0", b"9", b"")),
        )
        lines = [
            b"%s: %s\r\n" % (draw.choice(_NAMES), draw.choice(_VALUES)) for _ in range(draw.choice((0, 1, 3, 150)))
        ]
        return line + b"".join(lines)

    async def _sid(self) -> bytes:
        answer = await self._say([b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n"])
        return answer.partition(b'"sid":"')[2].partition(b'"')[0] or b"none"

    async def _say(self, parts: list[bytes]) -> bytes:
        """Sends some bytes, now and then slowly or only half of them, and reads what comes."""
        reader, writer = await asyncio.open_connection(self.host, self.port, local_addr=(_FROM, 0))
        try:
            async with asyncio.timeout(_READ_SECONDS):
                for part in parts[: self.draw.randint(1, len(parts))] if self.draw.random() < 0.2 else parts:
                    writer.write(part)
                    await writer.drain()
                    if self.draw.random() < 0.02:
                        await asyncio.sleep(0.2)
                if self.draw.random() < 0.1:
                    return b""  # gone without reading
                answer = await reader.read(65_536)
        finally:
            writer.transport.abort()
        status = answer[9:12].decode("latin-1") if answer.startswith(b"HTTP/1.1 ") else "nothing"
        self.answers[status] += 1
        if status == "500" and len(self.defects) < 10:
            self.defects.append(b"".join(parts)[:400])
        return answer


async def _measure(stack: BenchServer, seconds: float, seed: int) -> int:
    host, _, port = stack.url.removeprefix("http://").partition(":")
    process = api_process(stack)
    polite = Polite(stack)
    before = process.memory_info().rss
    until = time.monotonic() + seconds
    fuzzes = [Fuzz(random.Random(f"{seed}/{number}"), host, int(port)) for number in range(_AT_ONCE)]
    await asyncio.gather(polite.run(until), *(fuzz.run(until) for fuzz in fuzzes))
    answers = sum((fuzz.answers for fuzz in fuzzes), Counter[str]())
    kinds = sum((fuzz.kinds for fuzz in fuzzes), Counter[str]())
    defects = [defect for fuzz in fuzzes for defect in fuzz.defects]
    alive = process.is_running()

    def row(name: str, told: str) -> None:
        sys.stdout.write(f"{name:<22} {told}\n")

    row("seed", str(seed))
    row("sent", ", ".join(f"{kind} {number}" for kind, number in sorted(kinds.items())))
    row("answered", ", ".join(f"{status} {number}" for status, number in sorted(answers.items())))
    row("well-behaved client", polite.figures())
    row(
        "memory of the API", f"{before // _MIB} MB before, {process.memory_info().rss // _MIB if alive else 0} MB after"
    )
    for defect in defects:
        sys.stdout.write(f"answered with 500: {defect!r}\n")
    for problem in polite.problems[:10]:
        sys.stdout.write(f"well-behaved client: {problem}\n")
    return int(bool(defects or polite.problems or not alive))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with running_stack("--no-workers") as stack:
        return asyncio.run(_measure(stack, asked.seconds, asked.seed))


if __name__ == "__main__":
    sys.exit(main())
