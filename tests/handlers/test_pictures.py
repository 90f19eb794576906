"""Logos, and the pictures that are brought home or made small."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import SecretStr

from bmn.mime import mime_of
from bmn.providers.packets import find
from bmn.storage import object_key
from tests.handlers.orders import stored, video
from tests.kit.bench import Bench
from tests.kit.pictures import png
from tests.kit.wire import Wire, answer, wire

__all__ = ["wire"]

LOGOS = {"brandName": "Acme", "logoStyle": "bold", "colorPalette": ["#112233"], "brandVision": "Bold tools."}


async def test_a_refinement_sends_the_logo_that_it_changes(bench: Bench) -> None:
    before = len(bench.sandbox.ledger("bfl"))
    first = await bench.run("logo-generation", **LOGOS, count=1)
    url = first["result"]["logos"][0]["url"]
    notes = {"isRefinement": True, "previousLogoUrl": url, "refinementNotes": "Make it green"}
    second = await bench.run("logo-generation", **LOGOS, count=1, **notes)
    assert (second["state"], second["error"]) == ("completed", None)
    assert [row["usd"] for row in bench.sandbox.ledger("bfl")[before:]] == [0.03, 0.045]


async def test_three_of_four_logos_are_a_partial_job_and_a_refund(bench: Bench) -> None:
    bench.sandbox.fault("bfl", moderate=1)
    row = await bench.run("logo-generation", **LOGOS, count=4)
    assert (row["state"], row["credits_charged"], len(row["result"]["logos"])) == ("partial", 3, 3)
    assert row["cause"] == "moderated" and row["error"], "lists and groups know a partial job by what was refused"
    assert (await bench.balance()).remaining == 47


@pytest.mark.parametrize("declined", [0, 1])
async def test_a_jobs_status_only_goes_forward(bench: Bench, declined: int) -> None:
    if declined:
        bench.sandbox.fault("bfl", moderate=declined)
    row = await bench.run("logo-generation", **LOGOS, count=4)
    shown = [event["status"] for event in await bench.events(row["id"], "job:progress")]
    order = ["queued", "composing", "generating", "uploading", "saving"]
    assert [order.index(status) for status in shown] == sorted(order.index(status) for status in shown)
    assert shown[-1] == "saving"


async def test_a_retry_pays_only_for_what_is_missing(bench: Bench) -> None:
    before = len(bench.sandbox.ledger("bfl"))
    bench.sandbox.fault("bfl", op="download", status=500, times=1)
    row = await bench.run("logo-generation", **LOGOS, count=4)
    assert (row["state"], row["attempt"]) == ("completed", 2)
    assert len(bench.sandbox.ledger("bfl")) == before + 4


@pytest.mark.parametrize("kind", ["picture", pytest.param("film", marks=pytest.mark.full)])
async def test_what_was_made_gets_a_thumbnail(bench: Bench, kind: str) -> None:
    if kind == "film":
        made = (await bench.run("video-generation", **await video(bench)))["result"]["asset"]
    else:
        made = (await bench.run("logo-generation", **LOGOS, count=1))["result"]["logos"][0]
    row = await bench.attempt("image-upload")
    assert (row["state"], row["error"]) == ("completed", None)
    assert row["payload"]["assetId"] == made["id"]
    small = await stored(bench, {"url": row["result"]["thumbnailUrl"]})
    assert max(Image.open(io.BytesIO(small)).size) == 512
    assert made["metadata"]["provenance"] == {"madeBy": "sandbox", "signed": False}
    assert [
        b"digitalsourcetype/algorithmicMedia" in find(data).packet for data in (await stored(bench, made), small)
    ] == [True, True]


async def test_a_generators_picture_has_its_thumbnail_at_once_and_a_lost_one_is_made_again(bench: Bench) -> None:
    made = (await bench.run("logo-generation", **LOGOS, count=1))["result"]["logos"][0]
    key = bench.core.storage.key_of(made["thumbnail_url"])
    assert key is not None
    await bench.core.storage.delete(key)
    row = await bench.attempt("image-upload")
    assert row["state"] == "completed"
    assert row["result"]["thumbnailUrl"] != made["thumbnail_url"]
    assert await stored(bench, {"url": row["result"]["thumbnailUrl"]})


_FOLDER = Path(__file__).parents[1] / "providers/signed"
_SIGNED = {suffix: (_FOLDER / f"signed{suffix}").read_bytes() for suffix in (".png", ".jpg", ".webp")}


@pytest.mark.parametrize("suffix", _SIGNED)
async def test_a_picture_that_its_vendor_has_signed_is_stored_to_the_byte(
    bench: Bench, wire: Wire, suffix: str
) -> None:
    signed = _SIGNED[suffix]
    task = {"id": "task-1", "polling_url": f"{wire.url}/v1/get_result?id=task-1", "cost": 3}
    ready = {"id": "task-1", "status": "Ready", "result": {"sample": f"{wire.url}/picture{suffix}"}}
    wire.answers = [answer(json.dumps(task).encode()), answer(json.dumps(ready).encode())]
    wire.answers.append(answer(signed, content_type="application/octet-stream"))
    theirs = {"bfl_api_key": SecretStr("a-key-of-theirs"), "bfl_base_url": wire.url}
    bench.core.settings = bench.core.settings.model_copy(update=theirs)
    row = await bench.run("logo-generation", **LOGOS, count=1)
    assert (row["state"], row["error"]) == ("completed", None)
    (made,) = row["result"]["logos"]
    assert await stored(bench, made) == signed
    assert made["metadata"]["provenance"] == {
        "madeBy": "Black Forest Labs", "model": "flux-2-pro", "signed": True, "signer": "Acme Pictures",
    }  # fmt: skip


def upload(**fields: Any) -> dict[str, Any]:
    return {"assetType": "social_asset", "fileName": "../../etc/passwd", **fields}


async def test_a_picture_at_an_allowed_address_becomes_an_asset(bench: Bench, wire: Wire) -> None:
    picture = Image.open(io.BytesIO(png("teal", 600)))
    exif = Image.Exif()
    exif[0x010F] = "secret-camera"
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", exif=exif)
    wire.answers = [answer(buffer.getvalue(), content_type="image/jpeg")]
    bench.core.settings = bench.core.settings.model_copy(update={"bmn_sandbox_url": wire.url})
    row = await bench.run("image-upload", **upload(sourceUrl=f"{wire.url}/photo.jpg"))
    assert (row["state"], row["error"]) == ("completed", None)
    asset = row["result"]["asset"]
    assert asset["asset_type"] == "social_asset"
    assert "passwd" not in asset["url"]
    data = await stored(bench, asset)
    assert mime_of(data) == "image/jpeg"
    assert b"secret-camera" not in data
    assert (await bench.attempt("image-upload"))["state"] == "completed"  # its thumbnail


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/x", "https://localhost/x.png", "file:///etc/passwd", "https://[::ffff:7f00:1]/x"]
)
async def test_an_address_inside_is_not_visited(bench: Bench, url: str) -> None:
    if url.startswith("file"):
        with pytest.raises(ValueError, match="URL"):
            await bench.submit("image-upload", **upload(sourceUrl=url))
        return
    row = await bench.run("image-upload", **upload(sourceUrl=url))
    assert (row["state"], row["cause"], row["attempt"]) == ("failed", "bad_input", 1)


@pytest.mark.parametrize(
    "key",
    [
        object_key("another", "logo", "image/png", "picture"),
        "brands/../../etc/passwd",
        "../objects",
        "brands/%2e%2e/x/y",
    ],
)
async def test_an_object_of_another_brand_or_none_is_not_read(bench: Bench, key: str) -> None:
    row = await bench.run("image-upload", **upload(storageKey=key))
    assert (row["state"], row["cause"]) == ("failed", "bad_input")
