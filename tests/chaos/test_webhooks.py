"""Webhooks and deadlines while workers are killed: none lost, none but once by its id, and none after a cancel."""

import signal
from collections.abc import Iterator

import pytest

from bmn.db import transitions
from bmn.db.hooks import deliveries
from bmn.db.records import DeliveryRow, DeliveryState, Hook
from bmn.jobs.queue import Terms
from bmn.jobs.submission import submit
from bmn.schemas.webhook_payloads import DELIVERY_QUEUE, SUBSCRIBED
from bmn.signing import Signer
from bmn.work.registry import get_queue
from tests.chaos.deployment import LOGOS, Deployment
from tests.kit.jobs import claim, complete
from tests.kit.people import ANA
from tests.kit.receiver import HookReceiver

_JOBS = 12


@pytest.fixture
def receiver() -> Iterator[HookReceiver]:
    made = HookReceiver().start()
    yield made
    made.stop()


async def _submit(stack: Deployment, terms: Terms) -> str:
    fields = {"brandName": "Acme", "logoStyle": "modern", "colorPalette": ["#112233"], "brandVision": "plain"}
    payload = get_queue(LOGOS).payload.model_validate({"userId": ANA, "brandId": stack.brand, "count": 1, **fields})
    (accepted,) = await submit(stack.core, ANA, LOGOS, [payload], terms=terms)
    return accepted.job_id


async def _log(stack: Deployment) -> list[DeliveryRow]:
    return (await stack.core.db.read(lambda conn: deliveries.listed(conn, ANA, limit=200)))[0]


@pytest.mark.parametrize("point", ["claimed", "webhook_sent", "settling"])
async def test_each_arrives_whatever_dies_on_the_way(stack: Deployment, receiver: HookReceiver, point: str) -> None:
    receiver.secrets.append(Signer(stack.settings, stack.core.storage).webhook_secret(ANA))
    told = Terms(webhook=Hook(receiver.url, SUBSCRIBED))
    ends: dict[str, str] = {}
    for number in range(_JOBS):
        job_id = await _submit(stack, told)
        job = await claim(stack.core, job_id)
        if number % 3:
            await complete(stack.core, job)
            ends[job_id] = "job.completed"
        else:
            change = await stack.core.db.write(lambda conn, job=job: transitions.cancel(conn, job))  # type: ignore[misc]
            assert change
            ends[job_id] = "job.cancelled"
    late = [await _submit(stack, Terms(webhook=told.webhook, start_within=0.5)) for _ in range(4)]
    ends |= dict.fromkeys(late, "job.cancelled")
    for _ in range(3):
        victim = stack.worker_at(point, queue=DELIVERY_QUEUE)
        assert victim.wait_end() == -signal.SIGKILL
    stack.worker(DELIVERY_QUEUE)

    async def settled() -> bool:
        log = await _log(stack)
        heard = {entry.job_id for entry in log if entry.event == ends.get(entry.job_id)}
        return heard == ends.keys() and all(entry.state is not DeliveryState.PENDING for entry in log)

    await stack.until(settled)
    log = {entry.id: entry for entry in await _log(stack)}
    assert {
        message["data"]["jobId"]: message["type"] for _, message in receiver.taken if "completed" in message["type"]
    }
    arrived = {entry_id for entry_id, entry in log.items() if entry.state is DeliveryState.DELIVERED}
    assert arrived <= receiver.times.keys() <= log.keys()
    assert {
        entry.job_id: entry.event for entry in log.values() if entry.id in arrived and entry.event in ends.values()
    } == ends
    assert max(receiver.times.values()) <= 4  # once for each who died with it under way, and once in the end
    for job_id in (job for job, end in ends.items() if end == "job.cancelled"):
        assert {message["type"] for _, message in receiver.taken if message["data"]["jobId"] == job_id} == {
            "job.cancelled"
        }
    causes = [(await stack.job(job_id)).cause for job_id in late]
    assert causes == ["deadline"] * 4
