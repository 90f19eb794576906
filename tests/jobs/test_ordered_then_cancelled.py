"""Ordering and cancelling is not free: what a provider has accepted is paid for and arrives, the rest comes back."""

import hashlib
from uuid import uuid4

import pytest

from bmn import failpoints
from bmn.db import job_store
from bmn.db.collecting import collector_id
from bmn.db.library import asset_store
from bmn.db.records import BrandAssetRow, JobRow, NewAsset, UnitRow, UnitState
from bmn.errors import Conflict
from bmn.jobs.cancellation import CancelOutcome, cancel
from bmn.jobs.replay import retry
from bmn.jobs.submission import submit
from bmn.schemas.generators.mockups import MockupGeneration
from bmn.schemas.payloads import TERMINAL_STATES
from bmn.settings import Settings
from bmn.storage import object_key
from bmn.work.registry import get_queue
from tests.kit.engine import Engine
from tests.kit.people import ANA
from tests.kit.pictures import png
from tests.kit.processes import eventually
from tests.kit.sandbox import RunningSandbox


@pytest.fixture
def with_sandbox(with_sandbox: Settings) -> Settings:
    """Leases that outlast a busy machine: whose is lost, has lost its answers as well."""
    return with_sandbox.model_copy(update={"bmn_lease_seconds": 30.0})


LOGOS, MOCKUPS = "logo-generation", "mockup-generation"


async def _units(engine: Engine, job_id: str) -> list[UnitRow]:
    found: list[UnitRow] = await engine.read(lambda conn: job_store.units(conn, job_id))
    return found


async def _has(engine: Engine, job_id: str, state: UnitState, number: int = 1) -> None:
    """Waits until so many of a job's units are there."""

    async def there() -> bool:
        return sum(unit.state is state for unit in await _units(engine, job_id)) >= number

    await eventually(there)


async def _all_ended(engine: Engine) -> list[JobRow]:
    async def ended() -> bool:
        return all(job.state in TERMINAL_STATES for job in await engine.all_jobs() if job.queue in (LOGOS, MOCKUPS))

    await eventually(ended)
    return await engine.all_jobs()


async def _cancel(engine: Engine, job_id: str) -> CancelOutcome:
    """The answer to a cancel; of a worker that a busy machine keeps from answering in two seconds, as it is then."""
    answer = await cancel(engine.core, job_id, ANA, user_id=ANA)
    if answer.state == "cancelled":
        return answer
    assert await engine.ended(job_id) == ["cancelled"]
    row, name = await engine.job(job_id), collector_id(await engine.job(job_id))
    collector = name if await engine.read(lambda conn: job_store.exists(conn, name)) else None
    return CancelOutcome(job_id, "cancelled", str(row.message), row.credits_charged, row.credits_refunded, collector)


async def _pictures(engine: Engine) -> list[BrandAssetRow]:
    found: list[BrandAssetRow] = await engine.read(
        lambda conn: asset_store.list_of_brand(conn, engine.brands[ANA], limit=200)[0]
    )
    return found


def _adds_up(engine: Engine, sandbox: RunningSandbox, answer: CancelOutcome, asked: int) -> None:
    assert answer.charged is not None
    assert answer.refunded is not None
    assert answer.charged + answer.refunded == asked
    assert engine.problems(sandbox, served=(LOGOS, MOCKUPS)) == []


@pytest.mark.full
async def test_three_rounds_of_eight_logos_cost_their_user_what_they_cost_us(
    engine: Engine, with_sandbox: Settings, sandbox: RunningSandbox
) -> None:
    await engine.user()
    sandbox.state.speed = 0.05
    charged = 0
    async with engine.worker(LOGOS, settings=with_sandbox, slots=8):
        for _ in range(3):
            accepted = await engine.submit(count=8)
            await _has(engine, accepted.job_id, UnitState.SUBMITTED, 2)
            answer = await _cancel(engine, accepted.job_id)
            assert answer.state == "cancelled"
            assert answer.message.startswith("Cancelled. ")
            assert str(answer.charged) in answer.message
            assert (f"{answer.refunded} credit" if answer.refunded else "nothing to refund") in answer.message
            charged += answer.charged or 0
            assert (answer.charged or 0) + (answer.refunded or 0) == 8
        await _all_ended(engine)
    billed = len(sandbox.ledger("bfl"))
    account = await engine.balance()
    assert charged >= billed >= 6
    assert (account.used, account.reserved, account.remaining) == (charged, 0, 100 - charged)
    assert len(await _pictures(engine)) == charged
    new = [
        event for _, event in await engine.core.stream.read("0", count=5000, block_ms=1) if event.event == "asset:new"
    ]
    assert len(new) == charged
    assert engine.problems(sandbox) == []


async def test_the_job_ends_at_once_though_its_provider_takes_its_time(
    engine: Engine, with_sandbox: Settings, sandbox: RunningSandbox
) -> None:
    await engine.user()
    sandbox.fault("bfl", op="poll", pending=True)
    async with engine.worker(LOGOS, settings=with_sandbox):
        accepted = await engine.submit(count=3)
        await _has(engine, accepted.job_id, UnitState.SUBMITTED, 3)
        answer = await _cancel(engine, accepted.job_id)
        assert (answer.state, answer.charged, answer.refunded) == ("cancelled", 3, 0)
        assert answer.collector is not None
        assert await engine.state(answer.collector) == "active"
        with pytest.raises(Conflict, match="only fetches"):
            await cancel(engine.core, answer.collector, ANA, user_id=ANA)
        with pytest.raises(Conflict, match="still being fetched"):
            await retry(engine.core, accepted.job_id, ANA, user_id=ANA)
        sandbox.clear()
        assert await engine.ended(answer.collector) == ["completed"]
        with pytest.raises(Conflict, match="only fetched"):
            await retry(engine.core, answer.collector, ANA, user_id=ANA)
    assert [unit.state for unit in await _units(engine, accepted.job_id)] == [UnitState.SAVED] * 3
    _adds_up(engine, sandbox, answer, 3)


async def test_the_brand_hears_of_the_pictures_and_not_of_the_job_that_collects_them(
    engine: Engine, with_sandbox: Settings, sandbox: RunningSandbox
) -> None:
    await engine.user()
    sandbox.fault("bfl", op="poll", pending=True)
    async with engine.worker(LOGOS, settings=with_sandbox):
        accepted = await engine.submit(count=1)
        await _has(engine, accepted.job_id, UnitState.SUBMITTED)
        answer = await _cancel(engine, accepted.job_id)
        sandbox.clear()
        await _all_ended(engine)
    told = [event for _, event in await engine.core.stream.read("0", count=5000, block_ms=1)]
    mine = [event for event in told if event.job_id == answer.collector]
    assert mine
    assert {event.rooms for event in mine} == {(f"job:{answer.collector}", f"jobs:{ANA}")}
    assert [event.event for event in told if event.job_id == accepted.job_id][-1] == "job:cancelled"


async def test_what_a_provider_accepted_and_then_declined_is_refunded_once(
    engine: Engine, with_sandbox: Settings, sandbox: RunningSandbox
) -> None:
    await engine.user()
    sandbox.fault("bfl", moderate=1, stage="content")
    sandbox.fault("bfl", op="poll", pending=True)
    async with engine.worker(LOGOS, settings=with_sandbox):
        accepted = await engine.submit(count=2)
        await _has(engine, accepted.job_id, UnitState.SUBMITTED, 2)
        answer = await _cancel(engine, accepted.job_id)
        assert answer.charged == 2
        sandbox.clear()
        await _all_ended(engine)
        row = await engine.job(accepted.job_id)
        assert (row.credits_charged, row.credits_refunded) == (1, 1)
        assert (await engine.balance()).used == 1
        assert engine.problems(sandbox) == []
        # What is missing can be had after all, and is paid for then.
        again = await retry(engine.core, accepted.job_id, ANA, user_id=ANA)
        assert again.credits == 1
        assert await engine.ended(str(again.job_id)) == ["completed"]
    assert (await engine.balance()).used == 2
    assert engine.problems(sandbox) == []


async def test_a_job_between_two_attempts_pays_for_what_it_has_ordered(
    engine: Engine, with_sandbox: Settings, sandbox: RunningSandbox
) -> None:
    await engine.user()
    sandbox.fault("bfl", op="download", status=500)  # ends an attempt at once; polls are repeated for 100 s
    slow = with_sandbox.model_copy(update={"bmn_backoff_scale": 100.0})
    async with engine.worker(LOGOS, settings=slow):
        accepted = await engine.submit(count=2)

        async def retrying() -> bool:
            return await engine.state(accepted.job_id) == "retrying"

        await eventually(retrying)
        sandbox.clear()  # before anybody collects: another refusal would be waited out for minutes
        answer = await _cancel(engine, accepted.job_id)
        assert (answer.state, answer.charged, answer.refunded) == ("cancelled", 2, 0)
        await _all_ended(engine)
    assert len(sandbox.ledger("bfl")) == len(await _pictures(engine)) == 2
    _adds_up(engine, sandbox, answer, 2)


async def test_a_call_that_cannot_be_asked_about_later_is_waited_for(
    engine: Engine, with_sandbox: Settings, sandbox: RunningSandbox
) -> None:
    """A mockup is one long call: hung up on, it would be billed and never seen."""
    brand = await engine.user()
    logo = await _asset(engine, brand)
    payload = MockupGeneration.model_validate(
        {
            "userId": ANA,
            "brandId": brand,
            "logoUrl": logo,
            "productId": "5f0e3c6a-6a53-4cde-9a5f-1c41de2c5dbb",
            "productName": "Mug",
            "productCategory": "drinkware",
            "colorPalette": ["#112233"],
        }
    )
    sandbox.fault("openai", latency=1.0, times=1)
    async with engine.worker(MOCKUPS, settings=with_sandbox):
        (accepted,) = await submit(engine.core, ANA, MOCKUPS, [payload])
        await eventually(lambda: _is_asked(sandbox))
        answer = await _cancel(engine, accepted.job_id)
        assert (answer.state, answer.charged, answer.refunded) == ("cancelled", 1, 0)
        await _all_ended(engine)
    assert len(sandbox.ledger("openai")) == 1
    assert (await engine.balance()).used == 1
    assert sorted(asset.asset_type for asset in await _pictures(engine)) == ["logo", "mockup"]
    _adds_up(engine, sandbox, answer, 1)


async def _is_asked(sandbox: RunningSandbox) -> bool:
    return sandbox.hits() > 0


async def _asset(engine: Engine, brand: str) -> str:
    data, key = png("red"), object_key(brand, "logo", "image/png")
    await engine.core.storage.put(key, data, "image/png")
    url = engine.core.storage.url_for(key)
    digest = hashlib.sha256(data).hexdigest()
    asset = NewAsset(str(uuid4()), brand, "logo", url, key, digest, "image/png", len(data))
    await engine.write(lambda conn: asset_store.add(conn, asset))
    return url


@pytest.mark.full
@pytest.mark.parametrize("point", ["submitted", "ready", "stored", "collecting", "saved", "settling"])
async def test_a_collecting_attempt_that_breaks_anywhere_charges_and_refunds_nothing_twice(
    engine: Engine,
    with_sandbox: Settings,
    sandbox: RunningSandbox,
    monkeypatch: pytest.MonkeyPatch,
    point: str,
) -> None:
    await engine.user()
    sandbox.state.speed = 0.02
    async with engine.worker(LOGOS, settings=with_sandbox):
        accepted = await engine.submit(count=4)
        await _has(engine, accepted.job_id, UnitState.SUBMITTED)
        monkeypatch.setenv("BMN_RAISE_AT", f"{point}:1")
        failpoints.arm()
        answer = await _cancel(engine, accepted.job_id)
        await _all_ended(engine)
    monkeypatch.undo()
    failpoints.arm()
    row = await engine.job(accepted.job_id)
    assert (answer.charged or 0) >= row.credits_charged
    assert (await engine.balance()).used == row.credits_charged == len(await _pictures(engine))
    assert engine.problems(sandbox) == []


async def test_a_wizards_step_with_something_to_show_is_paid_for(
    engine: Engine, with_sandbox: Settings, sandbox: RunningSandbox
) -> None:
    brand = await engine.user()
    payload = get_queue("brand-wizard").payload.model_validate(
        {"userId": ANA, "brandId": brand, "step": "brand-identity", "input": {}}
    )
    sandbox.fault("anthropic", hang=True, skip=1)
    async with engine.worker("brand-wizard", settings=with_sandbox):
        (shown,) = await submit(engine.core, ANA, "brand-wizard", [payload])
        await _has(engine, shown.job_id, UnitState.SHOWN)
        answer = await _cancel(engine, shown.job_id)
        assert (answer.charged, answer.refunded, answer.collector) == (1, 0, None)
        sandbox.clear()
        sandbox.fault("anthropic", hang=True)
        (nothing,) = await submit(engine.core, ANA, "brand-wizard", [payload])
        await eventually(lambda: _is_asked(sandbox))
        answer = await _cancel(engine, nothing.job_id)
        assert (answer.charged, answer.refunded) == (0, 1)
    row = await engine.job(shown.job_id)
    assert row.result is not None
    assert row.result["step"] == "brand-identity"
    with pytest.raises(Conflict):
        await retry(engine.core, shown.job_id, ANA, user_id=ANA)
    assert (await engine.balance()).used == 1
    assert engine.problems(served=("brand-wizard",)) == []
