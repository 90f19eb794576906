"""Half a minute without a server, in real time. `make chaos` runs these; the same breaks without the wait are in
test_recovery.py."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.kit.proxy import Proxy
from tests.live.servers import Live

pytestmark = [pytest.mark.node, pytest.mark.chaos]

BREAK_SECONDS = 30
TOLD_MEANWHILE = 20


class Door(Proxy):
    """The one address that the front end knows, with a server process behind it."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door(("127.0.0.1", 9))
    try:
        yield door
    finally:
        door.close()


@pytest.mark.parametrize("how", ["cut", "silence", "kill"])
async def test_twenty_events_of_a_break_of_thirty_seconds_come_at_another_process(
    live: Live, door: Door, how: str
) -> None:
    one, two = await live.process(), await live.process()
    door.lead_to(("127.0.0.1", one.port))
    # The client's own delays, as the specification's front end sets them.
    client = await live.client(door, reconnectionDelay=1000, reconnectionDelayMax=5000)
    first = await client.connected()
    brand = await live.brand()
    job, later = await live.job(brand_id=brand), await live.job()
    for event, asked in (
        ("brand:join", {"brandId": brand}),
        ("job:join", {"jobId": job}),
        ("job:join", {"jobId": later}),
    ):
        assert (await client.ask(event, asked))["ok"]
    await live.publish(job)
    await client.got(job, [1, 2])

    if how == "kill":
        one.kill()
    if how == "silence":
        door.silence()  # nobody is told: the server writes into the void, the client believes it is connected
    else:
        door.cut()
        await client.disconnected()
    began = asyncio.get_running_loop().time()
    for number in range(1, TOLD_MEANWHILE + 1):
        await asyncio.sleep(began + number * BREAK_SECONDS / TOLD_MEANWHILE - asyncio.get_running_loop().time())
        await live.publish(job)
    assert (client.seqs(job), len(client.of("connect"))) == ([1, 2], 1), "nothing came through"
    door.lead_to(("127.0.0.1", two.port))
    door.mend()

    assert await client.connected(2) == {**first, "recovered": True}
    await client.got(job, list(range(1, TOLD_MEANWHILE + 3)))
    await live.publish(job)  # heard through two rooms, once
    await live.publish(later)
    beside = await live.job(brand_id=brand)
    await client.got(beside, [1])
    await client.got(later, [1, 2])
    assert client.seqs(job) == list(range(1, TOLD_MEANWHILE + 4))
    if how != "kill":
        one.kill()  # what it still held of the session was of no use to anybody
        await live.publish(job)
        await client.got(job, list(range(1, TOLD_MEANWHILE + 5)))
