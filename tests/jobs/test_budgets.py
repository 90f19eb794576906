"""Money that stops: near a budget there is a warning, at its end a queue pauses and a user is refused, and both go on."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from bmn.db import transitions
from bmn.db.accounts import audit_store
from bmn.db.lists.groups import group_jobs
from bmn.db.lists.listing import JobFilter
from bmn.db.operators import queue_store
from bmn.db.sums import activity
from bmn.db.tables import jobs, provider_calls
from bmn.errors import BudgetReached, Cause
from bmn.jobs import alert_finders, budgets, probes
from bmn.jobs.core import Core
from bmn.jobs.replay import retry
from bmn.jobs.submission import submit
from bmn.settings.budget_setting import Budget
from bmn.settings.budget_setting import budgets as read
from bmn.work.wiring import open_core
from tests.kit.engine import Engine
from tests.kit.people import ANA, BEN
from tests.kit.processes import eventually

QUEUE = "logo-generation"


def limited(engine: Engine, text: str) -> Core:
    """The same engine with budgets."""
    return replace(engine.core, settings=engine.core.settings.model_copy(update={"bmn_budgets": read(text)}))


async def spend(engine: Engine, usd: float, *, user_id: str | None = None) -> None:
    call = {"provider": "bfl", "operation": "submit", "outcome": "ok", "usd": usd, "queue": QUEUE, "user_id": user_id}
    await engine.write(lambda conn: conn.execute(provider_calls.insert().values(**call)))


async def age(engine: Engine, seconds: float) -> None:
    older = update(provider_calls).values(at=provider_calls.c.at - seconds)
    await engine.write(lambda conn: conn.execute(older))


async def pause(engine: Engine) -> Any:
    return await engine.read(lambda conn: queue_store.get_pause(conn, QUEUE))


async def troubles(core: Core) -> list[tuple[str, str]]:
    found = await core.db.read(lambda conn: list(budgets.warnings(conn, core.settings.bmn_budgets)))
    return [(trouble.severity, trouble.message) for trouble in found]


async def test_a_queue_is_warned_of_paused_and_goes_on_by_itself(engine: Engine) -> None:
    core = limited(engine, f"{QUEUE}=2usd")
    await spend(engine, 1.5)
    await budgets.watch(core)
    assert (await pause(engine), await troubles(core)) == (None, [])
    await spend(engine, 0.2)
    ((severity, message),) = await troubles(core)
    assert (severity, "$1.70 of its $2.00 an hour" in message) == ("warn", True)
    await spend(engine, 0.4)
    await budgets.watch(core)
    found = await pause(engine)
    assert found.paused_by == "budget"
    assert found.reason.startswith("Budget reached: $2.10 of $2.00 within an hour. It goes on by itself from ")
    assert [severity for severity, _ in await troubles(core)] == ["error"]
    await alert_finders.look(core)
    assert alert_finders.next_step("budget", QUEUE) == "bmn costs --since 1h --by kind"
    await age(engine, 3601)
    await budgets.watch(core)
    assert (await pause(engine), await troubles(core)) == (None, [])


async def test_what_somebody_has_paused_no_budget_resumes_and_what_no_budget_wants_goes_on(engine: Engine) -> None:
    core = limited(engine, f"{QUEUE}=1usd")
    await spend(engine, 3.0)
    await engine.write(lambda conn: queue_store.set_paused(conn, QUEUE, by="an-operator", reason="mine"))
    await budgets.watch(core)
    await budgets.watch(engine.core)
    assert (await pause(engine)).paused_by == "an-operator"
    await engine.write(lambda conn: queue_store.set_running(conn, QUEUE, by="an-operator"))
    await budgets.watch(core)
    assert (await pause(engine)).paused_by == "budget"
    await budgets.watch(engine.core)  # the budget was taken out of the settings
    assert await pause(engine) is None


async def test_a_user_is_warned_and_refused_in_words_and_nobody_else(engine: Engine) -> None:
    await engine.user(ANA)
    await engine.user(BEN)
    engine.core = limited(engine, "user=10credits")
    assert (await engine.submit(ANA, count=7)).warning is None
    near = await engine.submit(ANA, count=2)
    assert near.warning == "9 of today's budget of 10 credits are spent."
    before = await engine.balance(ANA)
    with pytest.raises(BudgetReached) as refused:
        await engine.submit(ANA, count=2)
    assert refused.value.message == "The budget of a day is 10 credits; 9 are spent, and this needs 2."
    assert refused.value.hint is not None
    assert "UTC on. Nothing was stored or charged." in refused.value.hint
    assert await engine.balance(ANA) == before
    assert (await engine.submit(BEN, count=8)).warning is not None
    # What was cancelled came back, and is no longer spent.
    row = await engine.job(near.job_id)
    await engine.write(lambda conn: transitions.cancel_waiting(conn, row, ANA, "no"))
    assert (await engine.submit(ANA, count=2)).warning is not None
    await engine.write(lambda conn: conn.execute(update(jobs).values(created_at=jobs.c.created_at - 86_401)))
    assert (await engine.submit(ANA, count=2)).warning is None


async def test_a_users_dollars_are_those_of_real_providers(engine: Engine) -> None:
    await engine.user(ANA)
    engine.core = limited(engine, "user=1usd")
    await spend(engine, 0.9, user_id=ANA)
    assert (await engine.submit(ANA)).warning == "$0.93 of today's budget of $1.00 are spent."  # a logo is $0.03
    await spend(engine, 0.2, user_id=ANA)
    with pytest.raises(BudgetReached, match=r"\$1\.10 are spent"):
        await engine.submit(ANA)
    await age(engine, 86_401)
    assert (await engine.submit(ANA)).warning is None


async def test_dollars_that_jobs_under_way_are_going_to_cost_are_no_longer_free(engine: Engine) -> None:
    await engine.user(ANA)
    engine.core = limited(engine, "user=0.1usd")
    under_way = await engine.submit(ANA, count=3)
    with pytest.raises(BudgetReached, match=r"\$0\.00 are spent, \$0\.09 are under way, and this needs \$0\.03\."):
        await engine.submit(ANA)
    row = await engine.job(under_way.job_id)
    await engine.write(lambda conn: transitions.cancel_waiting(conn, row, ANA, "no"))
    await engine.submit(ANA, count=3)


async def test_servers_that_take_a_user_s_jobs_at_once_keep_to_one_budget(engine: Engine) -> None:
    await engine.user(ANA)
    async with AsyncExitStack() as stack:
        servers = [limited(engine, "user=10credits")]
        for number in range(2):
            core = await open_core(servers[0].settings, f"server-{number}")
            stack.push_async_callback(core.close)
            servers.append(core)
        order = engine.logos(ANA, 2)
        asked = [submit(core, ANA, QUEUE, [order]) for core in servers * 5]
        answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, BudgetReached)]
    assert (len(answers) - len(refused), len(refused)) == (5, 10)
    assert (await engine.balance(ANA)).reserved == 10


async def test_a_users_retry_is_within_their_budget_and_an_operators_heals_beyond_it(engine: Engine) -> None:
    await engine.user(ANA)
    engine.core = limited(engine, "user=4credits")
    failed = await engine.submit(ANA, count=3)
    (row,) = await engine.claim(QUEUE)
    await engine.write(lambda conn: transitions.fail(conn, row, Cause.BUG, "broken"))
    await engine.submit(ANA, count=2)
    with pytest.raises(BudgetReached, match="2 are spent, and this needs 3"):
        await retry(engine.core, failed.job_id, ANA, user_id=ANA)
    assert (await engine.balance(ANA)).reserved == 2
    wanted = {ANA: budgets.Outlay(credits=3), BEN: budgets.Outlay(credits=4)}
    assert await engine.read(lambda conn: budgets.passed_by(conn, engine.core, wanted)) == 1
    assert (await retry(engine.core, failed.job_id, "an-operator")).credits == 3
    assert (await engine.balance(ANA)).reserved == 5
    (act,) = await engine.read(lambda conn: audit_store.of_subject(conn, failed.job_id))
    assert (act.after or {}).get("pastBudget") is True


@pytest.mark.parametrize("text", ["logo=2", "logo-generation=0usd", "user=5", "a=1usd,a=2usd", "=3usd"])
def test_a_budget_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"look like|twice"):
        read(text)
    assert read("a=1usd, user=20 credits") == (Budget("a", 1.0, "usd"), Budget("user", 20.0, "credits"))


async def test_a_probe_is_carried_by_the_worker_that_is_meant_and_costs_nothing(engine: Engine) -> None:
    await engine.user(ANA)
    before = await engine.balance(ANA)
    async with engine.worker(QUEUE) as one, engine.worker(QUEUE) as two:
        names = {worker._core.name for worker in (one, two)}

        async def both_there() -> bool:
            return {each.worker for each in await probes.send(engine.core, "doctor")} >= names

        await eventually(both_there)
        sent = [each for each in await probes.send(engine.core, "doctor") if each.worker in names]
        assert await engine.ended(*(each.job_id or "" for each in sent)) == ["completed"] * 2
        for each in sent:
            row = await engine.job(each.job_id or "")
            assert row.message == f"Carried by {each.worker}"
            assert (row.attempt, row.cost_usd) == (1, 0.0)
        grouped = await engine.read(lambda conn: group_jobs(conn, JobFilter(queue=QUEUE), "queue"))
        assert grouped.groups == []
        ended = await engine.read(activity.outcomes)
        assert QUEUE not in {queue for queue, _, _ in ended}, "they are no jobs that ended"
        await engine.write(lambda conn: queue_store.set_paused(conn, QUEUE, by="somebody", reason="later"))
        assert {each.paused for each in await probes.send(engine.core, "doctor") if each.worker in names} == {True}
    assert await engine.balance(ANA) == before
