"""Paid steps, with the real logo handler against the sandbox: nothing is paid twice, and what was paid is kept."""

from dataclasses import replace
from typing import Any

import pytest

from bmn import failpoints
from bmn.db.records import UnitRow, UnitState
from bmn.jobs import replay
from bmn.settings import Settings
from bmn.work.registry import get_queue
from tests.kit.engine import Engine
from tests.kit.people import ANA
from tests.kit.processes import eventually
from tests.kit.sandbox import RunningSandbox

LOGOS = "logo-generation"


@pytest.fixture
def failpoint(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Breaks the engine at a named point, at its n-th pass."""

    def set_(point: str, nth: int = 1) -> None:
        monkeypatch.setenv("BMN_RAISE_AT", f"{point}:{nth}")
        failpoints.arm()

    yield set_
    monkeypatch.undo()
    failpoints.arm()


async def _units(engine: Engine, job_id: str) -> list[UnitRow]:
    from bmn.db import job_store

    found: list[UnitRow] = await engine.read(lambda conn: job_store.units(conn, job_id))
    return found


async def test_four_logos_are_four_bills_four_rows_four_credits(
    engine: Engine, with_sandbox: Settings, sandbox: RunningSandbox
) -> None:
    await engine.user()
    async with engine.worker(LOGOS, settings=with_sandbox):
        accepted = await engine.submit(count=4)
        assert await engine.ended(accepted.job_id) == ["completed"]
    row = await engine.job(accepted.job_id)
    assert len(sandbox.ledger("bfl")) == 4
    assert len(row.result["logos"]) == 4
    assert (row.credits_charged, row.credits_refunded) == (4, 0)
    assert engine.problems(sandbox) == []


@pytest.mark.parametrize("point", ["submitting", "provider_sent", "submitted", "ready", "stored", "saved", "settling"])
async def test_an_attempt_that_breaks_anywhere_is_finished_by_the_next_without_paying_again(
    engine: Engine, with_sandbox: Settings, sandbox: RunningSandbox, failpoint: Any, point: str
) -> None:
    await engine.user()
    failpoint(point)
    async with engine.worker(LOGOS, settings=with_sandbox):
        accepted = await engine.submit(count=2)
        assert await engine.ended(accepted.job_id) == ["completed"]
    lost = point == "provider_sent"
    assert len(sandbox.ledger("bfl")) == 2 + lost
    ambiguous = sum(unit.ambiguous for unit in await _units(engine, accepted.job_id))
    assert ambiguous == (1 if point in ("submitting", "provider_sent") else 0)
    assert (await engine.job(accepted.job_id)).credits_charged == 2
    assert engine.problems(sandbox) == []


async def test_an_answer_that_is_lost_is_asked_for_once_more_and_never_a_third_time(
    engine: Engine, with_sandbox: Settings, sandbox: RunningSandbox
) -> None:
    await engine.user()
    sandbox.fault("bfl", op="submit", dropResponse=True)
    async with engine.worker(LOGOS, settings=with_sandbox):
        accepted = await engine.submit(count=1)
        assert await engine.ended(accepted.job_id) == ["failed"]
    (unit,) = await _units(engine, accepted.job_id)
    assert (unit.ambiguous, len(sandbox.ledger("bfl"))) == (1, 2)
    assert (await engine.balance()).remaining == 100
    assert engine.problems(sandbox) == []


async def test_only_the_missing_logo_is_asked_for_again(
    engine: Engine, with_sandbox: Settings, sandbox: RunningSandbox
) -> None:
    await engine.user()
    sandbox.fault("bfl", op="submit", status=503, times=1)
    async with engine.worker(LOGOS, settings=with_sandbox):
        accepted = await engine.submit(count=4)
        assert await engine.ended(accepted.job_id) == ["completed"]
    assert len(sandbox.ledger("bfl")) == 4
    assert (await engine.job(accepted.job_id)).attempt == 2
    assert engine.problems(sandbox) == []


async def test_one_declined_of_four_leaves_three_and_gives_one_credit_back(
    engine: Engine, with_sandbox: Settings, sandbox: RunningSandbox
) -> None:
    await engine.user()
    sandbox.fault("bfl", moderate=1)
    async with engine.worker(LOGOS, settings=with_sandbox):
        accepted = await engine.submit(count=4)
        assert await engine.ended(accepted.job_id) == ["partial"]
    row = await engine.job(accepted.job_id)
    assert (row.attempt, row.credits_charged, row.credits_refunded) == (1, 3, 1)
    assert row.result["generated"] == 3
    assert engine.problems(sandbox) == []


async def test_all_declined_is_a_failure_that_costs_nothing(
    engine: Engine, with_sandbox: Settings, sandbox: RunningSandbox
) -> None:
    await engine.user()
    sandbox.fault("bfl", moderate=4)
    async with engine.worker(LOGOS, settings=with_sandbox):
        accepted = await engine.submit(count=2)
        assert await engine.ended(accepted.job_id) == ["failed"]
    row = await engine.job(accepted.job_id)
    assert (row.cause, row.attempt, row.credits_refunded) == ("moderated", 1, 2)
    assert engine.problems(sandbox) == []


async def test_a_replay_inherits_what_its_parent_has_finished(
    engine: Engine, with_sandbox: Settings, sandbox: RunningSandbox
) -> None:
    await engine.user(balance=10)
    sandbox.fault("bfl", op="submit", status=503, skip=3)
    queue = replace(get_queue(LOGOS), attempts=1)
    async with engine.worker(queue, settings=with_sandbox):
        accepted = await engine.submit(count=4)
        assert await engine.ended(accepted.job_id) == ["partial"]
        sandbox.state.faults.clear()
        again = await replay.retry(engine.core, accepted.job_id, ANA)
        assert again.job_id is not None
        assert again.credits == 1
        assert await engine.ended(again.job_id) == ["completed"]
    assert len(sandbox.ledger("bfl")) == 4
    assert (await engine.balance()).remaining == 6
    assert (await engine.job(again.job_id)).result["generated"] == 4
    assert engine.problems(sandbox) == []


async def test_a_cancel_keeps_and_charges_what_was_finished(
    engine: Engine, with_sandbox: Settings, sandbox: RunningSandbox
) -> None:
    from bmn.jobs.cancellation import cancel

    await engine.user()
    sandbox.fault("bfl", op="poll", pending=True, skip=1)
    async with engine.worker(LOGOS, slots=1, settings=with_sandbox):
        accepted = await engine.submit(count=3)

        async def one_is_saved() -> bool:
            return any(unit.state is UnitState.SAVED for unit in await _units(engine, accepted.job_id))

        await eventually(one_is_saved)
        answer = await cancel(engine.core, accepted.job_id, ANA)
        assert await engine.ended(accepted.job_id) == ["cancelled"]
        # Its result is what was finished; what had been ordered is charged too, and collected by another job.
        row = await engine.job(accepted.job_id)
        assert (row.credits_charged, row.credits_refunded) == (answer.charged, answer.refunded) == (3, 0)
        assert len(row.result["logos"]) == 1
        sandbox.clear()
        assert await engine.ended(str(answer.collector)) == ["completed"]
    assert len(sandbox.ledger("bfl")) == 3
    assert engine.problems(sandbox) == []


async def test_a_store_that_is_away_costs_an_upload_and_no_second_picture(
    engine: Engine, with_sandbox: Settings, sandbox: RunningSandbox
) -> None:
    await engine.user()
    objects = with_sandbox.bmn_home / "objects"
    async with engine.worker(LOGOS, settings=with_sandbox):
        blocked = objects / "brands"
        blocked.parent.mkdir(parents=True, exist_ok=True)
        blocked.write_text("in the way")
        accepted = await engine.submit(count=1)

        async def failed_once() -> bool:
            return bool((await engine.job(accepted.job_id)).attempt > 1)

        await eventually(failed_once)
        blocked.unlink()
        assert await engine.ended(accepted.job_id) == ["completed"]
    assert len(sandbox.ledger("bfl")) == 1
    assert engine.problems(sandbox) == []
