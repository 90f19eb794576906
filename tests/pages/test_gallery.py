"""What the pages show, to whom, and what their buttons do."""

import re
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import httpx
import pytest

from bmn.db import transitions
from bmn.errors import CAUSES, Cause
from bmn.identity.tokens import Principal, Role
from bmn.server.answers.share_links import share_job
from bmn.server.pages.statics import KINDS
from tests.kit.api import Api, sign_in
from tests.kit.jobs import add_asset, add_unit, claim, complete, everything, fail
from tests.kit.people import ANA, BEN
from tests.kit.rows import add_event

FORM = {"key": "k" * 20}
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'onmouseover='alert(1)",
    "</title><svg onload=alert(1)>",
    "{{ 7*7 }}{% raw %}",
    "javascript:alert(1)",
)


class _Tags(HTMLParser):
    """A page as a browser takes it apart."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


async def brand_and_job(api: Api, name: str = "Acme", user_id: str = ANA, **fields: Any) -> tuple[str, str]:
    client = api.as_user(user_id)
    brand = await api.brand(client, name)
    return brand, await api.logos(client, brand, **fields)


async def test_a_page_asks_strangers_to_sign_in(api: Api) -> None:
    brand, job = await brand_and_job(api, "Zanzibar")
    for path in ("/", f"/g/{brand}", f"/g/job/{job}", "/g/nonsense", "/dev/mail", "/dev/sandbox"):
        answer = await api.anonymous().get(path)
        assert answer.status_code == 401 and "Sign in" in answer.text and "Zanzibar" not in answer.text, path
        assert answer.headers["content-type"].startswith("text/html")


async def test_what_is_somebody_elses_looks_like_nothing(api: Api) -> None:
    brand, job = await brand_and_job(api, "Zanzibar")
    asset = await add_asset(api.core, brand, job)
    ben = await sign_in(api, BEN)
    looks = [(f"/g/{brand}", f"/g/{uuid4()}"), (f"/g/job/{job}", f"/g/job/logo-generation-{uuid4()}")]
    for foreign, absent in looks:
        told, nothing = await ben.get(foreign), await ben.get(absent)
        assert (told.status_code, told.text) == (404, nothing.text) and "Zanzibar" not in told.text
    presses = [
        (f"/g/{brand}/logos", FORM),
        (f"/g/asset/{asset}/pick", {}),
        (f"/g/asset/{asset}/refine", {**FORM, "notes": "x"}),
        *((f"/g/job/{job}/{action}", {}) for action in ("cancel", "retry", "share")),
    ]
    before = await api.core.db.read(everything)
    for path, data in presses:
        assert (await ben.post(path, data=data)).status_code == 404, path
    assert await api.core.db.read(everything) == before


async def test_another_site_presses_no_button(api: Api, ana: httpx.AsyncClient) -> None:
    brand, job = await brand_and_job(api)
    asset = await add_asset(api.core, brand, job)
    before = await api.core.db.read(everything)
    presses = [
        ("/g/new", {**FORM, "name": "Theirs"}),
        (f"/g/{brand}/logos", FORM),
        (f"/g/asset/{asset}/pick", {}),
        (f"/g/asset/{asset}/refine", {**FORM, "notes": "x"}),
        *((f"/g/job/{job}/{action}", {}) for action in ("cancel", "retry", "share")),
        ("/signout", {}),
    ]
    del ana.headers["Sec-Fetch-Site"]
    origins: list[dict[str, str]] = [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://127.0.0.1:1"},
        {},
    ]
    for path, data in presses:
        for headers in origins:
            assert (await ana.post(path, data=data, headers=headers)).status_code == 403, (path, headers)
    assert await api.core.db.read(everything) == before
    assert (await ana.get("/")).status_code == 200
    assert (await ana.post(f"/g/asset/{asset}/pick", data={}, headers={"Origin": api.url})).status_code == 303


async def test_looking_changes_nothing(api: Api, ana: httpx.AsyncClient) -> None:
    brand, job = await brand_and_job(api)
    await add_asset(api.core, brand, job)
    await ana.get("/")
    before = await api.core.db.read(everything)
    for path in ("/", "/g", f"/g/{brand}", f"/g/job/{job}", f"/g/job/{job}/cancel", f"/g/job/{job}/share", "/g/new"):
        await ana.get(path)
        await ana.head(path)
    assert await api.core.db.read(everything) == before


async def test_pages_run_nothing_that_is_not_ours(api: Api, ana: httpx.AsyncClient) -> None:
    brand, job = await brand_and_job(api)
    shared = (await api.as_user(ANA).post(f"/api/v1/jobs/{job}/share")).json()["url"]
    for path in ("/", f"/g/{brand}", f"/g/job/{job}", shared, "/signin", "/g/nonsense", "/docs"):
        answer = await ana.get(path)
        policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'" and policy["frame-ancestors"] == "'none'", path
        assert (policy["script-src"], policy["style-src"], policy["base-uri"]) == ("'self'", "'self'", "'none'")
        assert "unsafe" not in str(policy) and "*" not in str(policy)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == ("no-cache" if path == "/docs" else "no-store")
        assert not re.search(r"<script(?![^>]* src=\"/static/)|<style|\sstyle=|\son\w+=", answer.text), path
        assert all(
            url.startswith("/static/")
            for url in re.findall(r"<(?:script|link)[^>]*(?:src|href)=\"([^\"]*)", answer.text)
        )


async def test_static_files_are_kept_for_a_year_and_nothing_else_is_there(api: Api, ana: httpx.AsyncClient) -> None:
    found = re.findall(r"/static/[^\"]+", (await ana.get("/")).text)
    sheet = "".join([(await ana.get(path)).text for path in found if ".css" in path])
    found += re.findall(r"url\((/static/[^)]+)\)", sheet)
    of_operators = {"operators.css"}  # their pages alone ask for it
    assert {path.partition("?")[0].rpartition("/")[2] for path in found} == set(KINDS) - of_operators
    for path in found:
        answer = await api.anonymous().get(path)
        assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"]
    for path in ("/static/", "/static/..%2f__init__.py", "/static/statics.py"):
        assert (await api.anonymous().get(path)).status_code == 404


@pytest.mark.parametrize("text", HOSTILE)
async def test_names_and_texts_are_shown_as_they_are_written(api: Api, ana: httpx.AsyncClient, text: str) -> None:
    client = api.as_user(ANA)
    brand = await api.brand(client, text, vision=text, archetype=text)
    job = await api.logos(client, brand)
    await add_asset(api.core, brand, job, metadata={"variation": text, "index": 0})
    await fail(api.core, await claim(api.core, job), Cause.BUG, text)
    shared = (await client.post(f"/api/v1/jobs/{job}/share")).json()["url"]
    for path in ("/", f"/g/{brand}", f"/g/job/{job}", shared):
        tags = _Tags()
        tags.feed((await ana.get(path)).text)
        assert not [name for _, given in tags.seen for name in given if name.startswith("on")], path
        assert all("src" in given for tag, given in tags.seen if tag == "script")
        assert all(re.match(r"/|#|https?://127", given["href"] or "") for _, given in tags.seen if "href" in given)
        assert all((given["src"] or "").startswith(("/static/", "http")) for tag, given in tags.seen if tag == "img")
        assert text in "".join(tags.text) or path.startswith("/s/"), path


async def test_the_reference_names_every_documented_route(api: Api) -> None:
    browser = api.anonymous()
    page = (await browser.get("/docs")).text
    for path, methods in (await browser.get("/openapi.json")).json()["paths"].items():
        for method in methods:
            assert f"<code>{method.upper()}</code> <b>{path}</b>" in page
    assert "<td>integer 1..8 (4)</td>" in page and "one of minimal, bold" in page
    assert "<td><code>generationJobId</code></td><td>text</td>" in page


async def test_what_an_agent_said_is_on_the_page(api: Api, ana: httpx.AsyncClient) -> None:
    client = api.as_user(ANA)
    brand = await api.brand(client)
    asked = {"brandId": brand, "step": "brand-identity"}
    job = (await client.post("/api/v1/generation/wizard", json=asked)).json()["jobId"]
    said = "**Your** brand is <b>warm</b>."
    await api.core.db.write(lambda conn: add_event(conn, job, "agent:message", content=said))
    page = (await ana.get(f"/g/job/{job}")).text
    assert "Your brand is &lt;b&gt;warm&lt;/b&gt;." in page and "frame empty" not in page


async def test_a_waiting_job_says_where_it_stands(api: Api, ana: httpx.AsyncClient) -> None:
    await brand_and_job(api, "First", BEN)
    _, job = await brand_and_job(api, "Acme", count=3)
    page = (await ana.get(f"/g/job/{job}")).text
    assert "Waiting in line" in page and page.count('class="frame empty coming"') == 3
    assert "Nobody is working on such jobs right now. Yours waits; nothing is lost." in page
    assert "3 credits set aside." in page and "Logos for Acme" in page
    await api.core.redis.hset("rq:worker:w", mapping={"birth": "2026-01-01T00:00:00Z", "queues": "logo-generation"})
    await api.core.redis.sadd("rq:workers", "rq:worker:w")
    assert "1 job before yours." in (await ana.get(f"/g/job/{job}")).text


async def test_a_refused_picture_is_told_in_plain_words(api: Api, ana: httpx.AsyncClient) -> None:
    brand, job = await brand_and_job(api, count=2)
    asset = await add_asset(api.core, brand, job, metadata={"index": 0, "variation": "Lettermark"})
    await add_unit(api.core, job, "logo-0", state="saved", asset_id=asset)
    await add_unit(api.core, job, "logo-1", state="failed", cause="moderated", error="Request Moderated by bfl: sex")
    page = (await ana.get(f"/g/job/{job}")).text
    assert "The image service declined this content. Try other words. Not charged." in page
    assert "Lettermark" in page and page.count('<img src="http') == 1
    assert "bfl" not in page.lower() and "sex" not in page


async def test_a_job_that_is_tried_again_names_no_vendor(api: Api, ana: httpx.AsyncClient) -> None:
    brand, job = await brand_and_job(api)
    row = await claim(api.core, job)
    failed = {"delay": 60.0, "cause": Cause.PROVIDER_OVERLOADED, "error": "bfl is not well", "retries_left": 2}
    assert await api.core.db.write(lambda conn: transitions.retry(conn, row, **failed))
    for path in ("/", f"/g/{brand}", f"/g/job/{job}"):
        page = (await ana.get(path)).text
        assert "Trying again" in page and "bfl" not in page
    assert "An attempt failed: Our image service had an outage. We try again by ourselves." in page


@pytest.mark.parametrize("cause", list(Cause))
async def test_every_failure_is_told_without_jargon(api: Api, ana: httpx.AsyncClient, cause: Cause) -> None:
    _, job = await brand_and_job(api)
    await fail(api.core, await claim(api.core, job), cause, "Traceback: sk-secret at 10.0.0.1")
    page = (await ana.get(f"/g/job/{job}")).text
    assert "Traceback" not in page and "sk-secret" not in page
    assert CAUSES[cause].user_text in page and "Failed" in page and "Nothing was charged." in page
    assert ("<button>Try again" in page) == (cause not in (Cause.BAD_INPUT, Cause.MODERATED))


async def test_a_name_becomes_a_brand_with_logos_once(api: Api, ana: httpx.AsyncClient) -> None:
    first = await ana.post("/g/new", data={**FORM, "name": "Acme", "style": "bold", "vision": "Slow coffee"})
    again = await ana.post("/g/new", data={**FORM, "name": "Acme", "style": "bold", "vision": "Slow coffee"})
    assert first.status_code == 303 and again.headers["location"] == first.headers["location"]
    brands = (await ana.get("/api/v1/brands")).json()["brands"]
    assert [(brand["name"], brand["vision"]) for brand in brands] == [("Acme", "Slow coffee")]
    jobs = (await ana.get("/api/v1/jobs")).json()["jobs"]
    assert len([job for job in jobs if job["queueName"] == "logo-generation"]) == 1
    assert "Logos for Acme" in (await ana.get(first.headers["location"])).text
    home = (await ana.get("/")).text
    assert "Acme" in home and "16 credits left" in home


async def test_bad_forms_are_answered_in_words(api: Api, ana: httpx.AsyncClient) -> None:
    brand, _ = await brand_and_job(api)
    for path, data in (
        ("/g/new", {**FORM, "name": " "}),
        ("/g/new", {**FORM, "name": "A\x00"}),
        ("/g/new", {**FORM, "name": "A", "style": "baroque"}),
        ("/g/new", {"name": "A"}),
        (f"/g/{brand}/logos", {**FORM, "count": "99"}),
    ):
        answer = await ana.post(path, data=data)
        assert answer.status_code == 400 and "<h1>That cannot be used.</h1>" in answer.text, (path, data)
    for number in range(3):
        answer = await ana.post(f"/g/{brand}/logos", data={"key": f"key-number-{number}", "count": "8"})
    assert answer.status_code == 402 and "Insufficient credits" in answer.text


async def test_a_logo_is_picked_refined_and_a_job_cancelled_and_tried_again(api: Api, ana: httpx.AsyncClient) -> None:
    brand, job = await brand_and_job(api)
    asset = await add_asset(api.core, brand, job, b"\x89PNG\r\n\x1a\n")
    back = await ana.post(f"/g/asset/{asset}/pick", data={"back": f"/g/job/{job}"})
    assert (back.status_code, back.headers["location"]) == (303, f"/g/job/{job}")
    assert "Picked" in (await ana.get(f"/g/job/{job}")).text
    refined = await ana.post(f"/g/asset/{asset}/refine", data={**FORM, "notes": "Thicker", "count": "2"})
    made = (await ana.get(f"/api/v1/jobs/{refined.headers['location'].rpartition('/')[2]}")).json()
    assert (made["payload"]["refinementNotes"], made["payload"]["count"]) == ("Thicker", 2)
    assert made["payload"]["isRefinement"] is True
    assert (await ana.post(f"/g/job/{job}/cancel")).status_code == 303
    page = (await ana.get(f"/g/job/{job}")).text
    assert "Cancelled" in page and "Try again" in page
    again = await ana.post(f"/g/job/{job}/retry")
    assert again.status_code == 303 and again.headers["location"] != f"/g/job/{job}"
    assert again.headers["location"] in (await ana.get(f"/g/job/{job}")).text
    refused = await ana.post(f"/g/job/{job}/cancel")
    assert refused.status_code == 409 and "ended already" in refused.text


async def test_a_shared_link_shows_the_pictures_and_nothing_else(api: Api, ana: httpx.AsyncClient) -> None:
    client = api.as_user(ANA, email="ana@example.org")
    brand = await api.brand(client, "Acme", vision="A secret plan")
    job = await api.logos(client, brand, refinementNotes=None)
    await add_asset(api.core, brand, job, b"\x89PNG\r\n\x1a\npicture", metadata={"prompt": "secret prompt", "index": 0})
    await complete(api.core, await claim(api.core, job))
    page = (await ana.post(f"/g/job/{job}/share")).text
    (url,) = re.findall(r'value="(http[^"]*/s/[^"]+)"', page)
    friend = api.anonymous()
    shown = await friend.get(url)
    assert shown.status_code == 200 and "Acme" in shown.text and "<form" not in shown.text
    for secret in ("secret", "ana@", ANA, "credit", "$", "brands/" + ANA):
        assert secret not in shown.text, secret
    (picture,) = re.findall(r'<img src="(http[^"]+)"', shown.text)
    assert (await friend.get(picture.replace("&amp;", "&"))).content.startswith(b"\x89PNG")
    assert (await friend.get(f"/g/job/{job}")).status_code == 401


async def test_a_link_that_has_ended_or_was_made_up_shows_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    _, job = await brand_and_job(api, "Zanzibar")
    link = await share_job(api.app.resources, Principal(ANA, None, Role.USER, 0), job, 60)
    token, until = link.token, int(link.token.split(".")[1])
    anybody = api.anonymous()
    assert (await anybody.get(f"/s/{token}")).status_code == 200
    forged = [
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token.replace(f".{int(until)}.", f".{int(until) + 9}."),
        "x",
        "a.b.c",
    ]
    for bad in forged:
        answer = await anybody.get(f"/s/{bad}")
        assert answer.status_code == 404 and "Zanzibar" not in answer.text
    monkeypatch.setattr("bmn.signing.time.time", lambda: until + 1)
    assert (await anybody.get(f"/s/{token}")).status_code == 404


async def test_the_sandboxs_pages_are_there_only_with_a_sandbox(api: Api, ana: httpx.AsyncClient) -> None:
    for path in ("/dev/mail", "/dev/mail/x", "/dev/mail/x/body", "/dev/sandbox"):
        answer = await ana.get(path)
        assert answer.status_code == 404 and "There is no sandbox here." in answer.text


async def test_a_download_saves_from_whatever_origin_pictures_come(api: Api, ana: httpx.AsyncClient) -> None:
    """A browser heeds `download` within the page's own origin only, so the link leads there and the answer says it too."""
    brand, job = await brand_and_job(api)
    await add_asset(api.core, brand, job, metadata={"index": 0}, data=b"picture")
    shared = (await api.as_user(ANA).post(f"/api/v1/jobs/{job}/share")).json()["url"]
    for path in (f"/g/{brand}", f"/g/job/{job}", shared):
        tags = _Tags()
        tags.feed((await ana.get(path)).text)
        links = [given for tag, given in tags.seen if tag == "a" and given.get("download")]
        assert links, path
        for link in links:
            assert (link["href"] or "").startswith("/files/")
            answer = await api.anonymous().get(link["href"] or "")
            assert answer.status_code == 200
            assert f'filename="{link["download"]}"' in answer.headers["content-disposition"]
