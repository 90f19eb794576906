"""Four attacks that need no token, on a server of their own: `python -m bench.attacks`.

1. 600 polling POSTs that announce 2,000,000 bytes and send 60,000. 2. 20 polling POSTs that send 2 of 1,000 bytes.
3. 20 MB of header lines on one connection. 4. 40 scrapes of /metrics at once, among 200,000 jobs and 400,000 calls.

Each ends by itself. Told is how many were answered, what the API's process came to hold, and how long somebody else waited.
"""

import asyncio
import contextlib
import sqlite3
import sys
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import psutil

from bench.stack import BenchServer, api_process, running_stack

_MIB = 1024 * 1024
_HANDSHAKE = "/socket.io/?EIO=4&transport=polling"
_PATIENCE = 40.0
_PAD = b"a" * 60_000


class Attacked:
    def __init__(self, stack: BenchServer) -> None:
        parts = urlsplit(stack.url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self.process: psutil.Process = api_process(stack)

    async def say(self, parts: list[bytes], seconds: float, *, whole: bool = True) -> str:
        """Sends some bytes and waits; returns the status, `closed` without one, or `open` where nothing has come of it."""
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            async with asyncio.timeout(seconds):
                with contextlib.suppress(ConnectionError):
                    for part in parts:
                        writer.write(part)
                        await writer.drain()
                with contextlib.suppress(ConnectionError):
                    answer = await (reader.read() if whole else reader.read(65_536))
                    return answer[9:12].decode("latin-1") or "closed"
                return "closed"
        except TimeoutError:
            return "open"
        finally:
            writer.transport.abort()

    async def sid(self) -> bytes:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        writer.write(f"GET {_HANDSHAKE} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        return answer.partition(b'"sid":"')[2].partition(b'"')[0]

    async def waits_of_others(self, found: list[float]) -> None:
        while True:
            began = time.perf_counter()
            await self.say([b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"], _PATIENCE)
            found.append(time.perf_counter() - began)
            await asyncio.sleep(0.1)


async def _too_long(target: Attacked) -> Counter[str]:
    answers: Counter[str] = Counter()
    for _ in range(12):

        async def one() -> str:
            head = b"POST %s&sid=%s HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\nX-Pad: %s\r\n\r\n"
            return await target.say([head % (_HANDSHAKE.encode(), await target.sid(), _PAD), _PAD], 3, whole=False)

        answers.update(await asyncio.gather(*(one() for _ in range(50))))
    return answers


async def _dripping(target: Attacked) -> Counter[str]:
    async def one() -> str:
        head = b"POST %s&sid=%s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n4x"
        return await target.say([head % (_HANDSHAKE.encode(), await target.sid())], _PATIENCE)

    return Counter(await asyncio.gather(*(one() for _ in range(20))))


async def _lines(target: Attacked) -> Counter[str]:
    parts = [b"GET /health/live HTTP/1.1\r\nHost: x\r\n", *[b"a: b\r\n" * 11_000] * 300, b"Connection: close\r\n\r\n"]
    return Counter([await target.say(parts, _PATIENCE)])


async def _scrapes(target: Attacked) -> Counter[str]:
    asked = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    return Counter(await asyncio.gather(*(target.say([asked], _PATIENCE) for _ in range(40))))


def _fill(stack: BenchServer) -> None:
    """As much as years leave: ended jobs and what their providers were asked."""
    with contextlib.closing(sqlite3.connect(stack.home / "bmn.sqlite3", timeout=60)) as db, db:
        _multiply(db, "jobs", 200_000, {"id": "'logo-generation-' || ? || n", "state": "'completed'"})
        _multiply(db, "provider_calls", 400_000, {"id": "? || n"})


def _multiply(db: sqlite3.Connection, table: str, number: int, changed: dict[str, str]) -> None:
    columns = list(db.execute(f"PRAGMA table_info({table})"))
    names = [row[1] for row in columns if not (row[1] == "id" and row[2].upper().startswith("INTEGER"))]
    values = ", ".join(changed.get(name, name) for name in names)
    unique = uuid.uuid4().hex
    marks = [unique] * values.count("?")
    db.execute(
        f"WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < {number}) "
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM (SELECT * FROM {table} LIMIT 1), many",
        marks,
    )


async def _attack(target: Attacked, name: str, attack: Callable[[Attacked], Awaitable[Counter[str]]]) -> None:
    waits: list[float] = []
    before = target.process.memory_info().rss
    highest = before
    watching = asyncio.create_task(target.waits_of_others(waits))
    attacking = asyncio.ensure_future(attack(target))
    began = time.perf_counter()
    while not attacking.done():
        await asyncio.wait([attacking], timeout=0.1)
        highest = max(highest, target.process.memory_info().rss)
    took = time.perf_counter() - began
    watching.cancel()
    answers = ", ".join(f"{status} {number}" for status, number in sorted(attacking.result().items()))
    sys.stdout.write(
        f"{name:<34} {answers:<28} {before // _MIB:>4} -> {highest // _MIB:>4} MB   "
        f"others waited {max(waits, default=0.0):5.2f} s at most   {took:5.1f} s\n"
    )
    sys.stdout.flush()


async def _all(stack: BenchServer) -> None:
    target = Attacked(stack)
    await _attack(target, "600 polling POSTs, too long", _too_long)
    await _attack(target, "20 polling POSTs, dripping", _dripping)
    await _attack(target, "20 MB of header lines", _lines)
    await asyncio.to_thread(_fill, stack)
    await _attack(target, "40 scrapes, 200,000 jobs", _scrapes)


def main() -> int:
    with running_stack() as stack:
        _one_job(stack)
        asyncio.run(_all(stack))
    return 0


def _one_job(stack: BenchServer) -> None:
    """The row that all others are made of."""
    import httpx

    with httpx.Client(
        base_url=stack.url, headers={"Authorization": f"Bearer {stack.token}"}, trust_env=False
    ) as client:
        brand = client.post("/api/v1/brands", json={"name": "Bench"}).json()["id"]
        job = client.post("/api/v1/generation/logos", json={"brandId": brand, "count": 1}).json()["jobId"]
        until = time.monotonic() + 120
        while time.monotonic() < until:
            if client.get(f"/api/v1/jobs/{job}").json()["state"] in ("completed", "failed"):
                return
            time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
