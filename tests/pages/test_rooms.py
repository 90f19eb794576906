"""A brand's rooms: what each shows and orders, for how much, and what is done with some of its pictures at once."""

import io
import re
import zipfile
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import update

from bmn.db import tables, transitions
from bmn.db.library import brand_store
from bmn.db.records import BrandRow, StoredEvent
from bmn.errors import Cause
from bmn.schemas.generators import KINDS
from bmn.server.pages import job_course, steps
from bmn.server.pages.brand_page import STYLES
from bmn.server.pages.brand_rooms import ROOMS, Offer
from tests.kit.api import Api, sign_in
from tests.kit.jobs import add_asset, claim, everything, fail
from tests.kit.people import ANA, BEN
from tests.kit.rows import add_event

KEY = {"key": "k" * 20}
PNG = b"\x89PNG\r\n\x1a\n"


async def brand_with(api: Api, *types: str, name: str = "Acme") -> tuple[str, list[str]]:
    """A brand of Ana's with one picture of each type, oldest first."""
    client = api.as_user(ANA)
    brand = await api.brand(client, name)
    job = await api.logos(client, brand)
    made = []
    for place, kind in enumerate(types):
        metadata = {"index": place, "product_name": f"Mug {place}"} if kind != "logo" else {"index": place}
        made.append(await add_asset(api.core, brand, job, PNG + bytes([place]), asset_type=kind, metadata=metadata))
    return brand, made


async def jobs_of(client: httpx.AsyncClient, queue: str) -> list[dict[str, Any]]:
    found = (await client.get("/api/v1/jobs")).json()["jobs"]
    listed = [job["jobId"] for job in found if job["queueName"] == queue]
    return [(await client.get(f"/api/v1/jobs/{each}")).json()["payload"] for each in listed]


def test_each_room_has_its_generator_and_each_step_and_style_its_words() -> None:
    assert {room.kind.name for room in ROOMS.values()} <= set(KINDS), "others hang in the first room"
    assert [step.name for step in steps.STEPS] == list(KINDS["wizard"].payload.model_fields["step"].annotation.__args__)
    assert set(STYLES) == {"bundles", "films"}


async def test_a_look_that_a_step_suggests_waits_for_a_press(api: Api, ana: httpx.AsyncClient) -> None:
    brand = await api.brand(ana, "Acme", colorPalette=["#6F4E37"], logoStyle="modern")
    ordered = await ana.post(f"/g/{brand}/words", data={**KEY, "step": "customization"})
    job_id = ordered.headers["location"].rpartition("/")[2]
    proposal = {"proposed": {"colorPalette": ["#2D6A4F"]}, "proposal": "green instead of brown"}
    await api.core.db.write(
        lambda conn: conn.execute(update(tables.jobs).where(tables.jobs.c.id == job_id).values(result=proposal))
    )
    room = f"/g/{brand}/words"
    assert "It suggests green (#2D6A4F) instead of brown (#6F4E37). Acme keeps its look" in (await ana.get(room)).text
    ben = await sign_in(api, BEN)
    stranger = await ben.post(f"/g/job/{job_id}/look", data={"back": room})
    assert stranger.status_code == 404
    pressed = await ana.post(f"/g/job/{job_id}/look", data={"back": room})
    assert (pressed.status_code, pressed.headers["location"]) == (303, room)
    assert (await ana.get(f"/api/v1/brands/{brand}")).json()["colorPalette"] == ["#2D6A4F"]
    assert "It suggests" not in (await ana.get(room)).text


async def test_a_style_for_some_logos_is_the_brands_only_where_that_is_ticked(api: Api, ana: httpx.AsyncClient) -> None:
    brand = await api.brand(ana, "Acme", colorPalette=["#6F4E37"], logoStyle="modern")
    form = {**KEY, "style": "bold", "count": "1"}
    for ticked, style in (({}, "modern"), ({"look": "change"}, "bold")):
        assert (await ana.post(f"/g/{brand}/logos", data={**form, **ticked})).status_code == 303
        assert (await ana.get(f"/api/v1/brands/{brand}")).json()["logoStyle"] == style


async def test_each_picture_hangs_in_its_room_alone(api: Api, ana: httpx.AsyncClient) -> None:
    brand, made = await brand_with(api, "logo", "mockup", "bundle", "video")
    for room, picture in zip(("logos", "products", "bundles", "films"), made, strict=True):
        page = (await ana.get(ROOMS[room].path(brand))).text
        hung = re.findall(r'name="of" value="([^"]+)"', page)
        assert hung == [picture], room
        assert f'{ROOMS[room].title} <span class="quiet">1</span>' in page
    words = (await ana.get(f"/g/{brand}/words")).text
    assert all(step.title in words for step in steps.STEPS)


async def test_every_button_that_costs_says_how_much(api: Api, ana: httpx.AsyncClient) -> None:
    brand, _ = await brand_with(api, "logo", "mockup", "mockup")
    said = {
        "/": "Make four logos · 4 credits",
        f"/g/{brand}": "Make four logos · 4 credits",
        f"/g/{brand}/products": "Make pictures · 1 credit each",
        f"/g/{brand}/bundles": "Make the bundle · 2 credits",
        f"/g/{brand}/films": "Make the film · 5 credits",
        f"/g/{brand}/words": "Look around · 1 credit",
    }
    for path, words in said.items():
        assert words in (await ana.get(path)).text, path
    assert Offer(2, 9.6).told(2) == "4 credits · about 9 s" and Offer(1, None).told() == "1 credit"


async def test_the_way_from_a_logo_to_a_film(api: Api, ana: httpx.AsyncClient) -> None:
    brand, (logo, other, *mockups) = await brand_with(api, "logo", "logo", "mockup", "mockup")
    await ana.post(f"/g/asset/{logo}/pick", data={"back": f"/g/{brand}"})
    assert "Put it on a mug" in (await ana.get(f"/g/{brand}")).text
    ordered = {"product": ["mug", "t-shirt", "tote-bag"], **KEY}
    landed = await ana.post(f"/g/{brand}/products", data=ordered)
    assert (landed.status_code, landed.headers["location"]) == (303, f"/g/{brand}/products")
    assert (await ana.post(f"/g/{brand}/products", data=ordered)).status_code == 303, "once, however often"
    assert "Put it on a mug" not in (await ana.get(f"/g/{brand}")).text, "it is done"
    await ana.post(f"/g/asset/{other}/pick", data={"back": f"/g/{brand}"})
    assert "Put it on a mug" in (await ana.get(f"/g/{brand}")).text, "not with this one"
    await ana.post(f"/g/asset/{logo}/pick", data={"back": f"/g/{brand}"})
    made = await jobs_of(ana, "mockup-generation")
    picked = (await ana.get(f"/api/v1/assets/{logo}")).json()["url"].partition("?")[0]
    assert sorted(job["productName"] for job in made) == ["Mug", "T-shirt", "Tote bag"]
    assert {job["logoUrl"] for job in made} == {picked} and other not in picked
    page = (await ana.get(f"/g/{brand}/products")).text
    assert page.count('class="frame empty coming"') == 3 and page.count("data-live") == 6, (
        "tiles, and lines of the list"
    )
    bundle = {"picture": mockups, "style": "flatlay", "name": "Morning set", "key": "of the bundle"}
    assert (await ana.post(f"/g/{brand}/bundles", data=bundle)).headers["location"].startswith("/g/job/bundle-")
    (asked,) = await jobs_of(ana, "bundle-composition")
    assert (asked["bundleName"], asked["compositionStyle"], len(asked["productMockupUrls"])) == (
        "Morning set",
        "flatlay",
        2,
    )
    film = {"picture": mockups[0], "style": "unboxing", "seconds": "6", "key": "of the film"}
    assert (await ana.post(f"/g/{brand}/films", data=film)).headers["location"].startswith("/g/job/video-")
    (asked,) = await jobs_of(ana, "video-generation")
    assert (asked["productName"], asked["videoStyle"], asked["durationSeconds"]) == ("Mug 2", "unboxing", 6)


async def test_a_step_of_the_conversation_takes_the_founders_words(api: Api, ana: httpx.AsyncClient) -> None:
    brand, _ = await brand_with(api)
    landed = await ana.post(f"/g/{brand}/words", data={**KEY, "step": "brand-identity", "wishes": "For early risers"})
    job = landed.headers["location"].rpartition("/")[2]
    said = "**Warm**, and dry."
    await api.core.db.write(lambda conn: add_event(conn, job, "agent:message", content=said))
    page = (await ana.get(f"/g/{brand}/words")).text
    assert "For early risers" in page and "Warm, and dry." in page and f'data-job="{job}"' in page


async def test_orders_that_cannot_be_are_refused_in_words(api: Api, ana: httpx.AsyncClient) -> None:
    brand, (mockup,) = await brand_with(api, "mockup")
    _, (foreign,) = await brand_with(api, "mockup", name="Other")
    before = await api.core.db.read(everything)
    refused = (
        ("products", {"product": ["mug"]}, "There is no logo yet"),
        ("products", {"product": ["yacht"]}, "There is no logo yet"),
        ("bundles", {"style": "grid", "picture": [mockup]}, "two to ten products"),
        ("bundles", {"style": "grid", "picture": [mockup, foreign]}, "no such picture"),
        ("bundles", {"style": "baroque", "picture": [mockup, mockup]}, "two to ten products"),
        ("films", {"style": "showcase", "picture": foreign}, "no such picture"),
        ("films", {"style": "baroque", "picture": mockup}, "cannot be used"),
        ("words", {"step": "dance"}, "cannot be used"),
    )
    for room, data, words in refused:
        answer = await ana.post(f"/g/{brand}/{room}", data={**KEY, **data})
        assert answer.status_code in (400, 404) and words in answer.text, (room, data, answer.text)
    assert await api.core.db.read(everything) == before


async def test_favorites_hang_first_and_the_picked_before_them(api: Api, ana: httpx.AsyncClient) -> None:
    brand, (first, second, third) = await brand_with(api, "logo", "logo", "logo")
    await ana.post(f"/g/asset/{first}/favorite", data={"back": f"/g/{brand}"})
    await ana.post(f"/g/asset/{second}/pick", data={"back": f"/g/{brand}"})
    page = (await ana.get(f"/g/{brand}")).text
    assert re.findall(r'name="of" value="([^"]+)"', page) == [second, first, third]
    assert page.count('aria-pressed="true"') == 1
    await ana.post(f"/g/asset/{first}/favorite", data={"back": f"/g/{brand}", "on": "false"})
    assert 'aria-pressed="true"' not in (await ana.get(f"/g/{brand}")).text


async def test_all_or_some_pictures_come_in_one_file_with_names(api: Api, ana: httpx.AsyncClient) -> None:
    brand, made = await brand_with(api, "logo", "mockup", "mockup", name="Ácme & Söhne")
    answer = await ana.get(f"/g/{brand}/pictures.zip")
    assert answer.headers["content-type"] == "application/zip"
    packed = zipfile.ZipFile(io.BytesIO(answer.content))
    assert packed.testzip() is None and sorted(packed.namelist()) == [
        "ácme-söhne/logos/ácme-söhne-logo-1.png",
        "ácme-söhne/mockups/ácme-söhne-mockup-1-mug-1.png",
        "ácme-söhne/mockups/ácme-söhne-mockup-2-mug-2.png",
    ]
    assert packed.read("ácme-söhne/logos/ácme-söhne-logo-1.png") == PNG + bytes([0])
    some = await ana.get(f"/g/{brand}/pictures.zip", params={"of": made[1:2]})
    assert len(zipfile.ZipFile(io.BytesIO(some.content)).namelist()) == 1
    empty, _ = await brand_with(api, name="Empty")
    assert (await ana.get(f"/g/{empty}/pictures.zip")).status_code == 404


async def test_chosen_pictures_stand_side_by_side_and_behind_one_link(api: Api, ana: httpx.AsyncClient) -> None:
    brand, made = await brand_with(api, "logo", "logo", "mockup")
    page = (await ana.get(f"/g/{brand}/compare", params={"of": made[:2]})).text
    assert page.count("data-big=") == 2 and page.count('class="trio"') == 2
    shared = (await ana.post(f"/g/{brand}/share", data={"of": made[1:]})).text
    (url,) = re.findall(r'value="(http[^"]*/s/[^"]+)"', shared)
    friend = api.anonymous()
    shown = await friend.get(url)
    assert shown.status_code == 200 and shown.text.count("data-big=") == 2 and "<form" not in shown.text
    assert made[0] not in shown.text and ANA not in shown.text
    token = url.rpartition("/")[2]
    for bad in (
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token.replace("share-", ""),
        token.replace("share-", "chosen-"),
        "chosen-.1.x",
        "chosen-!",
    ):
        assert (await friend.get(f"/s/{bad}")).status_code == 404, bad
        assert (await friend.get(f"/api/v1/shared/{bad}")).status_code == 404, bad
    assert (await ana.post(f"/g/{brand}/share", data={"of": [str(uuid4())]})).status_code == 404


async def test_the_look_is_changed_and_kept(api: Api, ana: httpx.AsyncClient) -> None:
    brand, _ = await brand_with(api)
    look = {
        "style": "vintage",
        "color": ["#112233", "#AABBCC"],
        "vision": "Slow",
        "archetype": "",
        "back": f"/g/{brand}",
    }
    assert (await ana.post(f"/g/{brand}/look", data=look)).status_code == 303

    def kept() -> Any:
        return api.core.db.read(lambda conn: brand_store.get(conn, brand))

    row: BrandRow = await kept()
    assert (row.logo_style, row.color_palette, row.vision, row.archetype) == (
        "vintage",
        ["#112233", "#AABBCC"],
        "Slow",
        None,
    )
    assert "#112233" in (await ana.get(f"/g/{brand}")).text
    for wrong in ({"style": "baroque"}, {"color": ["red"]}):
        assert (await ana.post(f"/g/{brand}/look", data={**look, **wrong})).status_code == 400
    assert await kept() == row


async def test_nobody_else_sees_or_presses_anything(api: Api) -> None:
    brand, (logo, mockup) = await brand_with(api, "logo", "mockup", name="Zanzibar")
    ben = await sign_in(api, BEN)
    before = await api.core.db.read(everything)
    for path in ("products", "bundles", "films", "words", "compare", "pictures.zip", f"compare?of={logo}"):
        assert (await api.anonymous().get(f"/g/{brand}/{path}")).status_code == 401, path
        answer = await ben.get(f"/g/{brand}/{path}")
        assert answer.status_code == 404 and "Zanzibar" not in answer.text, path
    presses: tuple[tuple[str, dict[str, Any]], ...] = (
        (f"/g/{brand}/products", {**KEY, "product": ["mug"]}),
        (f"/g/{brand}/bundles", {**KEY, "style": "grid", "picture": [mockup, logo]}),
        (f"/g/{brand}/films", {**KEY, "style": "minimal", "picture": mockup}),
        (f"/g/{brand}/words", {**KEY, "step": "brand-identity"}),
        (f"/g/{brand}/look", {"style": "bold", "color": ["#112233"]}),
        (f"/g/{brand}/share", {"of": [logo]}),
        (f"/g/asset/{logo}/favorite", {}),
    )
    for path, data in presses:
        assert (await ben.post(path, data=data)).status_code == 404, path
        del ben.headers["Sec-Fetch-Site"]
        assert (await ben.post(path, data=data, headers={"Sec-Fetch-Site": "cross-site"})).status_code == 403, path
        ben.headers["Sec-Fetch-Site"] = "same-origin"
    assert await api.core.db.read(everything) == before


async def test_a_failing_job_shows_its_attempts_and_when_the_next_one_begins(api: Api, ana: httpx.AsyncClient) -> None:
    client = api.as_user(ANA)
    job = await api.logos(client, await api.brand(client))
    row = await claim(api.core, job)
    failed = {"delay": 60.0, "cause": Cause.PROVIDER_OVERLOADED, "error": "bfl is not well", "retries_left": 2}
    assert await api.core.db.write(lambda conn: transitions.retry(conn, row, **failed))
    page = (await ana.get(f"/g/job/{job}")).text
    assert "Attempt 1 failed" in page and "<span>Our image service had an outage.</span>" in page
    assert re.search(r'data-in="(59|60)\.\d">Next try in (59 s|1 m)\.', page) and "bfl" not in page


async def test_no_page_of_a_founder_asks_for_a_terminal_or_begins_with_an_id(api: Api, ana: httpx.AsyncClient) -> None:
    brand, _ = await brand_with(api, "logo", "mockup", "mockup")
    failed = await api.logos(api.as_user(ANA), brand)
    await fail(api.core, await claim(api.core, failed), Cause.STORAGE_FAILED)
    rooms = [room.path(brand) for room in ROOMS.values()]
    for path in ("/", *rooms, f"/g/job/{failed}", f"/g/{brand}/compare", "/g/nonsense"):
        page = (await ana.get(path)).text
        words = re.sub(r"<[^>]+>", " ", page.partition("<main")[2].partition("<footer")[0])
        assert not re.search(r"\bbmn [a-z]+|`", words), path
        before, _, _ = words.partition(failed)
        assert failed not in words or "Everything that happened" in before, path
    spent = await api.anonymous().post("/signin/local", data={"back": "/"}, headers={"Origin": "http://evil.example"})
    assert spent.status_code == 403 and "`bmn" not in spent.text


def event(seq: int, name: str, **payload: Any) -> StoredEvent:
    return StoredEvent("job", seq, name, payload, 100.0 + seq)


def test_attempts_and_shares_are_read_from_what_a_job_has_told() -> None:
    told = [
        event(1, "job:progress", status="queued", message="Waiting in line"),
        event(2, "job:progress", message="Logo 1: 40%", logoIndex=0, attempt=1),
        event(3, "job:progress", message="Logo 3: saving", logoIndex=2, attempt=1),
        event(9, "job:failed", cause="timeout", retriesLeft=1),
        event(12, "job:progress", message="Logo 1: 20%", logoIndex=0, attempt=2),
    ]
    assert job_course.shares(told) == {0: 40, 2: 90}, "no share falls"
    first, second = job_course.attempts(told)
    assert (first.state, first.took, first.text) == ("failed", "7 s", "This took longer than it may.")
    assert (second.state, second.took) == ("running", "")


@pytest.mark.parametrize(
    ("passed", "words"),
    [(2.0, "about 8 s left"), (9.5, "longer than usual"), (14.0, "longer than usual")],
)
def test_the_time_left_is_true_or_says_that_it_is_not(passed: float, words: str) -> None:
    assert job_course.Left(passed, usual=10.0).text == words
