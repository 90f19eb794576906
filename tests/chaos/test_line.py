"""Matrix rows 17, 18, 25 to 35: many at once, many of one, garbage in the line, and schedules on several hosts."""

import asyncio
import contextlib
import signal
import time

import httpx
import pytest
from sqlalchemy import func, select, update

from bmn.db import dead_letters, job_store
from bmn.db.collecting import collector_id
from bmn.db.dead_letters import DeadFilter
from bmn.db.tables import credit_ledger, generation_credits, jobs
from bmn.errors import Conflict, TryLater
from bmn.identity.development import mint_development_token
from bmn.jobs import replay
from bmn.jobs.cancellation import cancel
from bmn.jobs.submission import dispatch
from bmn.work.wiring import open_core
from tests.chaos.deployment import LOGOS, Deployment
from tests.chaos.nursery import Child
from tests.kit import handlers
from tests.kit.people import ANA
from tests.kit.processes import PATIENCE, wait_until


def _client(stack: Deployment, api: Child) -> httpx.AsyncClient:
    token = mint_development_token(stack.settings, ANA)
    limits = httpx.Limits(max_connections=60)
    base = f"http://127.0.0.1:{api.port}"
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(base_url=base, headers=headers, timeout=PATIENCE, limits=limits, trust_env=False)


async def _serving(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                if (await client.get("/health/live")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.02)


def _body(stack: Deployment, count: int = 1) -> dict[str, object]:
    return {"brandId": stack.brand, "brandName": "Acme", "logoStyle": "modern", "count": count}


async def test_an_api_that_is_killed_takes_no_job_with_it(stack: Deployment) -> None:
    """Row 17: what it had accepted is done; what it had not can be asked again with the same key and is one job."""
    first, second = stack.api(), stack.api()
    stack.worker(LOGOS, slots=4)
    async with _client(stack, first) as one, _client(stack, second) as two:
        await _serving(one)
        await _serving(two)
        keys = [f"key-{n}" for n in range(30)]

        async def post(client: httpx.AsyncClient, key: str) -> str | None:
            try:
                answer = await client.post(
                    "/api/v1/generation/logos", json=_body(stack), headers={"Idempotency-Key": key}
                )
            except httpx.TransportError:
                return None
            return str(answer.json()["jobId"]) if answer.status_code == 202 else None

        asking = asyncio.gather(*(post(one, key) for key in keys))
        await asyncio.sleep(0.02)
        first.kill()
        answers = await asking
        again = [await post(two, key) for key in keys]
    assert all(again)
    assert all(answer in (None, repeated) for answer, repeated in zip(answers, again, strict=True))
    stack.accepted += [job_id for job_id in again if job_id]
    assert set(await stack.ended()) == {"completed"}
    assert len(stack.bill()) == 30
    await stack.check()


async def test_fifty_clicks_are_one_job_and_fifty_orders_stop_at_the_balance(stack: Deployment) -> None:
    """Rows 27 and 28, over HTTP and two processes."""
    apis = [stack.api(), stack.api()]
    clients = [_client(stack, api) for api in apis]
    for client in clients:
        await _serving(client)
    path = "/api/v1/generation/logos"
    same = await asyncio.gather(
        *(c.post(path, json=_body(stack, 8), headers={"Idempotency-Key": "one"}) for c in clients * 25)
    )
    assert {answer.status_code for answer in same} == {202}
    assert len({answer.json()["jobId"] for answer in same}) == 1

    def spend(conn: object) -> None:
        conn.execute(update(generation_credits).values(credits_remaining=16))  # type: ignore[attr-defined]
        conn.execute(update(credit_ledger).where(credit_ledger.c.kind == "start").values(amount=24))  # type: ignore[attr-defined]

    await stack.core.db.write(spend)
    answers = await asyncio.gather(*(c.post(path, json=_body(stack, 8)) for c in clients * 25))
    for client in clients:
        await client.aclose()
    codes = [answer.status_code for answer in answers]
    assert (codes.count(202), codes.count(402)) == (2, 48)
    refused = next(answer.json() for answer in answers if answer.status_code == 402)
    assert (refused["error"], refused["required"], refused["available"]) == ("Insufficient credits", 8, 0)
    stack.worker(LOGOS, slots=4)
    stack.accepted += [answer.json()["jobId"] for answer in (same[0], *answers) if answer.status_code == 202]
    assert await stack.ended() == ["completed"] * 3
    await stack.check()


@pytest.mark.parametrize("point", ["claimed", "submitting", "submitted", "ready", "stored", "saved", "settling"])
async def test_a_cancel_lands_at_every_point(stack: Deployment, point: str) -> None:
    """Row 29: the worker stands still at a point while somebody cancels, then goes on.

    What was ordered by then is charged at once and collected, the rest refunded: in the end what is charged is there.
    """
    # Of two orders at once, the other's transaction would be open where the process stands still: that is another test's.
    count = 1 if point == "submitting" else 2
    worker = stack.worker_held_at(point, slots=1)
    job_id = await stack.logos(count)
    await stack.stop_there(worker)
    asking = asyncio.create_task(_cancel(stack, worker, job_id))

    async def asked() -> bool:
        return asking.done() or bool((await stack.job(job_id)).cancel_requested_at)

    await stack.until(asked)
    worker.signal(signal.SIGCONT)
    await asking
    (state,) = await stack.ended(job_id)
    assert state in ("cancelled", "completed")
    row = await stack.job(job_id)
    kept = [unit.unit for unit in await stack.units(job_id) if unit.credits]
    assert (row.credits_charged, row.credits_refunded) == (len(kept), count - len(kept))
    assert kept or point in ("claimed", "submitting")
    if await stack.read(lambda conn: job_store.exists(conn, collector_id(row))):
        assert await stack.ended(collector_id(row)) == ["completed"]
    row = await stack.job(job_id)
    assert row.credits_charged == len(kept)
    assert [unit.unit for unit in await stack.units(job_id) if unit.state == "saved"] == kept
    await stack.check()


async def _cancel(stack: Deployment, worker: Child, job_id: str) -> None:
    """Once more where the worker stands still with SQLite's lock in its hand; it may end the job then."""
    try:
        await cancel(stack.core, job_id, ANA)
    except TryLater:
        worker.signal(signal.SIGCONT)
        with contextlib.suppress(Conflict):
            await cancel(stack.core, job_id, ANA)


@pytest.mark.parametrize("number", [500])
async def test_five_hundred_dead_letters_replayed_by_two_and_interrupted(stack: Deployment, number: int) -> None:
    """Row 30."""
    worker = stack.worker(handlers.QUEUE, slots=20, figures={"attempts": 1})
    ids = await asyncio.gather(*(stack.do("fail", cause="schema_changed") for _ in range(number)))
    assert set(await stack.ended(*ids)) == {"failed"}
    assert worker.stop() == 0
    second = await open_core(stack.settings, "test")
    first_run = asyncio.create_task(replay.replay(stack.core, DeadFilter(), "ana"))

    async def half_way() -> bool:
        return bool(await stack.read(lambda conn: dead_letters.count(conn, DeadFilter())) < number / 2)

    await stack.until(half_way)
    first_run.cancel()
    await asyncio.gather(first_run, return_exceptions=True)
    await asyncio.gather(replay.replay(stack.core, DeadFilter(), "ana"), replay.replay(second, DeadFilter(), "ben"))
    await second.close()
    assert await stack.read(lambda conn: dead_letters.count(conn, DeadFilter())) == 0
    children = select(func.count(), func.count(jobs.c.parent_id.distinct())).where(jobs.c.parent_id.is_not(None))
    assert tuple(await stack.read(lambda conn: conn.execute(children).one())) == (number, number)
    await stack.check(served=[LOGOS])


async def test_garbage_in_the_line_does_not_stop_a_worker(stack: Deployment) -> None:
    """Row 32."""
    worker = stack.worker(handlers.QUEUE)
    with stack.redis_client() as client:
        for entry in (b"\xff\xfe", b"", b"os.system", b"{" * 10_000, b"x" * 5_000_000, b"crm-sync-none", b"a\x00b"):
            client.rpush(f"rq:queue:{handlers.QUEUE}", entry)
        ids = [await stack.do() for _ in range(5)]
        assert await stack.ended(*ids) == ["completed"] * 5
        wait_until(lambda: client.llen(f"rq:queue:{handlers.QUEUE}") == 0)
        client.publish(f"rq:pubsub:{worker.name}", "not json")
        client.publish("bmn:control", "not json")
        client.publish("bmn:control", '["a list"]')
    assert await stack.ended(await stack.do()) == ["completed"]
    assert worker.code is None
    await stack.check()


async def test_ten_thousand_jobs_of_one_user_and_one_of_another(stack: Deployment) -> None:
    """Row 34: the other one is next."""
    number = 10_000 if stack.is_sqlite else 2_000
    for _ in range(0, number, 500):
        await asyncio.gather(*(stack.do() for _ in range(500)))
    payload = {"userId": "22222222-2222-4222-8222-222222222222", "eventType": "user.created", "data": {"do": "nothing"}}
    other = await dispatch(stack.core, handlers.QUEUE, payload)
    stack.accepted.append(other.job_id)
    stack.worker(handlers.QUEUE, slots=5)
    await stack.ended(other.job_id)
    left = await stack.read(_waiting)
    assert left > number * 0.8
    assert set(await stack.ended(seconds=110)) == {"completed"}
    await stack.check()


def _waiting(conn: object) -> int:
    query = select(func.count()).where(jobs.c.state == "queued")
    return int(conn.execute(query).scalar_one())  # type: ignore[attr-defined]


async def test_the_schedule_fires_once_on_three_workers(stack: Deployment) -> None:
    """Row 35."""
    with stack.redis_client() as client:
        for _ in range(3):
            stack.worker(handlers.QUEUE)

        async def planned() -> bool:
            client.delete("bmn:lock:sweeper")  # so that all three take themselves for the one
            return bool(await stack.read(_cleanups) >= 4)

        await stack.until(planned)
    assert await stack.read(_cleanups) in (4, 8)  # eight only if the hour ended meanwhile
    await stack.check()


def _cleanups(conn: object) -> int:
    return int(conn.execute(select(func.count()).where(jobs.c.queue == "cleanup")).scalar_one())  # type: ignore[attr-defined]


async def test_five_hundred_failures_come_back_spread_out(stack: Deployment) -> None:
    """Row 33: no herd, and the provider's shared limit holds."""
    stack.worker(handlers.QUEUE, slots=50)
    ids = await asyncio.gather(*(stack.do("fail", cause="provider_overloaded", times=1) for _ in range(500)))
    assert set(await stack.ended(*ids)) == {"completed"}
    await stack.check()


@pytest.mark.timed
async def test_a_running_job_is_cancelled_in_under_a_second_and_its_slot_is_free(stack: Deployment) -> None:
    """Each leaves a job behind that waits for what was ordered; with five slots, the fifth still finds one."""
    stack.fault(op="poll", pending=True)
    stack.worker(LOGOS, slots=5)
    took = []
    for _ in range(5):
        job_id = await stack.logos(1)

        async def ordered(job_id: str = job_id) -> bool:
            return any(unit.state == "submitted" for unit in await stack.units(job_id))

        await stack.until(ordered)
        began = time.monotonic()
        assert (await cancel(stack.core, job_id, ANA)).state == "cancelled"
        took.append(time.monotonic() - began)
    assert sorted(took)[2] < 1, took
    stack.clear_faults()
    collectors = [collector_id(await stack.job(job_id)) for job_id in stack.accepted]
    assert await stack.ended(*collectors) == ["completed"] * 5
    await stack.check()


async def test_a_timeout_ends_a_provider_that_never_answers(start: object) -> None:
    """Row 18."""
    stack: Deployment = await start(BMN_TIMEOUT_SCALE="0.01")  # type: ignore[operator]
    stack.fault(op="poll", hang=True)
    stack.worker(LOGOS)
    job_id = await stack.logos(1)
    assert await stack.ended(job_id) == ["failed"]
    row = await stack.job(job_id)
    assert (row.cause, row.attempt) == ("timeout", 3)
    assert len(stack.bill()) == 1
    await stack.check()


async def test_rows_of_a_newer_and_an_older_release(stack: Deployment) -> None:
    """Rows 31 and 36: a payload that does not fit is a dead letter, and the list of dead letters still opens."""
    odd = [await stack.do() for _ in range(3)]
    payloads = [{"userId": 1}, {"brandNewField": True}, {}]
    for job_id, payload in zip(odd, payloads, strict=True):
        change = update(jobs).where(jobs.c.id == job_id).values(payload=payload, payload_version=99)
        await stack.core.db.write(lambda conn, c=change: conn.execute(c))
    stack.worker(handlers.QUEUE)
    fine = await stack.do()
    assert await stack.ended(*odd, fine) == ["failed"] * 3 + ["completed"]
    letters = await stack.read(lambda conn: dead_letters.find(conn, DeadFilter()))
    assert {letter.cause for letter in letters} == {"schema_changed"}
    assert [replay.job_id for replay in await replay.replay(stack.core, DeadFilter(), "ana")] == [None] * 3
    await stack.check()
