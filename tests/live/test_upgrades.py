"""From polls to a WebSocket: also where one opens and forgets whatever is sent over it."""

import asyncio
import json

import httpx2
from websockets.asyncio.client import ClientConnection, connect

from bmn.schemas.events import WIZARD
from tests.kit.processes import PATIENCE
from tests.kit.raw import Address
from tests.live.servers import Live

_POLLS = "/socket.io/?EIO=4&transport=polling"


class Polling:
    """A transport that polls, and has joined the wizard."""

    def __init__(self, client: httpx2.AsyncClient, server: Address, sid: str) -> None:
        self._client, self.sid = client, sid
        self._socket = f"ws://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket&sid={sid}"

    @classmethod
    async def open(cls, client: httpx2.AsyncClient, server: Address, token: str) -> "Polling":
        sid = json.loads((await client.get(_POLLS)).text[1:])["sid"]
        polling = cls(client, server, sid)
        await polling.say("40" + WIZARD + "," + json.dumps({"token": token}))
        await polling.read("40")
        return polling

    def beside(self) -> connect:
        """A WebSocket that may take over."""
        return connect(self._socket, proxy=None)

    async def say(self, packet: str) -> None:
        answer = await self._client.post(f"{_POLLS}&sid={self.sid}", content=packet)
        assert answer.text == "OK"

    async def read(self, start: str, *, polls: int = 5) -> str:
        """The first packet that begins so, in at most so many polls."""
        for _ in range(polls):
            for packet in (await self._client.get(f"{_POLLS}&sid={self.sid}")).text.split("\x1e"):
                if packet.startswith(start):
                    return packet
        raise AssertionError(f"no packet that begins with {start} in {polls} polls")


def client_of(server: Address) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=PATIENCE, trust_env=False)


async def closed(beside: ClientConnection) -> bool:
    await beside.wait_closed()
    return True


async def test_polls_bring_events_while_a_websocket_brings_nothing(bare: Live) -> None:
    server = await bare.server(upgrade_seconds=PATIENCE)
    job = await bare.job()
    async with client_of(server) as client:
        polling = await Polling.open(client, server, bare.token())
        async with polling.beside():
            await polling.say(f'42{WIZARD},7["job:status",{{"jobId":"{job}"}}]')
            assert job in await polling.read("43")


async def test_a_websocket_that_never_says_a_word_is_closed(bare: Live) -> None:
    server = await bare.server(upgrade_seconds=0.2)
    async with client_of(server) as client:
        polling = await Polling.open(client, server, bare.token())
        async with polling.beside() as beside:
            assert await closed(beside)


async def test_polls_go_on_where_the_answer_to_a_probe_is_lost(bare: Live) -> None:
    server = await bare.server(upgrade_seconds=0.2)
    job = await bare.job()
    async with client_of(server) as client:
        polling = await Polling.open(client, server, bare.token())
        async with polling.beside() as beside:
            await beside.send("2probe")
            assert await beside.recv() == "3probe"
            assert await closed(beside)
        await polling.say(f'42{WIZARD},7["job:status",{{"jobId":"{job}"}}]')
        assert job in await polling.read("43")


async def test_a_websocket_takes_over(bare: Live) -> None:
    server = await bare.server()
    job = await bare.job()
    async with client_of(server) as client:
        polling = await Polling.open(client, server, bare.token())
        async with polling.beside() as beside:
            await beside.send("2probe")
            assert await beside.recv() == "3probe"
            await polling.read("6")
            await beside.send("5")
            await beside.send(f'42{WIZARD},7["job:status",{{"jobId":"{job}"}}]')
            while not (packet := str(await beside.recv())).startswith("43"):
                pass
            assert job in packet


async def test_a_transport_keeps_one_poll_waiting(bare: Live) -> None:
    """The newest: whoever asks beside it was sent twice on the way, or holds connections."""
    server = await bare.server()
    job = await bare.job()
    async with client_of(server) as client:
        polling = await Polling.open(client, server, bare.token())
        address = f"{_POLLS}&sid={polling.sid}"
        waiting = [asyncio.create_task(client.get(address)) for _ in range(8)]
        while len(done := [poll for poll in waiting if poll.done()]) < 7:
            await asyncio.wait([poll for poll in waiting if not poll.done()], return_when=asyncio.FIRST_COMPLETED)
        assert {poll.result().text for poll in done} == {"6"}
        (newest,) = [poll for poll in waiting if not poll.done()]
        await polling.say(f'42{WIZARD},7["job:status",{{"jobId":"{job}"}}]')
        assert job in (await newest).text
