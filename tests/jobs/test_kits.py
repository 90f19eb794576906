"""Kits: a whole brand, ordered step by step by whoever sweeps; each step once, paid like jobs of their own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import select, update

from bmn.db.accounts import credit_store
from bmn.db.batches import bulk_store, choosing, kit_store
from bmn.db.batches.bulk_store import NewBulk
from bmn.db.batches.kit_store import KitRow
from bmn.db.engine import Connection
from bmn.db.library import asset_store, brand_store
from bmn.db.lists.listing import JobFilter
from bmn.db.tables import kit_steps
from bmn.db.tables import kits as kit_table
from bmn.errors import BudgetReached, Conflict, InsufficientCredits, NotFound
from bmn.jobs import bulk_duty
from bmn.jobs.replay import retry
from bmn.jobs.submission import Idempotent
from bmn.schemas.kit_requests import QUEUE_OF, KitBody
from bmn.settings import Settings
from bmn.settings.budget_setting import budgets
from bmn.work.kits import course
from tests.kit.engine import Engine
from tests.kit.people import ANA, BEN
from tests.kit.processes import eventually
from tests.kit.sandbox import RunningSandbox

_SERVED = (*QUEUE_OF.values(), "image-upload")
_ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@dataclass(slots=True)
class Maker:
    """Kits of Ana's, with workers that make what they order."""

    engine: Engine
    settings: Settings

    async def begin(self, *, idempotent: Idempotent | None = None, **asked: Any) -> KitRow:
        body = KitBody.model_validate({"brandId": self.engine.brands[ANA], "count": 2, **asked})
        return (await course.start(self.engine.core, ANA, body, idempotent=idempotent))[0]

    async def kit(self, kit_id: str) -> KitRow:
        found: KitRow = await self.engine.read(lambda conn: kit_store.get(conn, kit_id))
        return found

    async def comes_to(self, kit_id: str, state: str, step: str | None = None) -> KitRow:
        async def there() -> bool:
            now = await self.kit(kit_id)
            return now.state == state and step in (None, now.step)

        await eventually(there)
        return await self.kit(kit_id)

    async def steps(self, kit_id: str) -> list[str]:
        query = select(kit_steps.c.step).where(kit_steps.c.kit_id == kit_id).order_by(kit_steps.c.created_at)
        found: list[str] = await self.engine.read(lambda conn: list(conn.execute(query).scalars()))
        return found

    async def queues(self, kit_id: str) -> list[str]:
        return sorted(job.queue for job in await self.engine.all_jobs() if job.group_id == kit_id)

    @asynccontextmanager
    async def workers(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for queue in _SERVED:
                await stack.enter_async_context(self.engine.worker(queue, settings=self.settings))
            yield


@pytest.fixture
async def maker(engine: Engine, with_sandbox: Settings) -> Maker:
    await engine.user()
    return Maker(engine, with_sandbox)


async def _thumbnails_end(engine: Engine) -> None:
    await engine.ended(*(job.id for job in await engine.all_jobs() if job.queue in _SERVED))


@pytest.mark.full
@_ONE_DATABASE
async def test_a_kit_goes_all_the_way_by_itself(maker: Maker, sandbox: RunningSandbox) -> None:
    async with maker.workers():
        kit = await maker.begin(pick=2, products=["mug", "cap"])
        assert (kit.state, kit.step, kit.credits_estimated, kit.credits_left) == ("running", "logos", 11, 9)
        done = await maker.comes_to(kit.id, "done")
        await _thumbnails_end(maker.engine)
    assert (done.message, done.credits_left) == ("The brand is complete.", 0)
    assert await maker.steps(kit.id) == ["logos", "mockups", "bundle", "video"]
    assert await maker.queues(kit.id) == sorted([QUEUE_OF["logos"], *[QUEUE_OF["mockups"]] * 2, *_SERVED[2:4]])
    chosen = await maker.engine.read(lambda conn: asset_store.selected_of_brand(conn, kit.brand_id))
    assert [(each.id, each.metadata["index"]) for each in chosen] == [(done.logo_id, 1)]
    brand = await maker.engine.read(lambda conn: brand_store.get(conn, kit.brand_id))
    assert brand.color_palette and brand.logo_style, "its logos settle its look"
    balance = await maker.engine.balance()
    assert (balance.remaining, balance.reserved, balance.used) == (89, 0, 11)
    assert maker.engine.problems(sandbox, served=_SERVED) == []


@pytest.mark.full
@_ONE_DATABASE
async def test_a_kit_waits_for_a_person_and_for_what_failed(maker: Maker, sandbox: RunningSandbox) -> None:
    async with maker.workers():
        kit = await maker.begin(products=["mug", "cap"], without=["video"])
        waiting = await maker.comes_to(kit.id, "picking")
        assert waiting.message == "Waits until you pick one of 2 logos."
        logos, _ = await maker.engine.read(lambda conn: asset_store.list_of_brand(conn, kit.brand_id))
        with pytest.raises(NotFound):
            await course.pick(maker.engine.core, kit.id, logos[0].id, BEN)
        sandbox.fault("openai", status=400, times=1)
        await course.pick(maker.engine.core, kit.id, logos[0].id, ANA)
        with pytest.raises(Conflict, match="does not wait for a pick"):
            await course.pick(maker.engine.core, kit.id, logos[1].id, ANA)
        held = await maker.comes_to(kit.id, "held")
        assert held.step == "mockups"
        assert held.message.startswith("1 of 2 failed. ")
        assert held.message.endswith("The rest waits until it is made again.")
        (failed,) = [job for job in await maker.engine.all_jobs() if job.state == "failed"]
        assert failed.cause == held.cause
        await retry(maker.engine.core, failed.id, ANA, user_id=ANA)
        assert (await maker.comes_to(kit.id, "done")).cause is None
        await _thumbnails_end(maker.engine)
    assert await maker.steps(kit.id) == ["logos", "mockups", "bundle"]
    assert (await maker.engine.balance()).used == 6
    assert maker.engine.problems(sandbox, served=_SERVED) == []


@_ONE_DATABASE
async def test_what_the_balance_does_not_cover_is_refused_before_anything_is_ordered(maker: Maker) -> None:
    ana = maker.engine
    await maker.begin(pick=1)  # 12 of 100
    with pytest.raises(InsufficientCredits) as refused:
        for _ in range(8):
            await maker.begin(pick=1)
    assert refused.value.extra == {"required": 12, "available": 4}
    assert len(await ana.all_jobs()) == 8
    assert (await ana.balance()).reserved == 16


async def test_a_key_begins_one_kit_and_many_sweepers_order_a_step_once(maker: Maker, sandbox: RunningSandbox) -> None:
    asked = Idempotent.of("a key", {"a": "body"})
    begun = await asyncio.gather(*(maker.begin(idempotent=asked, pick=1) for _ in range(5)))
    assert len({kit.id for kit in begun}) == 1
    with pytest.raises(Conflict):
        await maker.begin(idempotent=Idempotent.of("a key", {"another": "body"}))
    kit = begun[0]
    quiet = maker.settings.model_copy(update={"bmn_sweep_seconds": 3600})
    async with maker.engine.worker("logo-generation", settings=quiet):
        (logos,) = [job.id for job in await maker.engine.all_jobs()]
        assert await maker.engine.ended(logos) == ["completed"]
    await asyncio.gather(*(course.carry_on(maker.engine.core) for _ in range(8)))
    assert (await maker.queues(kit.id)).count("mockup-generation") == 3
    assert (await maker.kit(kit.id)).step == "mockups"
    cancelled = await course.cancel(maker.engine.core, kit.id, ANA, user_id=ANA)
    assert (cancelled.state, cancelled.credits_left) == ("cancelled", 0)
    assert await maker.engine.ended(*(job.id for job in await maker.engine.all_jobs() if job.group_id))
    await course.carry_on(maker.engine.core)
    balance = await maker.engine.balance()
    assert (balance.remaining, balance.reserved, balance.used) == (98, 0, 2)
    with pytest.raises(Conflict, match="ended already"):
        await course.cancel(maker.engine.core, kit.id, ANA, user_id=ANA)


@_ONE_DATABASE
@pytest.mark.parametrize("narrower", [{}, {"queue": ["logo-generation"]}])
async def test_a_kit_of_which_all_is_cancelled_at_once_goes_no_further(maker: Maker, narrower: dict[str, Any]) -> None:
    kit = await maker.begin(pick=1)
    core = maker.engine.core

    def choose(conn: Connection) -> NewBulk:
        chosen = choosing.choose_jobs(conn, "cancel", JobFilter(group_id=kit.id))
        of_group = {"action": "cancel", "groupId": kit.id, **narrower}
        new = NewBulk("bulk-1", "cancel", "a-key", of_group, ANA, ANA)
        bulk_store.start(conn, new, chosen)
        return new

    await maker.engine.write(choose)
    await bulk_duty.work(core)
    await course.carry_on(core)
    ended = await maker.kit(kit.id)
    assert (ended.state, ended.ended_at is None) == (("held", True) if narrower else ("cancelled", False))
    assert (await maker.engine.balance()).remaining == 100


@_ONE_DATABASE
async def test_a_kit_is_refused_and_held_by_its_users_budget_and_goes_on_when_that_takes_it(maker: Maker) -> None:
    core = maker.engine.core

    def allow(credits: int) -> None:
        limit = {"bmn_budgets": budgets(f"user={credits}credits")}
        maker.engine.core = replace(core, settings=core.settings.model_copy(update=limit))

    allow(1)
    with pytest.raises(BudgetReached):
        await maker.begin(pick=1)
    assert await maker.engine.all_jobs() == []
    allow(4)
    kit = await maker.begin(pick=1)
    quiet = maker.settings.model_copy(update={"bmn_sweep_seconds": 3600})
    async with maker.engine.worker("logo-generation", settings=quiet):
        (logos,) = [job.id for job in await maker.engine.all_jobs()]
        await maker.engine.ended(logos)
    await course.carry_on(maker.engine.core)
    held = await maker.kit(kit.id)
    assert (held.state, held.step, held.cause) == ("held", "mockups", "budget_reached")
    assert held.message == (
        "The budget of a day is 4 credits; 2 are spent, and this needs 3."
        " The next step waits for that, and goes on by itself."
    )
    allow(5)
    await course.look_for_budget(maker.engine.core)
    assert (await maker.kit(kit.id)).state == "held", "tried a moment ago"
    a_minute_ago = update(kit_table).values(changed_at=kit_table.c.changed_at - 61)
    await maker.engine.write(lambda conn: conn.execute(a_minute_ago))
    await course.look_for_budget(maker.engine.core)
    moved = await maker.kit(kit.id)
    assert (moved.state, moved.step, moved.cause) == ("running", "mockups", None)


@_ONE_DATABASE
async def test_credits_that_went_elsewhere_hold_a_kit_until_they_are_there(maker: Maker) -> None:
    kit = await maker.begin(pick=1)
    quiet = maker.settings.model_copy(update={"bmn_sweep_seconds": 3600})
    async with maker.engine.worker("logo-generation", settings=quiet):
        (logos,) = [job.id for job in await maker.engine.all_jobs()]
        await maker.engine.ended(logos)
    await maker.engine.write(lambda conn: credit_store.reserve(conn, ANA, 96))
    await course.carry_on(maker.engine.core)
    held = await maker.kit(kit.id)
    assert (held.state, held.step, held.cause, held.credits_short) == ("held", "mockups", "insufficient_credits", 3)
    assert held.message == "Waits for credits: the next step takes 3, and 2 are there. It goes on by itself."
    await course.look_for_credits(maker.engine.core)
    assert (await maker.kit(kit.id)).state == "held"
    await maker.engine.write(lambda conn: credit_store.grant(conn, ANA, 1, "tests", None))
    await course.look_for_credits(maker.engine.core)
    await course.carry_on(maker.engine.core)
    assert (await maker.kit(kit.id)).state == "running"
    assert (await maker.queues(kit.id)).count("mockup-generation") == 3
