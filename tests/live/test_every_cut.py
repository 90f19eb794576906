"""One conversation, cut after each of its packets in turn: what comes after the return is exactly what was not had."""

import asyncio
import json
from functools import partial
from typing import Any

from bmn.broker import redis_keys
from bmn.events.audience import system_alert
from bmn.schemas.events import WIZARD
from bmn.server.sockets.ring import write_position
from tests.kit.processes import PATIENCE, eventually
from tests.kit.raw import Raw
from tests.live.servers import Live, Server

Told = tuple[str, int, str]
"""Job, seq, and the offset that came with it."""


def read_told(packet: str) -> Told | None:
    if not packet.startswith("42"):
        return None
    _, data, offset = json.loads(packet.partition(",")[2])
    return data["jobId"], data["seq"], offset


def by_job(told: list[Told]) -> dict[str, list[int]]:
    """Each job's seqs, in the order they came; how jobs mix does not matter."""
    jobs: dict[str, list[int]] = {}
    for job, seq, _ in told:
        jobs.setdefault(job, []).append(seq)
    return jobs


async def listen(raw: Raw, into: list[Told], until: Told | None = None, acks: int = 0) -> None:
    """Reads events until one of a job and seq has come, or so many acknowledgements."""
    while acks or until is not None:
        packet = await asyncio.wait_for(raw.read(), PATIENCE)
        if told := read_told(packet):
            into.append(told)
            if until is not None and told[:2] == until[:2]:
                return
        elif packet.startswith("43"):
            assert '"ok": true' in packet, packet
            acks -= 1
            if not acks and until is None:
                return


async def conversation(live: Live, raw: Raw, told: list[Told]) -> None:
    brand = await live.brand()
    early = await live.job(brand_id=brand)
    await live.publish_many(early, 2)
    await raw.send(f'42{WIZARD},1["brand:join",{{"brandId":"{brand}"}}]')
    await listen(raw, told, acks=1)
    await live.publish(early)  # heard in the middle, so its beginning is told first
    await listen(raw, told, until=(early, 4, ""))
    ahead = await live.job()
    for _ in range(3):
        await live.publish(ahead, stored_only=True)  # rows that the stream does not have yet
    await raw.send(f'42{WIZARD},2["job:join",{{"jobId":"{ahead}"}}]')
    await listen(raw, told, acks=1)
    await live.core.events.republish({ahead})
    await live.publish(early)
    await live.publish(ahead)
    await listen(raw, told, until=(ahead, 5, ""))
    await raw.send(f'42{WIZARD},3["job:join",{{"jobId":"{early}"}}]')
    await listen(raw, told, acks=1)
    await live.publish(early)
    await listen(raw, told, until=(early, 6, ""))


async def nobody_left(server: Server) -> bool:
    return not server.app.sockets.sessions


async def come_back(live: Live, server: Server, pid: str, offset: str | None, expected: int) -> list[Told]:
    raw = await Raw.open(server)
    shown: dict[str, Any] = {"token": live.token(), "pid": pid, "recovery": True}
    if offset is not None:
        shown["offset"] = offset
    await raw.send(f"40{WIZARD},{json.dumps(shown)}")
    missed: list[Told] = []
    while not (packet := await asyncio.wait_for(raw.read(), PATIENCE)).startswith("40"):
        told = read_told(packet)
        assert told
        missed.append(told)
    assert json.loads(packet.partition(",")[2])["pid"] == pid, f"not resumed, {expected} events were missed"
    await raw.connection.close()
    return missed


async def test_a_conversation_cut_after_any_packet_goes_on_behind_it(bare: Live) -> None:
    one, two = await bare.server(), await bare.server()
    raw = await Raw.open(one)
    joined = await raw.join(WIZARD, bare.token(), recovery=True)
    pid = json.loads(joined.partition(",")[2])["pid"]
    told: list[Told] = []
    await conversation(bare, raw, told)
    assert sorted(by_job(told).values()) == [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6]]
    await raw.connection.close()

    key = redis_keys.socket(pid)
    await eventually(partial(nobody_left, one))
    kept: dict[Any, Any] = await bare.core.redis.hgetall(key)
    for had in range(len(told) + 1):
        offset = told[had - 1][2] if had else None
        for again in ("", "again"):  # what came back may have been lost as well
            missed = await come_back(bare, two, pid, offset, len(told) - had)
            assert by_job(missed) == by_job(told[had:]), f"cut {again} after {had}"
            await eventually(partial(nobody_left, two))
        await bare.core.redis.delete(key)
        await bare.core.redis.hset(key, mapping=kept)


async def test_after_a_quiet_time_an_old_offset_is_still_good(bare: Live) -> None:
    one = await bare.server()
    raw = await Raw.open(one)
    joined = await raw.join(WIZARD, bare.token(), recovery=True)
    pid = json.loads(joined.partition(",")[2])["pid"]
    told: list[Told] = []
    await conversation(bare, raw, told)
    await bare.core.stream.publish([system_alert("test", "for others", "info")] * 20)
    last = await bare.core.stream.last_id()

    async def seen() -> bool:
        return write_position(one.app.sockets.served) == last

    await eventually(seen)
    await raw.connection.close()
    await eventually(partial(nobody_left, one))
    await bare.core.redis.xtrim(redis_keys.STREAM, maxlen=1, approximate=False)
    two = await bare.server()
    for _ in range(3):
        assert await come_back(bare, two, pid, told[-1][2], 0) == []
        await eventually(partial(nobody_left, two))
