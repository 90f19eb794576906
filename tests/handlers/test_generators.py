"""Mockups, bundles and videos: made, stored, paid once, whatever comes between."""

import io
from typing import Any

import av
import pytest
from PIL import Image, ImageDraw

from bmn.db.keeping import orphans
from bmn.db.library import brand_store
from bmn.db.operators import queue_store
from bmn.signing import Signer
from bmn.storage import object_key
from tests.handlers.orders import bundle, logos, mockup, stored, video
from tests.kit.bench import Bench
from tests.kit.people import BEN
from tests.kit.pictures import png

# queue, how its payload is made, the sandbox's provider, credits, the unit
KINDS = [
    pytest.param("mockup-generation", mockup, "openai", 1, "mockup", id="mockup"),
    pytest.param("bundle-composition", bundle, "google", 2, "bundle", id="bundle"),
    pytest.param("video-generation", video, "google", 5, "video", id="video", marks=pytest.mark.full),
]
every_kind = pytest.mark.parametrize(("queue", "payload", "provider", "price", "unit"), KINDS)


@every_kind
async def test_it_is_made_stored_and_paid_once(
    bench: Bench, queue: str, payload: Any, provider: str, price: int, unit: str
) -> None:
    before = len(bench.sandbox.ledger(provider))
    row = await bench.run(queue, **await payload(bench))
    assert (row["state"], row["error"]) == ("completed", None)
    assert row["credits_charged"] == price
    assert (await bench.balance()).used == price
    billed = bench.sandbox.ledger(provider)[before:]
    assert len(billed) == 1
    assert row["cost_usd"] == pytest.approx(billed[0]["usd"])
    asset = row["result"]["asset"]
    assert asset["asset_type"] == unit
    data = await stored(bench, asset)
    if unit == "video":
        with av.open(io.BytesIO(data)) as film:
            assert float((film.duration or 0) / 1e6) == pytest.approx(3, abs=0.2)
    else:
        assert Image.open(io.BytesIO(data)).format in ("PNG", "JPEG", "WEBP")
    shown = [event["progress"] for event in await bench.events(row["id"], "job:progress")]
    assert shown == sorted(shown)
    assert len(str(await bench.events(row["id"]))) < 20_000  # nothing large in an event


async def test_what_was_asked_is_in_the_books_however_the_attempt_ends(bench: Bench) -> None:
    """Calls that went well are written with the unit's next step; where none follows, at the end."""
    before = len(bench.sandbox.ledger("bfl"))
    bench.sandbox.fault("bfl", image="notimage", times=1)
    row = await bench.run("logo-generation", **await logos(bench))
    called = [(call["operation"], call["outcome"]) for call in await bench.calls(row["id"])]
    assert row["state"] == "completed"
    assert row["attempt"] == called.count(("wait", "ok")) == called.count(("download", "ok")) == 2
    assert called.count(("submit", "ok")) == len(bench.sandbox.ledger("bfl")) - before
    assert sum(call["usd"] for call in await bench.calls(row["id"])) == pytest.approx(row["cost_usd"])


async def test_a_mockup_shows_the_logo_that_was_sent(bench: Bench) -> None:
    logo = Image.new("RGB", (256, 256), "white")
    ImageDraw.Draw(logo).ellipse((40, 40, 216, 216), fill=(220, 20, 20))
    buffer = io.BytesIO()
    logo.save(buffer, "PNG")
    url = await bench.asset("logo", buffer.getvalue())
    row = await bench.run("mockup-generation", **await mockup(bench, logoUrl=url))
    picture = Image.open(io.BytesIO(await stored(bench, row["result"]["asset"]))).convert("RGB")
    small = picture.resize((128, 128))
    assert any(r > 150 and g < 60 and b < 60 for r, g, b in small.get_flattened_data())


async def test_the_first_word_of_an_attempt_is_told_however_soon_the_next_one_follows(bench: Bench) -> None:
    row = await bench.run("logo-generation", **await logos(bench))
    told = [event["message"] for event in await bench.events(row["id"], "job:progress")]
    assert "Composing logo prompts" in told


async def test_partial_pictures_move_the_bar(bench: Bench) -> None:
    row = await bench.run("mockup-generation", **await mockup(bench))
    assert len(await bench.events(row["id"], "job:progress")) >= 3


@every_kind
async def test_a_lost_answer_is_asked_for_once_more_and_charged_once(
    bench: Bench, queue: str, payload: Any, provider: str, price: int, unit: str
) -> None:
    before = len(bench.sandbox.ledger(provider))
    op = {"op": "video"} if unit == "video" else {}
    bench.sandbox.fault(provider, dropResponse=True, times=1, **op)
    row = await bench.run(queue, **await payload(bench))
    assert (row["state"], row["credits_charged"]) == ("completed", price)
    assert len(bench.sandbox.ledger(provider)) == before + 2
    assert (await bench.units(row["id"]))[unit]["ambiguous"] == 1


@every_kind
@pytest.mark.parametrize(
    ("effect", "cause"), [({"dropResponse": True}, "provider_timeout"), ({"garbage": "html"}, "provider_garbage")]
)
async def test_answers_that_stay_lost_are_asked_for_twice_and_no_more(
    bench: Bench, queue: str, payload: Any, provider: str, price: int, unit: str, effect: dict[str, Any], cause: str
) -> None:
    """In as many attempts as there are questions; what came and could not be read is not told as silence."""
    before = len(bench.sandbox.ledger(provider))
    op = {"op": "video"} if unit == "video" else {}
    bench.sandbox.fault(provider, **effect, **op)
    row = await bench.run(queue, **await payload(bench))
    assert (row["state"], row["cause"], row["credits_charged"]) == ("failed", cause, 0)
    assert row["attempt"] == 2
    assert len(bench.sandbox.ledger(provider)) == before + 2
    assert (await bench.balance()).remaining == 50


@every_kind
async def test_declined_content_is_refunded_and_not_repeated(
    bench: Bench, queue: str, payload: Any, provider: str, price: int, unit: str
) -> None:
    bench.sandbox.fault(provider, moderate=5)
    row = await bench.run(queue, **await payload(bench))
    assert (row["state"], row["cause"], row["attempt"]) == ("failed", "moderated", 1)
    assert (await bench.balance()).remaining == 50


@every_kind
async def test_an_outage_is_retried_and_billed_once(
    bench: Bench, queue: str, payload: Any, provider: str, price: int, unit: str
) -> None:
    before = len(bench.sandbox.ledger(provider))
    bench.sandbox.fault(provider, status=503, times=1)
    row = await bench.run(queue, **await payload(bench))
    assert (row["state"], row["attempt"]) == ("completed", 2)
    assert len(bench.sandbox.ledger(provider)) == before + 1


@pytest.mark.full
async def test_a_video_that_was_ordered_is_awaited_by_the_next_attempt(bench: Bench) -> None:
    before = len(bench.sandbox.ledger("google"))
    await bench.submit("video-generation", **await video(bench))
    bench.sandbox.fault("google", op="poll", status=401)
    row = await bench.attempt("video-generation")
    assert row["state"] != "failed"
    bench.sandbox.clear()
    await bench.core.db.write(lambda conn: queue_store.set_running(conn, "video-generation", by="test"))
    row = await bench.attempt("video-generation")
    assert row["state"] == "completed"
    assert len(bench.sandbox.ledger("google")) == before + 1


@pytest.mark.full
async def test_a_film_that_the_vendor_lost_is_ordered_once_more(bench: Bench) -> None:
    before = len(bench.sandbox.ledger("google"))
    bench.sandbox.fault("google", op="poll", status=404, times=1)
    row = await bench.run("video-generation", **await video(bench))
    assert (row["state"], row["credits_charged"]) == ("completed", 5)
    assert len(bench.sandbox.ledger("google")) == before + 2
    assert (await bench.units(row["id"]))["video"]["ambiguous"] == 1


async def test_a_picture_of_somebody_elses_brand_is_not_used(bench: Bench) -> None:
    other = await bench.core.db.write(lambda conn: brand_store.create(conn, BEN, {"name": "Bens"}))
    key = object_key(other.id, "logo", "image/png")
    await bench.core.storage.put(key, png(), "image/png")
    before = len(bench.sandbox.ledger("openai"))
    row = await bench.run("mockup-generation", **await mockup(bench, logoUrl=bench.core.storage.url_for(key)))
    assert (row["state"], row["cause"]) == ("failed", "bad_input")
    assert len(bench.sandbox.ledger("openai")) == before


@pytest.mark.parametrize("url", ["http://169.254.169.254/x.png", "https://localhost/x.png", "https://127.0.0.1/x.png"])
async def test_an_address_inside_is_not_visited(bench: Bench, url: str) -> None:
    row = await bench.run("mockup-generation", **await mockup(bench, logoUrl=url))
    assert (row["state"], row["cause"], row["attempt"]) == ("failed", "bad_input", 1)


async def test_a_rough_picture_is_told_small_and_goes_with_what_nobody_needs(bench: Bench) -> None:
    row = await bench.run("mockup-generation", **await mockup(bench))
    rough = [each["preview"] for each in await bench.events(row["id"], "job:progress") if "preview" in each]
    assert rough, "the provider sends some on the way"
    for url in rough:
        key = bench.core.storage.key_of(url)
        assert key is not None
        data = await bench.core.storage.get(key)
        with Image.open(io.BytesIO(data)) as picture:
            assert picture.format == "WEBP" and max(picture.size) <= 256
        assert len(data) < 20_000
        signed = bench.core.storage.key_of(
            Signer(bench.core.settings, bench.core.storage).sign_all({"preview": url})["preview"]
        )
        assert signed == key
        known = await bench.core.db.read(lambda conn, key=key: orphans.known_keys(conn, [key]))  # type: ignore[misc]
        assert not known, "the hourly cleanup takes it for what nobody needs"
