"""Whatever a client sends, the server answers and lives, and nobody else notices."""

import asyncio
import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bmn.schemas.events import ADMIN, DASHBOARD, WIZARD
from bmn.server.sockets.app import _HANDLERS
from tests.kit.processes import PATIENCE, eventually
from tests.kit.raw import Address, Raw
from tests.live.servers import Live

EVENTS = [(namespace, event) for namespace, handlers in _HANDLERS.items() for event in handlers]

DEEP: Any = None
for _ in range(50):
    DEEP = [DEEP]

PAYLOADS: dict[str, str] = {
    "missing": "",
    "null": ",null",
    "a number": ",5",
    "a text": ',"x"',
    "an array": ",[1,2]",
    "an empty object": ",{}",
    "a null id": ',{"jobId":null,"brandId":null}',
    "a number for an id": ',{"jobId":5,"brandId":5}',
    "an object for an id": ',{"jobId":{"$gt":""},"brandId":{"$gt":""}}',
    "an array for an id": ',{"jobId":["a"],"brandId":["a"]}',
    "a deep id": f',{{"jobId":{json.dumps(DEEP)},"brandId":{json.dumps(DEEP)}}}',
    "a long id": f',{{"jobId":"{"a" * 10_000}","brandId":"{"a" * 10_000}"}}',
    "sql": """,{"jobId":"' OR 1=1 --","brandId":"' OR 1=1 --"}""",
    "nul bytes": ',{"jobId":"a\\u0000b","brandId":"a\\u0000b"}',
    "half a surrogate": ',{"jobId":"\\ud800","brandId":"\\ud800"}',
    "polluted": ',{"__proto__":{"admin":true},"jobId":"x","brandId":"x"}',
    "nearly a megabyte": f',{{"jobId":"x","brandId":"x","more":"{"a" * 900_000}"}}',
    "infinity": ',{"jobId":1e999,"brandId":1e999}',
    "more arguments": ',{"jobId":"x","brandId":"x"},1,2,3',
}


async def still_serves(live: Live, server: Address) -> None:
    raw = await Raw.open(server)
    assert '"sid"' in await raw.join(WIZARD, live.token())
    job = await live.job()
    answer = await raw.ask(f'42{WIZARD},7["job:status",{{"jobId":"{job}"}}]')
    assert answer["jobId"] == job
    await raw.connection.close()


async def test_every_event_answers_every_payload(bare: Live) -> None:
    server = await bare.server(rate=100_000, burst=100_000)
    for namespace in (WIZARD, DASHBOARD, ADMIN):
        raw = await Raw.open(server)
        await raw.join(namespace, bare.token(role="admin"))
        for event in [name for space, name in EVENTS if space == namespace]:
            for name, payload in PAYLOADS.items():
                answer = await raw.ask(f'42{namespace},7["{event}"{payload}]')
                harmless = event in ("queues:stats", "user:join") or event.endswith((":leave", ":unwatch"))
                assert "error" in answer or harmless, (event, name, answer)
                await raw.send(f'42{namespace},["{event}"{payload}]')  # and without an acknowledgement
        assert "error" in await raw.ask(f'42{namespace},7["no:such",1]')
        await raw.connection.close()
    await still_serves(bare, server)


@pytest.mark.parametrize(
    "packet",
    ['42/wizard,7{"a":1}', "42/wizard,7[]", "42/wizard,7[5]", '42/wizard,7[{"a":1}]', "42/wizard,7null", "42/wizard,7"],
)
async def test_a_packet_of_the_wrong_shape_gets_an_error(bare: Live, packet: str) -> None:
    server = await bare.server()
    raw = await Raw.open(server)
    await raw.join(WIZARD, bare.token())
    assert await raw.ask(packet) == {"error": "Malformed packet"}


@pytest.mark.parametrize("event", ["connect", "disconnect", "connect_error"])
async def test_events_of_the_protocol_cannot_be_played(bare: Live, event: str) -> None:
    server = await bare.server()
    raw = await Raw.open(server)
    await raw.join(WIZARD, bare.token())
    assert await raw.ask(f'42/wizard,7["{event}",{{}}]') == {"error": "Malformed packet"}
    assert "jobId required" in (await raw.ask('42/wizard,7["job:status",{}]'))["error"]


MALFORMED: dict[str, str | bytes] = {
    "no json": "42/wizard,7[nonsense",
    "deep json": "42/wizard,7" + "[" * 100_000,
    "a deep transport packet": "4" + "[" * 100_000,
    "an unknown packet": "49",
    "an unknown transport packet": "x",
    "nothing": "",
    "a server's packet": '44/wizard,{"message":"x"}',
    "a long acknowledgement id": "42/wizard," + "7" * 200 + "[]",
    "many attachments": '4599-/wizard,["job:join",{"_placeholder":true,"num":0}]',
    "bytes out of nowhere": b"\x00\x01",
    "an object for a packet": '4{"a":1}',
    "a third of a million values": '42/wizard,7["job:join",[' + "[]," * 330_000 + "0]]",
    "two megabytes": "4" + "2" * 2_000_000,
    "a placeholder to nowhere": '42/wizard,7["job:join",{"_placeholder":true,"num":9}]',
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_packet_ends_at_most_its_own_connection(bare: Live, name: str) -> None:
    server = await bare.server()
    raw = await Raw.open(server)
    await raw.join(WIZARD, bare.token())
    try:
        await raw.send(MALFORMED[name])
        await raw.ask('42/wizard,7["job:status",{}]')
    except ConnectionClosed:
        pass
    await still_serves(bare, server)


async def test_a_binary_event_is_answered(bare: Live) -> None:
    server = await bare.server()
    raw = await Raw.open(server)
    await raw.join(WIZARD, bare.token())
    await raw.send('451-/wizard,7["job:join",{"jobId":{"_placeholder":true,"num":0}}]')
    assert "error" in await raw.ask(b"\xff\x00\xff")  # type: ignore[arg-type]


async def test_too_many_messages_are_refused_and_the_rest_served(bare: Live) -> None:
    server = await bare.server(rate=10, burst=20)
    raw = await Raw.open(server)
    await raw.join(WIZARD, bare.token())
    for _ in range(60):
        await raw.send('42/wizard,1["job:status",{"jobId":"x"}]')
    answers = [json.loads((await raw.read()).partition(",")[2][1:])[0]["error"] for _ in range(60)]
    served = [answer for answer in answers if answer == "Job not found"]
    assert 15 <= len(served) < 40
    assert all(answer in ("Job not found", "Too many messages: at most 10 a second") for answer in answers)


async def test_coming_back_is_no_way_to_say_more(bare: Live) -> None:
    server = await bare.server(rate=1, burst=20)
    served = 0
    for _ in range(4):
        raw = await Raw.open(server)
        await raw.join(WIZARD, bare.token())
        for _ in range(20):
            served += (await raw.ask('42/wizard,7["job:status",{"jobId":"x"}]'))["error"] == "Job not found"
        await raw.connection.close()
    assert served < 40  # a bucket each would have served 80


async def test_a_transport_that_has_joined_nothing_says_little(bare: Live) -> None:
    server = await bare.server(unasked=5)
    raw = await Raw.open(server)
    with pytest.raises(ConnectionClosed):
        for _ in range(200):
            await raw.send('42/wizard,1["job:status",{"jobId":"x"}]')
            await asyncio.sleep(0)
        await raw.read()
    await still_serves(bare, server)


async def test_a_socket_sits_in_so_many_rooms_and_no_more(bare: Live) -> None:
    server = await bare.server(rooms=3, rate=1000, burst=1000)
    raw = await Raw.open(server)
    await raw.join(WIZARD, bare.token())
    jobs = [await bare.job() for _ in range(4)]
    for job in jobs[:3]:
        assert (await raw.ask(f'42/wizard,7["job:join",{{"jobId":"{job}"}}]'))["ok"]
    refused = await raw.ask(f'42/wizard,7["job:join",{{"jobId":"{jobs[3]}"}}]')
    assert refused == {"error": "Too many rooms: a socket may sit in 3"}
    assert (await raw.ask(f'42/wizard,7["job:join",{{"jobId":"{jobs[0]}"}}]'))["ok"]
    assert (await raw.ask(f'42/wizard,7["job:leave",{{"jobId":"{jobs[0]}"}}]'))["ok"]
    assert (await raw.ask(f'42/wizard,7["job:join",{{"jobId":"{jobs[3]}"}}]'))["ok"]


async def test_a_user_has_so_many_sockets_and_no_more(bare: Live) -> None:
    server = await bare.server(sockets=3)
    raws = [await Raw.open(server) for _ in range(4)]
    answers = [await raw.join(WIZARD, bare.token()) for raw in raws]
    assert ['"sid"' in answer for answer in answers] == [True, True, True, False]
    assert "Too many sockets" in answers[3]
    await raws[0].send("41/wizard,")
    await raws[0].connection.close()

    async def free() -> bool:
        return '"sid"' in await (await Raw.open(server)).join(WIZARD, bare.token())

    await eventually(free)


async def test_a_transport_that_joins_nothing_is_ended(bare: Live) -> None:
    server = await bare.server(connect_seconds=0.2)
    silent = await Raw.open(server)
    assert await asyncio.wait_for(silent.closed(), PATIENCE)
    refused = await Raw.open(server)
    await refused.join(WIZARD, "nonsense")
    assert await asyncio.wait_for(refused.closed(), PATIENCE)


async def test_guessing_tokens_on_one_connection_ends_it(bare: Live) -> None:
    server = await bare.server(attempts=3)
    raw = await Raw.open(server)
    for _ in range(3):
        assert "invalid token" in await raw.join(WIZARD, "guess")
    await raw.send('40/wizard,{"token":"guess"}')
    assert await asyncio.wait_for(raw.closed(), PATIENCE)


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "http://localhost:5173.evil.test"])
async def test_a_foreign_origin_is_refused_at_the_handshake(bare: Live, origin: str) -> None:
    server = await bare.server()
    with pytest.raises(InvalidStatus):
        await Raw.open(server, origin=origin)
    await Raw.open(server, origin="http://localhost:5173")


async def test_a_flood_is_cut(bare: Live) -> None:
    server = await bare.server(rate=1, burst=1, patience=50)
    raw = await Raw.open(server)
    await raw.join(WIZARD, bare.token())
    for _ in range(200):
        await raw.send('42/wizard,["job:status",{"jobId":"x"}]')
    assert await asyncio.wait_for(raw.closed(), PATIENCE)
    await still_serves(bare, await bare.server())
