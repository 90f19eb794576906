"""The official JavaScript client, told from Python what to do."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.kit.processes import PATIENCE

NODE = Path(__file__).parents[1] / "node"
WEB = Path(__file__).parents[2] / "web"
Said = dict[str, Any]


def why_not() -> str:
    """Why the JavaScript client cannot be driven here; empty where it can."""
    if shutil.which("node") is None:
        return "Node is not installed"
    if not (NODE / "node_modules" / "socket.io-client").is_dir():
        return "tests/node/node_modules is missing; run `npm ci` in tests/node"
    return ""


def why_no_page() -> str:
    """Why a page of web/ cannot run here; empty where it can."""
    if shutil.which("node") is None:
        return "Node is not installed"
    if not (WEB / "node_modules" / "react-dom").is_dir():
        return "web/node_modules is missing; run `npm ci` in web"
    return ""


class Driver:
    """One Node process with any number of sockets, each under a name; or another program that says what it hears."""

    def __init__(self, script: Path = NODE / "client.mjs", *arguments: str) -> None:
        self._command = ("node", str(script), *arguments)
        self.said: list[Said] = []
        self._new = asyncio.Event()
        self._acks = 0

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=16_000_000,
        )
        self._reading = asyncio.create_task(self._read())

    async def stop(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout
        async for line in self._process.stdout:
            self.said.append(json.loads(line))
            self._new.set()

    def command(self, do: str, name: str, **fields: Any) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"do": do, "name": name, **fields}).encode() + b"\n")

    async def until(self, true: Callable[[list[Said]], Any], seconds: float = PATIENCE) -> Any:
        """Waits until a question about everything said so far has an answer, and returns it."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            self._new.clear()
            if answer := true(self.said):
                return answer
            try:
                async with asyncio.timeout_at(deadline):
                    await self._new.wait()
            except TimeoutError:
                raise AssertionError(f"not said within {seconds:g} s; the last: {self.said[-12:]}") from None


class Client:
    """One socket of the driver."""

    def __init__(self, driver: Driver, name: str) -> None:
        self.driver = driver
        self.name = name

    def of(self, kind: str) -> list[Said]:
        return [said for said in self.driver.said if said.get("name") == self.name and said["type"] == kind]

    def events(self, *names: str) -> list[Said]:
        return [said for said in self.of("event") if not names or said["event"] in names]

    def data(self, *names: str) -> list[Any]:
        return [said["args"][0] for said in self.events(*names)]

    def seqs(self, job_id: str) -> list[int]:
        return [data["seq"] for data in self.data() if data.get("jobId") == job_id]

    async def connected(self, times: int = 1) -> Said:
        """Waits for so many connects in all; the last one."""
        found = await self.driver.until(lambda _: (said := self.of("connect"))[times - 1 : times] and said)
        said: Said = found[-1]
        return said

    async def refused(self, times: int = 1) -> Said:
        said: Said = await self.driver.until(lambda _: (got := self.of("connect_error"))[times - 1 : times] and got[-1])
        return said

    async def disconnected(self, times: int = 1, seconds: float = PATIENCE) -> Said:
        said: Said = await self.driver.until(
            lambda _: (got := self.of("disconnect"))[times - 1 : times] and got[-1], seconds
        )
        return said

    async def ask(self, event: str, *args: Any, seconds: float = PATIENCE) -> Any:
        """Emits with an acknowledgement and returns its first argument."""
        self.driver._acks += 1
        number = self.driver._acks
        self.driver.command("emit", self.name, event=event, args=args, ack=number)
        said = await self.driver.until(lambda all_: next((s for s in all_ if s.get("ack") == number), None), seconds)
        return said["answer"][0] if said["answer"] else None

    def emit(self, event: str, *args: Any) -> None:
        self.driver.command("emit", self.name, event=event, args=args)

    async def got(self, job_id: str, seqs: list[int], seconds: float = PATIENCE) -> None:
        """Waits until the last of these has come, and checks that they came once each and in order."""
        await self.driver.until(lambda _: seqs[-1] in self.seqs(job_id), seconds)
        assert self.seqs(job_id) == seqs

    async def heard(self, event: str, times: int = 1) -> None:
        """Waits until an event has come so many times."""
        await self.driver.until(lambda _: len(self.events(event)) >= times)

    async def offset(self) -> Said:
        before = len(self.of("offset"))
        self.driver.command("offset", self.name)
        said: Said = await self.driver.until(lambda _: self.of("offset")[before:] and self.of("offset")[-1])
        return said

    def cut(self) -> None:
        self.driver.command("cut", self.name)

    def away(self) -> None:
        self.driver.command("away", self.name)

    def open(self, url: str = "", **auth: Any) -> None:
        self.driver.command("open", self.name, url=url, auth=auth or None)
