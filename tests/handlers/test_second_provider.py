"""A queue with an order of providers: where the first is out the next one makes the picture, once, told and priced truly."""

from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from bmn.db import outage_store
from bmn.db.engine import Connection
from bmn.db.operators import alert_store, queue_store
from bmn.db.records import OutageRow
from bmn.db.tables import job_units, jobs
from bmn.errors import Cause
from bmn.jobs import alert_finders
from bmn.jobs.cancellation import cancel
from bmn.jobs.outages import in_service
from bmn.jobs.replay import retry
from bmn.schemas.kit_requests import KitBody
from bmn.settings.provider_orders import orders
from bmn.work.kits import course
from bmn.work.registry import get_queue
from tests.handlers.orders import bundle, logos, mockup, stored
from tests.kit.bench import Bench
from tests.kit.people import ANA
from tests.kit.pictures import png

LOGOS = "logo-generation"
ALL = f"{LOGOS}=bfl,openai,google mockup-generation=openai,google bundle-composition=google,openai"
REFUSED = {"status": 401}
DOWN = {"status": 503}


def _order(bench: Bench, text: str = ALL, **more: Any) -> None:
    """Probes are due a minute after, as the bench would otherwise have no time between them."""
    more = {"bmn_backoff_scale": 1.0, **more}
    bench.core.settings = bench.core.settings.model_copy(update={"bmn_providers": orders(text), **more})


async def _out(bench: Bench, queue: str = LOGOS) -> dict[str, OutageRow]:
    return await bench.core.db.read(lambda conn: outage_store.of_queue(conn, queue))


async def _note_again(bench: Bench, *, probe_in: float) -> None:
    """Of whoever is out, when it is asked again."""

    def note(conn: Connection) -> None:
        for name, known in outage_store.of_queue(conn, LOGOS).items():
            outage_store.note(conn, LOGOS, name, cause=known.cause, reason=known.reason, probe_in=probe_in)

    await bench.core.db.write(note)


async def _attempt(bench: Bench, queue: str = LOGOS, **fields: Any) -> dict[str, Any]:
    await bench.submit(queue, **(fields or await logos(bench)))
    return await bench.attempt(queue)


async def _calls(bench: Bench, row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(call["provider"], call["outcome"]) for call in await bench.calls(row["id"])]


def _assets(row: dict[str, Any]) -> list[dict[str, Any]]:
    result = row["result"]
    return result["logos"] if "logos" in result else [result["asset"]]


def _made(row: dict[str, Any]) -> Counter[str]:
    """How many pictures of a finished job are whose."""
    assert row["state"] == "completed", row
    return Counter(asset["metadata"]["provider"] for asset in _assets(row))


def _billed(bench: Bench, before: Iterable[dict[str, Any]]) -> list[tuple[str, float]]:
    known = {entry["id"] for entry in before}
    return [(entry["provider"], entry["usd"]) for entry in bench.sandbox.ledger() if entry["id"] not in known]


async def test_whoever_names_no_order_has_one_provider_as_before(bench: Bench) -> None:
    bench.sandbox.fault("bfl", **REFUSED)
    row = await _attempt(bench)
    paused = await bench.core.db.read(lambda conn: queue_store.get_pause(conn, LOGOS))
    assert (row["state"], paused is not None, await _out(bench)) == ("queued", True, {})


@pytest.mark.parametrize("status", [401, 402])
async def test_a_refused_key_or_an_empty_account_is_found_once_and_the_next_one_makes_the_pictures(
    bench: Bench, status: int
) -> None:
    _order(bench)
    bench.sandbox.fault("bfl", status=status)
    before = bench.sandbox.ledger()
    first = await _attempt(bench, **{**await logos(bench), "count": 2})
    second = await _attempt(bench)
    assert (first["state"], _made(first)) == ("completed", Counter(openai=2))
    assert await _calls(bench, second) == [("openai", "ok")]  # nobody asks the first one for each job
    assert await bench.core.db.read(lambda conn: queue_store.get_pause(conn, LOGOS)) is None
    billed = _billed(bench, before)
    assert Counter(provider for provider, _ in billed) == Counter(openai=3)
    assert first["cost_usd"] + second["cost_usd"] == pytest.approx(sum(usd for _, usd in billed))
    (asset,) = _assets(second)
    assert asset["metadata"]["model"] == bench.core.settings.openai_image_model and "seed" not in asset["metadata"]
    assert (first["credits_charged"], second["credits_charged"]) == (2, 1)  # the price is the user's, whoever makes it


async def test_one_picture_finds_out_that_the_first_one_is_well_again(bench: Bench) -> None:
    _order(bench)
    bench.sandbox.fault("bfl", **REFUSED)
    await _attempt(bench)
    await _note_again(bench, probe_in=-1.0)
    still = await _attempt(bench, **{**await logos(bench), "count": 3})
    assert (await _calls(bench, still)).count(("bfl", "provider_auth")) == 1 and _made(still) == Counter(openai=3)

    bench.sandbox.clear()
    await _note_again(bench, probe_in=-1.0)
    assert _made(await _attempt(bench)) == Counter(bfl=1)
    assert await _out(bench) == {}
    assert _made(await _attempt(bench)) == Counter(bfl=1)


async def test_an_outage_counts_jobs_in_a_row_and_a_last_attempt_does_not_wait_for_that(bench: Bench) -> None:
    _order(bench, bmn_outage_jobs=2, bmn_backoff_scale=0)
    bench.sandbox.fault("bfl", **DOWN)
    alone = await bench.run(LOGOS, **await logos(bench))
    calls = await _calls(bench, alone)
    assert calls == [("bfl", "provider_overloaded")] * 3 + [("openai", "ok")]
    assert (_made(alone), await _out(bench)) == (Counter(openai=1), {})

    _order(bench, bmn_outage_jobs=2)
    found = await _attempt(bench)
    assert await _calls(bench, found) == [("bfl", "provider_overloaded"), ("openai", "ok")]
    assert (await _out(bench))["bfl"].cause is Cause.PROVIDER_OVERLOADED


async def test_the_queue_pauses_when_all_are_out_and_goes_on_with_whoever_is_well_first(bench: Bench) -> None:
    _order(bench)
    for vendor in ("bfl", "openai", "google"):
        bench.sandbox.fault(vendor, **REFUSED)
    row = await _attempt(bench)
    pause = await bench.core.db.read(lambda conn: queue_store.get_pause(conn, LOGOS))
    assert (row["state"], row["attempt"], set(await _out(bench))) == ("queued", 0, {"bfl", "openai", "google"})
    assert pause is not None and pause.cause is Cause.PROVIDER_AUTH

    bench.sandbox.clear()
    bench.sandbox.fault("bfl", **REFUSED)
    _order(bench, bmn_backoff_scale=0)
    await bench.core.db.write(
        lambda conn: queue_store.set_paused(conn, LOGOS, by="system", reason="x", cause="provider_auth", probe_in=-1.0)
    )
    await bench.core.db.write(lambda conn: _make_due(conn, row["id"]))
    row = await bench.attempt(LOGOS)
    assert _made(row) == Counter(openai=1)
    assert await bench.core.db.read(lambda conn: queue_store.get_pause(conn, LOGOS)) is None


def _make_due(conn: Connection, job_id: str) -> None:
    conn.execute(update(jobs).where(jobs.c.id == job_id).values(run_at=0.0))


@pytest.mark.parametrize(
    ("fault", "cause"),
    [({"moderate": 1}, "moderated"), ({"status": 422}, "bad_input"), ({"status": 429}, "provider_rate_limited")],
)
async def test_what_is_about_the_order_is_not_asked_of_the_next_one(
    bench: Bench, fault: dict[str, Any], cause: str
) -> None:
    _order(bench)
    bench.sandbox.fault("bfl", **fault)
    row = await _attempt(bench)
    assert (row["cause"], await _out(bench)) == (cause, {})
    assert {provider for provider, _ in await _calls(bench, row)} == {"bfl"}


async def test_an_order_whose_answer_was_lost_is_counted_and_then_the_next_one_makes_it(bench: Bench) -> None:
    _order(bench, bmn_outage_jobs=1, bmn_backoff_scale=0)
    bench.sandbox.fault("bfl", op="submit", dropResponse=True)
    before = bench.sandbox.ledger()
    row = await _attempt(bench)
    assert (row["state"], await _calls(bench, row)) == ("retrying", [("bfl", "provider_timeout")])
    _order(bench, bmn_outage_jobs=1)
    await _note_again(bench, probe_in=60.0)
    row = await bench.attempt(LOGOS)
    assert (row["state"], _made(row)) == ("completed", Counter(openai=1))
    assert (await bench.units(row["id"]))["logo-0"]["ambiguous"] == 1
    billed = _billed(bench, before)
    assert [provider for provider, _ in billed] == ["bfl", "openai"]
    assert row["cost_usd"] == pytest.approx(sum(usd for _, usd in billed))
    assert row["credits_charged"] == 1


async def test_what_was_ordered_is_fetched_from_whoever_took_the_order(bench: Bench) -> None:
    _order(bench, bmn_backoff_scale=0)
    bench.sandbox.fault("bfl", op="poll", **REFUSED)
    before = bench.sandbox.ledger()
    waiting = await _attempt(bench)
    assert (waiting["state"], waiting["attempt"]) == ("queued", 0)
    assert (await bench.units(waiting["id"]))["logo-0"]["state"] == "submitted"
    assert await bench.core.db.read(lambda conn: queue_store.get_pause(conn, LOGOS)) is None
    assert await bench.core.db.read(lambda conn: in_service(conn, bench.core.settings, get_queue(LOGOS))) == "openai"

    bench.sandbox.clear()
    row = await bench.attempt(LOGOS)
    assert (row["state"], _made(row), [name for name, _ in _billed(bench, before)]) == (
        "completed", Counter(bfl=1), ["bfl"],
    )  # fmt: skip


async def test_what_a_provider_refuses_to_hand_out_for_longer_than_it_keeps_it_is_lost_and_made_by_the_next_one(
    bench: Bench,
) -> None:
    _order(bench, bmn_backoff_scale=0)
    bench.sandbox.fault("bfl", op="poll", **REFUSED)
    before = bench.sandbox.ledger()
    waiting = await _attempt(bench)
    await bench.core.db.write(lambda conn: _make_old(conn, waiting["id"]))
    assert (await bench.attempt(LOGOS))["state"] == "queued"
    _order(bench)
    await _note_again(bench, probe_in=60.0)
    row = await bench.attempt(LOGOS)
    assert (_made(row), row["credits_charged"]) == (Counter(openai=1), 1)
    assert (await bench.units(row["id"]))["logo-0"]["ambiguous"] == 1
    billed = _billed(bench, before)
    assert row["cost_usd"] == pytest.approx(sum(usd for _, usd in billed)) and len(billed) == 2


def _make_old(conn: Connection, job_id: str) -> None:
    ago = job_units.c.updated_at - 601.0
    conn.execute(update(job_units).where(job_units.c.job_id == job_id).values(updated_at=ago))


@pytest.mark.parametrize(
    ("queue", "payload", "first", "second"),
    [("mockup-generation", mockup, "openai", "google"), ("bundle-composition", bundle, "google", "openai")],
)
async def test_mockups_and_bundles_have_a_second_one_too(
    bench: Bench, queue: str, payload: Any, first: str, second: str
) -> None:
    _order(bench)
    bench.sandbox.fault(first, **REFUSED)
    row = await _attempt(bench, queue, **await payload(bench))
    assert (row["state"], _made(row)) == ("completed", Counter({second: 1}))


async def test_what_jobs_and_kits_are_expected_to_cost_is_the_price_of_whoever_serves(bench: Bench) -> None:
    """A budget holds it for what is in line. With keys, since the sandbox costs nothing; nobody is asked."""
    _order(bench, bfl_api_key=SecretStr("a-key"), openai_api_key=SecretStr("another-key"))
    expected = []
    for out in (False, True):
        if out:
            why = {"cause": Cause.PROVIDER_AUTH, "reason": "refused", "probe_in": 60.0}
            await bench.core.db.write(partial(outage_store.note, queue=LOGOS, provider="bfl", **why))
        job = await bench.row(await bench.submit(LOGOS, **await logos(bench)))
        await cancel(bench.core, job["id"], ANA)
        again = await bench.row(str((await retry(bench.core, job["id"], ANA)).job_id))
        body = KitBody(brand_id=bench.brand.id, count=1, pick=1, products=["mug"], without=["bundle", "video"])
        kit, _ = await course.start(bench.core, ANA, body)
        (first,) = [row for row in await bench.jobs_of(LOGOS) if row["group_id"] == kit.id]
        expected.append([job["usd_estimated"], again["usd_estimated"], first["usd_estimated"], kit.usd_estimated])
    bfl, openai = 0.03, 0.17
    assert expected[0][:3] == pytest.approx([bfl] * 3)
    assert expected[1] == pytest.approx([openai] * 3 + [expected[0][3] + openai - bfl])


@pytest.mark.parametrize("name", ["openai", "google"])
async def test_a_refinement_starts_from_the_given_logo_whoever_makes_it(bench: Bench, name: str) -> None:
    _order(bench, f"{LOGOS}={name}")
    given = {
        "previousLogoUrl": await bench.asset("logo", png("red")),
        "isRefinement": True,
        "refinementNotes": "bolder",
    }
    row = await _attempt(bench, **{**await logos(bench), **given})
    assert _made(row) == Counter({name: 1})
    assert await stored(bench, _assets(row)[0])


async def test_an_alert_says_who_makes_them_while_the_first_one_is_out(bench: Bench) -> None:
    _order(bench)
    bench.sandbox.fault("bfl", **REFUSED)
    await _attempt(bench)
    await alert_finders.look(bench.core)
    found = await bench.core.db.read(lambda conn: alert_store.listed(conn, kind=alert_finders.PROVIDER_OUT))
    (alert,) = found
    assert alert.subject == LOGOS
    assert alert.message.startswith(
        "openai makes what logo-generation orders, as bfl is out: Black Forest Labs refuses"
    )


async def test_whoever_resumes_the_queue_has_the_first_one_asked_at_once(bench: Bench) -> None:
    _order(bench)
    bench.sandbox.fault("bfl", **REFUSED)
    await _attempt(bench)
    bench.sandbox.clear()
    await bench.core.db.write(lambda conn: queue_store.resume(conn, LOGOS, by="ana"))
    assert _made(await _attempt(bench)) == Counter(bfl=1)
