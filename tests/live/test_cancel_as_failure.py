"""A cancel also reaches clients that know failures only: a `job:failed` of the same seq, right behind it."""

import json
from typing import Any

import pytest

from bmn.db import job_store, transitions
from bmn.schemas.events import WIZARD, JobFailed
from tests.kit.raw import Raw
from tests.live.servers import Live


async def cancel(live: Live, job: str) -> None:
    change = await live.core.db.write(lambda conn: transitions.cancel_waiting(conn, job_store.get_job(conn, job)))
    assert change
    live.core.outbox.publish(change)


def read(packet: str) -> tuple[str, dict[str, Any], str | None]:
    event, data, *offset = json.loads(packet.partition(",")[2])
    return event, data, offset[0] if offset else None


@pytest.mark.parametrize("room", ["job:join", "brand:join"])
async def test_a_failure_of_the_same_seq_follows_a_cancel(live: Live, room: str) -> None:
    server = await live.server()
    client = await live.client(server)
    brand = await live.brand()
    job = await live.job(brand_id=brand)
    await client.ask(room, {"jobId": job, "brandId": brand})
    await cancel(live, job)
    await client.heard("job:failed")
    cancelled, failed = client.data("job:cancelled", "job:failed")
    assert JobFailed.model_validate(failed).dump() == failed
    assert (failed["seq"], failed["retriesLeft"], failed["cause"]) == (cancelled["seq"], 0, "cancelled")
    assert failed["error"] == cancelled["message"] == (await client.ask("job:status", {"jobId": job}))["failedReason"]
    assert [event.event for event in await live.core.events.after(job, 0)] == ["job:progress", "job:cancelled"]


async def test_a_late_join_and_a_resumed_session_get_both(live: Live) -> None:
    one, two = await live.server(), await live.server()
    client = await live.client(one)
    job, later = await live.job(), await live.job()
    await client.ask("job:join", {"jobId": job})
    client.away()
    await client.disconnected()
    await cancel(live, job)
    await cancel(live, later)
    client.open(two.url)
    assert (await client.connected(2))["recovered"]
    await client.heard("job:failed")
    await client.ask("job:join", {"jobId": later})
    await client.heard("job:failed", 2)
    ends = [(said["event"], said["args"][0]["jobId"]) for said in client.events("job:cancelled", "job:failed")]
    assert ends == [(event, of) for of in (job, later) for event in ("job:cancelled", "job:failed")]
    client.cut()
    await client.connected(3)
    await client.ask("job:status", {"jobId": job})
    assert len(client.events("job:failed")) == 2


async def test_a_client_that_is_cut_between_the_two_gets_both_again(bare: Live) -> None:
    server = await bare.server()
    job = await bare.job()
    raw = await Raw.open(server)
    pid = json.loads((await raw.join(WIZARD, bare.token(), recovery=True)).partition(",")[2])["pid"]
    await raw.send(f'42{WIZARD},1["job:join",{{"jobId":"{job}"}}]')
    _, _, before = read(await raw.read())
    assert (await raw.read()).startswith("43")
    await cancel(bare, job)
    first, second = read(await raw.read()), read(await raw.read())
    assert (first[0], first[2], second[0]) == ("job:cancelled", None, "job:failed") and second[2]
    await raw.connection.close()
    for offset, expected in ((before, ["job:cancelled", "job:failed"]), (second[2], [])):
        shown = {"token": bare.token(), "recovery": True, "pid": pid, "offset": offset}
        again = await Raw.open(server)
        await again.send(f"40{WIZARD},{json.dumps(shown)}")
        packets = [await again.read() for _ in range(len(expected) + 1)]
        assert [read(packet)[0] for packet in packets[:-1]] == expected
        assert json.loads(packets[-1].partition(",")[2])["pid"] == pid
        await again.connection.close()
