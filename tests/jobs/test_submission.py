"""Accepting work: all of it or none, paid once, one job per key."""

import asyncio

import pytest
from pydantic import ValidationError

from bmn.errors import Conflict, InsufficientCredits, NotFound, TryLater
from bmn.jobs.submission import Idempotent, dispatch, submit
from bmn.work.wiring import open_core
from tests.kit.engine import Engine, some_key
from tests.kit.people import ANA, BEN


async def test_a_job_is_stored_paid_for_and_told(engine: Engine) -> None:
    await engine.user(balance=10)
    accepted = await engine.submit(count=4)
    row = await engine.job(accepted.job_id)
    (event,) = await engine.core.events.after(accepted.job_id, 0)
    assert (row.state, row.credits_reserved, accepted.credits) == ("queued", 4, 4)
    assert (event.event, event.seq, event.payload["status"]) == ("job:progress", 1, "queued")
    assert (await engine.balance()).remaining == 6
    assert engine.problems(served=[]) == []


async def test_fifty_at_once_against_a_balance_for_two(engine: Engine) -> None:
    await engine.user(balance=8)
    second = await open_core(engine.settings, "test")
    outcomes = await asyncio.gather(
        *(submit(core, ANA, "logo-generation", [engine.logos(count=4)]) for core in [engine.core, second] * 25),
        return_exceptions=True,
    )
    await second.close()
    refused = [outcome for outcome in outcomes if isinstance(outcome, InsufficientCredits)]
    assert len(refused) == 48
    assert all(error.extra == {"required": 4, "available": 0} for error in refused)
    assert len(await engine.all_jobs()) == 2
    assert (await engine.balance()).remaining == 0
    assert engine.problems(served=[]) == []


async def test_fifty_at_once_with_one_key_are_one_job(engine: Engine) -> None:
    await engine.user(balance=4)  # enough for one: a repetition must not be refused for want of credits
    key = Idempotent.of(some_key(), {"count": 4})
    second = await open_core(engine.settings, "test")
    answers = await asyncio.gather(
        *(
            submit(core, ANA, "logo-generation", [engine.logos(count=4)], idempotent=key)
            for core in [engine.core, second] * 25
        )
    )
    await second.close()
    assert len({answer[0].job_id for answer in answers}) == 1
    assert (await engine.balance()).remaining == 0
    assert len(await engine.all_jobs()) == 1
    assert engine.problems(served=[]) == []


async def test_a_key_stands_for_one_request_of_one_user(engine: Engine) -> None:
    await engine.user()
    await engine.user(BEN)
    key = some_key()
    first = await engine.submit(idempotent=Idempotent.of(key, 1))
    with pytest.raises(Conflict):
        await engine.submit(idempotent=Idempotent.of(key, 2))
    other = await engine.submit(BEN, idempotent=Idempotent.of(key, 1))
    assert other.job_id != first.job_id


async def test_a_refused_submission_leaves_its_key_free(engine: Engine) -> None:
    await engine.user(balance=0)
    key = Idempotent.of(some_key(), {})
    with pytest.raises(InsufficientCredits):
        await engine.submit(idempotent=key)
    assert await engine.all_jobs() == []
    from bmn.db.accounts import credit_store

    await engine.write(lambda conn: credit_store.grant(conn, ANA, 1, "admin", None))
    assert (await engine.submit(idempotent=key)).credits == 1


async def test_several_are_accepted_together_or_not_at_all(engine: Engine) -> None:
    await engine.user(balance=5)
    with pytest.raises(InsufficientCredits):
        await submit(engine.core, ANA, "logo-generation", [engine.logos(count=2)] * 3)
    assert await engine.all_jobs() == []
    three = await submit(engine.core, ANA, "logo-generation", [engine.logos(count=1)] * 3)
    assert len({accepted.job_id for accepted in three}) == 3
    assert len({row.group_id for row in await engine.all_jobs()}) == 1


async def test_a_foreign_brand_is_as_absent_as_none(engine: Engine) -> None:
    await engine.user()
    await engine.user(BEN)
    messages = []
    for brand in (engine.brands[BEN], "no-such-brand"):
        payload = engine.logos().model_copy(update={"brand_id": brand})
        with pytest.raises(NotFound) as refused:
            await submit(engine.core, ANA, "logo-generation", [payload])
        messages.append(refused.value.message)
    assert messages[0] == messages[1]
    assert await engine.all_jobs() == []


async def test_the_same_job_id_twice_is_one_job(engine: Engine) -> None:
    ids = await asyncio.gather(*(engine.do(job_id="crm-sync-once") for _ in range(20)))
    assert set(ids) == {"crm-sync-once"}
    assert len(await engine.all_jobs()) == 1


async def test_a_bad_payload_raises_before_anything_is_stored(engine: Engine) -> None:
    with pytest.raises(ValidationError):
        await dispatch(engine.core, "crm-sync", {"userId": ANA, "eventType": "no.such.event"})
    with pytest.raises(NotFound):
        await dispatch(engine.core, "no-such-queue", {})
    assert await engine.all_jobs() == []


async def test_while_redis_is_known_to_be_full_nothing_is_stored(engine: Engine) -> None:
    await engine.user()
    used = (await engine.core.redis.info("memory"))["used_memory"]
    await engine.core.redis.config_set("maxmemory", used)
    try:
        await engine.core.health.probe()
        with pytest.raises(TryLater, match="full"):
            await engine.submit()
        assert await engine.all_jobs() == []
    finally:
        await engine.core.redis.config_set("maxmemory", 0)
    await engine.core.health.probe()
    assert (await engine.submit()).credits == 1
