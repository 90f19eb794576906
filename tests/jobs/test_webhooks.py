"""Webhooks: what a receiver hears, however it behaves, and that each arrives or is listed as failed with its reason."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from bmn.db import dead_letters, transitions, unit_store
from bmn.db.batches import kit_store
from bmn.db.dead_letters import DeadFilter
from bmn.db.engine import Connection
from bmn.db.hooks import deliveries, gone, webhook_store
from bmn.db.records import DeliveryRow, DeliveryState, Hook, JobRow, NewAsset
from bmn.errors import Cause, Conflict
from bmn.jobs.cancellation import cancel
from bmn.jobs.escalation import lose
from bmn.jobs.queue import Terms
from bmn.jobs.replay import retry
from bmn.schemas.events import Progress
from bmn.schemas.kit_requests import KitBody
from bmn.schemas.results import LogosResult
from bmn.schemas.webhook_payloads import DELIVERY_QUEUE, ENDS, SUBSCRIBED
from bmn.signing import Signer
from bmn.storage import object_key
from bmn.work.kits import course
from bmn.work.registry import get_queue
from bmn.work.webhooks.relay import relay, tidy
from tests.kit.engine import Engine
from tests.kit.people import ANA, BEN
from tests.kit.pictures import png
from tests.kit.processes import eventually
from tests.kit.receiver import HookReceiver

DONE = LogosResult(logos=[], generated=0, requested=1)


@pytest.fixture
def receiver() -> Iterator[HookReceiver]:
    made = HookReceiver().start()
    yield made
    made.stop()


@pytest.fixture
async def hooked(engine: Engine, receiver: HookReceiver) -> Terms:
    """The terms of a job whose receiver hears everything."""
    await engine.user()
    receiver.secrets.append(Signer(engine.settings, engine.core.storage).webhook_secret(ANA))
    return Terms(webhook=Hook(receiver.url, SUBSCRIBED))


async def _log(engine: Engine, **chosen: Any) -> list[DeliveryRow]:
    found: list[DeliveryRow] = (await engine.read(lambda conn: deliveries.listed(conn, None, limit=200, **chosen)))[0]
    return found[::-1]


async def _settled(engine: Engine) -> list[DeliveryRow]:
    """Waits until nothing is to be delivered any more; returns the log, oldest first."""

    async def settled() -> bool:
        return not await _log(engine, state=DeliveryState.PENDING)

    await eventually(settled)
    return await _log(engine)


@asynccontextmanager
async def _delivering(engine: Engine, **settings: Any) -> AsyncIterator[None]:
    changed = engine.settings.model_copy(update={"bmn_backoff_scale": 0.0, **settings})
    async with engine.worker(DELIVERY_QUEUE, settings=changed):
        yield


async def _begun(engine: Engine, terms: Terms, **more: Any) -> JobRow:
    await engine.submit(terms=terms, **more)
    (job,) = await engine.claim()
    return job


async def _progress(engine: Engine, job: JobRow, percent: int) -> None:
    shown = Progress("generating", percent, f"at {percent}")
    assert await engine.write(lambda conn: transitions.progress(conn, job, shown))


async def _complete(engine: Engine, job: JobRow) -> None:
    assert await engine.write(lambda conn: transitions.complete(conn, job, "done", DONE))


async def _asset(engine: Engine, job: JobRow) -> NewAsset:
    """A picture of the job's, stored."""
    data, storage = png(), engine.core.storage
    key = object_key(engine.brands[ANA], "logo", "image/png")
    await storage.put(key, data, "image/png")
    digest = hashlib.sha256(data).hexdigest()
    url = storage.url_for(key)
    return NewAsset(str(uuid4()), engine.brands[ANA], "logo", url, key, digest, "image/png", len(data), job_id=job.id)


async def test_a_receiver_hears_a_job_from_its_begin_to_its_end(
    engine: Engine, receiver: HookReceiver, hooked: Terms
) -> None:
    job = await _begun(engine, hooked)
    asset, shown = await _asset(engine, job), Progress("saving", 50, "saved")
    assert await engine.write(
        lambda conn: unit_store.save(conn, job, "logo-0", asset=asset, price=1, usd=0.0, shown=shown)
    )
    await _complete(engine, job)
    async with _delivering(engine):
        log = await _settled(engine)
    assert sorted(receiver.heard()) == ["asset.created", "job.completed", "job.started"]
    assert set(receiver.times.values()) == {1}
    assert {entry.state for entry in log if entry.event != "job.progress"} == {DeliveryState.DELIVERED}
    messages = {message["type"]: message for _, message in receiver.taken}
    assert messages["job.completed"]["data"]["jobId"] == job.id
    assert messages["job.completed"]["data"]["queueName"] == "logo-generation"
    assert "signature=" in messages["asset.created"]["data"]["asset"]["url"]
    assert engine.problems(served=(DELIVERY_QUEUE,)) == []


async def test_progress_that_was_not_sent_gives_way_to_what_follows(
    engine: Engine, receiver: HookReceiver, hooked: Terms
) -> None:
    job = await _begun(engine, hooked)
    for percent in (10, 20, 30):
        await _progress(engine, job, percent)
    waiting = await _log(engine)
    assert [entry.event for entry in waiting] == ["job.started", "job.progress"]
    assert waiting[-1].payload["progress"] == 30
    await _complete(engine, job)
    async with _delivering(engine):
        await _settled(engine)
    assert sorted(receiver.heard()) == ["job.completed", "job.started"]


async def test_after_a_cancel_nothing_follows_but_its_own_event(
    engine: Engine, receiver: HookReceiver, hooked: Terms
) -> None:
    receiver.stop()
    job = await _begun(engine, hooked)
    await _progress(engine, job, 10)
    await relay(engine.core)  # on their way already
    assert await engine.write(lambda conn: transitions.cancel(conn, job))
    receiver.start()
    async with _delivering(engine):
        log = await _settled(engine)
    assert receiver.heard() == ["job.cancelled"]
    assert [(entry.event, entry.state) for entry in log] == [
        ("job.started", "dropped"),
        ("job.progress", "dropped"),
        ("job.cancelled", "delivered"),
    ]
    assert log[0].error == "The job was cancelled."


async def test_a_retry_hears_no_end_and_a_failure_does(engine: Engine, receiver: HookReceiver, hooked: Terms) -> None:
    job = await _begun(engine, Terms(webhook=Hook(receiver.url, ENDS)))
    assert await engine.write(
        lambda conn: transitions.retry(conn, job, delay=0.0, cause=Cause.TIMEOUT, error="slow", retries_left=1)
    )
    (again,) = await engine.claim()
    assert await engine.write(lambda conn: transitions.fail(conn, again, Cause.TIMEOUT, "slow"))
    brought_back = await retry(engine.core, job.id, ANA)
    (replayed,) = await engine.claim()
    await _complete(engine, replayed)
    async with _delivering(engine):
        await _settled(engine)
    assert sorted((message["type"], message["data"]["jobId"]) for _, message in receiver.taken) == [
        ("job.completed", brought_back.job_id),
        ("job.failed", job.id),
    ]


async def test_a_receiver_that_is_down_and_then_unwell_gets_each_once(
    engine: Engine, receiver: HookReceiver, hooked: Terms
) -> None:
    receiver.stop()
    receiver.answers = [(500, {}), (503, {"retry-after": "0"}), (429, {"retry-after": "nonsense"})]
    for _ in range(3):
        await _complete(engine, await _begun(engine, Terms(webhook=Hook(receiver.url, ENDS))))
    async with _delivering(engine, bmn_backoff_scale=0.02):

        async def has_failed() -> bool:
            return all(entry.attempts for entry in await _log(engine))

        await eventually(has_failed)
        assert {entry.error for entry in await _log(engine)} == {
            "The address could not be fetched (nobody listens there)."
        }
        receiver.start()
        log = await _settled(engine)
    assert [(entry.state, entry.status) for entry in log] == [("delivered", 204)] * 3
    assert receiver.times == dict.fromkeys((entry.id for entry in log), 1)
    assert len(receiver.refused) == 3


async def test_a_receiver_that_never_takes_it_is_listed_with_its_reason(
    engine: Engine, receiver: HookReceiver, hooked: Terms
) -> None:
    receiver.answers = [(500, {})] * 9
    await _complete(engine, await _begun(engine, Terms(webhook=Hook(receiver.url, ENDS))))
    async with _delivering(engine):
        (entry,) = await _settled(engine)
        assert (entry.state, entry.attempts, entry.status) == ("failed", 9, 500)
        assert entry.error == "The receiver answered HTTP 500."
        job = await engine.job(str(entry.delivery_job))
        assert await engine.ended(job.id) == ["failed"]
        assert (await engine.job(job.id)).cause == "webhook_failed"
        await engine.write(lambda conn: deliveries.replay(conn, entry.id, ANA))
        (again,) = await _settled(engine)
    assert (again.id, again.state, again.attempts) == (entry.id, "delivered", 1)
    assert receiver.times == {entry.id: 1}
    assert await engine.read(lambda conn: dead_letters.find(conn, DeadFilter(), limit=1)) == []


@pytest.mark.parametrize(
    ("answer", "attempts", "said"),
    [
        (
            (302, {"location": "http://169.254.169.254/latest"}),
            9,
            "The receiver redirects (HTTP 302), which is not followed",
        ),
        ((410, {}), 1, "The receiver answered HTTP 410 (Gone)."),
    ],
)
async def test_what_is_not_followed_and_not_tried_again(
    engine: Engine, receiver: HookReceiver, hooked: Terms, answer: Any, attempts: int, said: str
) -> None:
    receiver.answers = [answer] * 9
    await _complete(engine, await _begun(engine, Terms(webhook=Hook(receiver.url, ENDS))))
    async with _delivering(engine):
        (entry,) = await _settled(engine)
    assert (entry.state, entry.attempts) == ("failed", attempts)
    assert str(entry.error).startswith(said)


async def test_a_slow_receiver_is_left_and_asked_again(engine: Engine, receiver: HookReceiver, hooked: Terms) -> None:
    receiver.slow = 60
    await _complete(engine, await _begun(engine, Terms(webhook=Hook(receiver.url, ENDS))))
    async with _delivering(engine, bmn_webhook_seconds=0.3, bmn_backoff_scale=0.01):

        async def has_failed() -> bool:
            return (await _log(engine))[0].attempts > 0

        await eventually(has_failed)
        receiver.slow = 0
        (entry,) = await _settled(engine)
    assert entry.state is DeliveryState.DELIVERED
    assert receiver.times == {entry.id: 1}


@pytest.mark.parametrize(
    "url",
    ["http://10.0.0.1/hook", "https://169.254.169.254/hook", "https://127.0.0.1.nip.example:22/", "https://[::1]/"],
)
async def test_an_address_that_is_not_public_is_never_visited(engine: Engine, hooked: Terms, url: str) -> None:
    await _complete(engine, await _begun(engine, Terms(webhook=Hook(url, ENDS))))
    async with _delivering(engine, bmn_env="production"):
        (entry,) = await _settled(engine)
    assert (entry.state, entry.attempts, entry.status) == ("failed", 1, None)
    assert str(entry.error).startswith("The address cannot be used")


async def test_the_receivers_of_an_account_hear_its_jobs_and_no_others(engine: Engine, receiver: HookReceiver) -> None:
    await engine.user()
    await engine.user(BEN)

    def add(conn: Connection) -> Any:
        return webhook_store.add_endpoint(conn, ANA, receiver.url, ["job.completed"])

    endpoint = await engine.write(add)
    gone, later = await engine.write(add), await engine.write(add)
    receiver.secrets.append(endpoint.secret)
    mine = await _begun(engine, Terms())
    await _complete(engine, await _begun(engine, Terms(), user_id=BEN))
    await engine.write(lambda conn: webhook_store.remove_endpoint(conn, gone.id, ANA))
    await _complete(engine, mine)
    await engine.write(lambda conn: webhook_store.remove_endpoint(conn, later.id, ANA))
    async with _delivering(engine):
        log = await _settled(engine)
    assert [message["data"]["jobId"] for _, message in receiver.taken] == [mine.id]
    assert sorted((entry.endpoint_id, entry.state) for entry in log) == sorted(
        [(endpoint.id, "delivered"), (gone.id, "dropped"), (later.id, "dropped")]
    )


async def test_what_a_change_does_not_commit_is_not_told(engine: Engine, hooked: Terms) -> None:
    job = await _begun(engine, Terms(webhook=Hook("https://a.example/", ENDS)))

    def broken(conn: Connection) -> None:
        assert transitions.complete(conn, job, "done", DONE)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await engine.write(broken)
    assert await _log(engine) == []


async def test_a_delivery_whose_job_was_cancelled_is_listed_as_failed(engine: Engine, hooked: Terms) -> None:
    await _complete(engine, await _begun(engine, Terms(webhook=Hook("https://a.example/", ENDS))))
    await relay(engine.core)
    (entry,) = await _log(engine)
    await cancel(engine.core, str(entry.delivery_job), ANA)
    await tidy(engine.core)
    (entry,) = await _log(engine)
    assert (entry.state, entry.error) == ("failed", "Its job is over: cancelled.")


async def test_a_delivery_outlives_three_workers_and_not_any_number(engine: Engine, hooked: Terms) -> None:
    """They die of other jobs in their process as a rule; one that does kill its worker comes to an end."""
    await _complete(engine, await _begun(engine, hooked))
    await relay(engine.core)
    job_id, states = "", []
    for _ in range(get_queue(DELIVERY_QUEUE).losses):
        held = next(job for job in await engine.claim(DELIVERY_QUEUE) if job_id in ("", job.id))
        job_id = held.id
        change = await engine.write(lambda conn, held=held: lose(conn, engine.core, held))
        states.append(change.state)
    assert states == ["queued"] * 8 + ["failed"]
    await tidy(engine.core)
    listed = next(each for each in await _log(engine) if each.delivery_job == job_id)
    assert listed.state is DeliveryState.FAILED and "9 workers died" in str(listed.error)


# --- receivers that say that they are gone ------------------------------------------------------------------------------


async def test_an_endpoint_that_is_gone_hears_nothing_until_its_owner_enables_it(
    engine: Engine, receiver: HookReceiver
) -> None:
    await engine.user()
    endpoint = await engine.write(lambda conn: webhook_store.add_endpoint(conn, ANA, receiver.url, ENDS))
    receiver.secrets.append(endpoint.secret)
    receiver.answers = [(410, {})]
    first, running = await _begun(engine, Terms()), await _begun(engine, Terms())
    await _complete(engine, first)
    async with _delivering(engine):
        (refused,) = await _settled(engine)
        await _complete(engine, running)  # it was submitted when the endpoint heard of everything
        await _complete(engine, await _begun(engine, Terms()))
        log = await _settled(engine)
        assert [(entry.state, entry.attempts) for entry in log] == [("failed", 1), ("dropped", 0)]
        disabled = await engine.read(lambda conn: webhook_store.get_endpoint(conn, endpoint.id, ANA))
        assert disabled.disabled_at is not None
        assert disabled.disabled_reason == refused.error == "The receiver answered HTTP 410 (Gone)."
        with pytest.raises(Conflict, match="is disabled"):
            await engine.write(lambda conn: deliveries.replay(conn, refused.id, ANA))
        await engine.write(lambda conn: gone.enable(conn, endpoint.id, ANA))
        again = await _begun(engine, Terms())
        await _complete(engine, again)
        await engine.write(lambda conn: deliveries.replay(conn, refused.id, ANA))
        await _settled(engine)
    assert {message["data"]["jobId"] for _, message in receiver.taken} == {first.id, again.id}


async def test_an_address_that_is_gone_hears_nothing_more_of_its_submission(
    engine: Engine, receiver: HookReceiver, hooked: Terms
) -> None:
    job, other = await _begun(engine, hooked), await _begun(engine, hooked)
    await relay(engine.core)
    await _progress(engine, job, 10)
    receiver.answers = [(410, {})] * 2
    async with _delivering(engine):
        await _settled(engine)
        taken = len(receiver.taken)
        assert taken <= 1  # the progress, if it was quicker than the first answer
        receiver.answers.clear()
        fresh = await _begun(engine, hooked)
        for each in (job, other, fresh):
            await _complete(engine, each)
        await _settled(engine)
    assert {message["data"]["jobId"] for _, message in receiver.taken[taken:]} == {fresh.id}


async def test_an_address_that_is_gone_hears_nothing_more_of_its_kit(engine: Engine, receiver: HookReceiver) -> None:
    await engine.user()
    receiver.secrets.append(Signer(engine.settings, engine.core.storage).webhook_secret(ANA))
    receiver.answers = [(410, {})]
    body = KitBody.model_validate({"brandId": engine.brands[ANA], "count": 1, "webhookUrl": receiver.url})
    kit, _ = await course.start(engine.core, ANA, body)
    assert kit.plan["webhookUrl"] == receiver.url
    (job,) = await engine.claim()
    await _complete(engine, job)
    async with _delivering(engine):
        await _settled(engine)
    found = await engine.read(lambda conn: kit_store.get(conn, kit.id))
    assert "webhookUrl" not in found.plan
    assert (await engine.job(job.id)).webhooks == ()
