"""A server that is killed under many clients: `python -m bench.storm --clients 2000`.

Users with 20 sockets each, every socket in its user's job room. The API process is killed; its supervisor starts it
again, and every client comes back as the official one does: after 1 s, doubled to 5 s, halved or half as much again by
chance. Prints for a storm of few and of many: until all were back, how many resumed, and the processor time of the
server for each client, which a busy neighbour does not change.
"""

import argparse
import asyncio
import json
import random
import time
import uuid
from dataclasses import dataclass

import psutil
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from bench import pages
from bench.http import Connection, request
from bench.stack import BenchServer, api_process, running_stack
from bmn.identity.development import mint_development_token
from bmn.settings import load_settings

_EACH = 20
_OPENING = 50  # connections that are opened at the same time, before the storm
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 5.0
_GIVEN_UP = 180.0


@dataclass(slots=True)
class StormClient:
    """pid, offset: what it shows to resume. back: seconds from the kill until it was served again."""

    stack: BenchServer
    token: str
    job: str
    line: ClientConnection | None = None
    pid: str = ""
    offset: str = ""
    back: float = 0.0
    resumed: bool = False

    async def join(self) -> None:
        """Connects; joins its job's room unless the session was resumed."""
        url = self.stack.url.replace("http://", "ws://") + "/socket.io/?EIO=4&transport=websocket"
        self.line = await connect(url, compression=None, proxy=None, open_timeout=20, ping_interval=None)
        await self._expect("0")
        auth = {"token": self.token, "recovery": True}
        if self.pid:
            auth |= {"pid": self.pid, **({"offset": self.offset} if self.offset else {})}
        await self.line.send("40/wizard," + json.dumps(auth))
        said = json.loads((await self._expect("40/wizard,")).removeprefix("40/wizard,"))
        self.resumed, self.pid = said["pid"] == self.pid, said["pid"]
        if not self.resumed:
            await self.line.send("42/wizard,1" + json.dumps(["job:join", {"jobId": self.job}]))
            await self._expect("43/wizard,1")

    async def _expect(self, prefix: str) -> str:
        assert self.line is not None
        while not (text := str(await self.line.recv())).startswith(prefix):
            if text == "2":
                await self.line.send("3")
            elif text.startswith("42/wizard,"):
                last = json.loads(text.removeprefix("42/wizard,"))[-1]
                self.offset = last if isinstance(last, str) else self.offset
            elif text.startswith("44"):
                raise RuntimeError(f"refused: {text}")
        return text

    async def hold(self) -> None:
        """Answers pings until the connection ends."""
        assert self.line is not None
        try:
            while True:
                await self._expect("\0")
        except (OSError, WebSocketException):
            return

    def leave(self) -> None:
        """Lets go of a connection: one that was given up must not stand in the server's line for ever."""
        if self.line is not None:
            self.line.transport.abort()
            self.line = None

    async def come_back(self, killed: float) -> None:
        """As the official client does, until it is served again."""
        wait = _FIRST_WAIT
        while time.monotonic() - killed < _GIVEN_UP:
            await asyncio.sleep(wait * random.uniform(0.5, 1.5))
            wait = min(wait * 2, _LONGEST_WAIT)
            try:
                async with asyncio.timeout(20):
                    await self.join()
            except (OSError, TimeoutError, WebSocketException):
                self.leave()
                continue
            self.back = time.monotonic() - killed
            return


async def _clients(stack: BenchServer, number: int) -> list[StormClient]:
    settings = load_settings(bmn_home=stack.home)
    found: list[StormClient] = []
    connection = await Connection.open(stack.url)
    for _ in range(-(-number // _EACH)):
        token = mint_development_token(settings, str(uuid.uuid4()))
        _, body = await connection.ask(request("POST", "/api/v1/brands", token=token, body=b'{"name":"Bench"}'))
        post = json.dumps({"brandId": json.loads(body)["id"], "count": 1}).encode()
        _, body = await connection.ask(request("POST", "/api/v1/generation/logos", token=token, body=post))
        found += [StormClient(stack, token, str(json.loads(body)["jobId"])) for _ in range(_EACH)]
    connection.close()
    return found[:number]


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@dataclass(frozen=True, slots=True)
class Storm:
    """What became of so many clients. joining, each: milliseconds of the server's processor for each client, at first and in
    the storm, the start of the process included. memory: KiB each. half, all: seconds until so many were back, of those that
    were. lost: how many were not within three minutes.
    """

    clients: int
    joining: float
    memory: float
    half: float
    all: float
    resumed: int
    lost: int
    each: float

    def __str__(self) -> str:
        """A row of `_HEAD`."""
        back = f"{self.half:.1f} s | {self.all:.1f} s | {self.resumed:,} | {self.lost:,}"
        return f"| {self.clients:,} | {self.joining:.1f} ms | {self.memory:.0f} KiB | {back} | {self.each:.1f} ms |"


_HEAD = (
    "| clients | joining, processor each | memory each | half back | all | resumed | never back | storm, processor each |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
)


async def _storm(stack: BenchServer, number: int) -> Storm:
    clients = await _clients(stack, number)
    before = api_process(stack)
    empty, used = before.memory_full_info().pss, _used(before)
    gate = asyncio.Semaphore(_OPENING)

    async def begin(client: StormClient) -> None:
        async with gate:
            await client.join()

    await asyncio.gather(*map(begin, clients))
    joining = (_used(before) - used) * 1000 / number
    memory = (before.memory_full_info().pss - empty) / number / 1024
    holding = [asyncio.create_task(client.hold()) for client in clients]
    await asyncio.sleep(2)
    before.kill()
    killed = time.monotonic()
    await asyncio.gather(*holding)
    await asyncio.gather(*(client.come_back(killed) for client in clients))
    after = api_process(stack)
    each = _used(after) * 1000 / number
    back = sorted(client.back for client in clients if client.back) or [_GIVEN_UP]
    lost = sum(not client.back for client in clients)
    resumed = sum(client.resumed for client in clients if client.back)
    for client in clients:
        client.leave()
    if lost:
        print((stack.home / "serve.log").read_text()[-3000:], flush=True)
    return Storm(number, joining, memory, back[len(back) // 2], back[-1], resumed, lost, each)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=2000)
    parser.add_argument("--few", type=int, default=200, help="the storm to compare with")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="into docs/reliability.md")
    options = parser.parse_args()
    began, storms = pages.Began(), list[Storm]()
    print(*_HEAD, sep="\n")
    for _ in range(options.rounds):
        for number in (options.few, options.clients):
            with running_stack("--no-workers", BMN_CREDITS_NEW_USER="100") as stack:
                storms.append(asyncio.run(_storm(stack, number)))
            print(storms[-1], flush=True)
    few, many = (
        min(each.each for each in storms if each.clients == number) for number in (options.few, options.clients)
    )
    ratio = f"A client of {options.clients:,} costs {many / few:.2f} times one of {options.few:,}."
    print(ratio)
    if options.write:
        began.write(pages.DOCS / "reliability.md", "bench.storm", [*_HEAD, *map(str, storms), "", ratio])


if __name__ == "__main__":
    main()
