"""A client without manners: it sends exactly the packets it is told to."""

import json
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed


class Address(Protocol):
    """Wherever a server answers: itself, or through a proxy."""

    @property
    def port(self) -> int: ...


class Raw:
    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    @classmethod
    async def open(cls, server: Address, **options: Any) -> "Raw":
        address = f"ws://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket"
        raw = cls(await connect(address, max_size=None, proxy=None, **options))
        assert (await raw.read()).startswith("0")
        return raw

    async def join(self, namespace: str, token: str, **auth: Any) -> str:
        await self.send(f"40{namespace},{json.dumps({'token': token, **auth})}")
        return await self.read()

    async def send(self, text: str | bytes) -> None:
        await self.connection.send(text)

    async def read(self) -> str:
        """The next packet that is not a ping."""
        while True:
            text = await self.connection.recv()
            if text != "2":
                return str(text)

    async def ask(self, text: str) -> Any:
        """Sends a packet with the acknowledgement id 7 and returns what is acknowledged."""
        await self.send(text)
        while True:
            packet = await self.read()
            _, comma, body = packet.partition(",")
            if packet.startswith("43") and comma and body.startswith("7["):
                return json.loads(body[1:])[0]

    async def closed(self) -> bool:
        try:
            while True:
                await self.read()
        except ConnectionClosed:
            return True
