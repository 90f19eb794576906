"""A Socket.IO client as small as the wire allows, so that it does not measure itself."""

import json
import socket
import time
from types import TracebackType

from websockets.asyncio.client import ClientConnection, connect

from bench.stack import BenchServer


class Listener:
    """Joined to /wizard; notes how old each `agent:message` is that a teller stamped with its time.

    deaf: it has no room for what it does not take out at once, so nothing flows while nobody collects.
    """

    def __init__(self, stack: BenchServer, token: str | None = None, *, deaf: bool = False) -> None:
        self._stack = stack
        self._token = token or stack.token
        self._deaf = deaf
        self._socket: ClientConnection | None = None

    async def __aenter__(self) -> "Listener":
        url = self._stack.url.replace("http://", "ws://") + "/socket.io/?EIO=4&transport=websocket"
        if self._deaf:
            line = socket.socket()
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.connect(("127.0.0.1", int(url.split(":")[2].split("/")[0])))
            self._socket = await connect(url, compression=None, sock=line, max_queue=1)
        else:
            self._socket = await connect(url, compression=None)
        await self._expect("0")
        await self._socket.send("40/wizard," + json.dumps({"token": self._token}))
        await self._expect("40/wizard,")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._socket is not None
        if self._deaf:
            self._socket.transport.abort()  # it would wait for an answer that it does not read
        else:
            await self._socket.close()

    async def join(self, job_id: str) -> None:
        assert self._socket is not None
        await self._socket.send("42/wizard,1" + json.dumps(["job:join", {"jobId": job_id}]))
        await self._expect("43/wizard,1")

    async def collect(self, events: int) -> list[float]:
        """Seconds from telling to hearing, for so many events."""
        seconds: list[float] = []
        while len(seconds) < events:
            text = await self._receive()
            if text.startswith('42/wizard,["agent:message"'):
                stamp = json.loads(text.removeprefix("42/wizard,"))[1]["content"]
                seconds.append(time.time() - float(stamp.split()[0]))
        return seconds

    async def _expect(self, prefix: str) -> None:
        while not (text := await self._receive()).startswith(prefix):
            if text.startswith("44"):
                raise RuntimeError(f"refused: {text}")

    async def _receive(self) -> str:
        assert self._socket is not None
        while (text := str(await self._socket.recv())) == "2":
            await self._socket.send("3")
        return text
