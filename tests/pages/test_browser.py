"""The live page in a real browser, during real jobs."""

import asyncio
import json
import re
import signal
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import psutil
import pytest
import redis
from playwright.async_api import Browser, Page, expect

from bmn.work.queue_names import QUEUE_NAMES
from tests.kit.processes import PATIENCE, eventually
from tests.kit.stack import Stack
from tests.kit.stack import start as serve
from tests.kit.terminal import bmn
from tests.pages.browser import AXE, CHROMIUM, DESKTOP, PHONE, chromium, link, watch

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]
TRAPS = "window.trapped = 0; window.alert = () => { window.trapped += 1 }"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = serve(
        tmp_path_factory.mktemp("pages"), "--port", "0", "--queues", "logo-generation,image-upload,email-send"
    )
    yield running
    running.stop()


@pytest.fixture
def sandbox(stack: Stack) -> Iterator[Stack]:
    """The stack, with no faults left from another test, and none left behind."""
    stack.mend()
    yield stack
    stack.mend()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest.fixture
async def page(browser: Browser, sandbox: Stack) -> AsyncIterator[Page]:
    """A page of a new user, signed in. Fails the test where a script failed or the policy refused something."""
    context = await browser.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
    shown = await context.new_page()
    problems = watch(shown)
    await shown.goto(await link(sandbox))
    yield shown
    assert not problems


async def make(page: Page, name: str = "Acme Roasters") -> None:
    await page.goto(re.sub(r"(https?://[^/]+).*", r"\1/", page.url))
    await page.get_by_label(re.compile("brand")).fill(name)
    await page.get_by_role("button", name="Make four logos").click()
    await page.wait_for_url("**/g/job/*")


def pictures(page: Page) -> Any:
    return page.locator(".tiles .frame img")


async def test_what_bmn_open_prints_signs_the_browser_in(browser: Browser, sandbox: Stack) -> None:
    page = await (await browser.new_context()).new_page()
    for command, heading in (
        (("open", "--print"), "What shall we make?"),
        (("admin", "open", "--print"), "Nothing is wrong"),
    ):
        said = await asyncio.to_thread(bmn, *command, env=sandbox.env)
        assert said.code == 0, said.err
        await page.goto(said.out.strip())
        await expect(page.get_by_role("heading", level=1)).to_have_text(heading)


async def test_four_logos_arrive_one_by_one_and_stay(page: Page, sandbox: Stack) -> None:
    for late in ("Lettermark", "Emblem", "Modern minimalist"):
        sandbox.fault(provider="bfl", match=late, pending=True)
    await make(page)
    await expect(pictures(page)).to_have_count(1, timeout=60_000)  # while the others are being made
    await expect(page.locator(".frame.empty")).to_have_count(3)
    await expect(page.get_by_role("progressbar")).to_have_count(4)  # of the job, and of each picture that is to come
    sandbox.mend()
    await expect(page.locator(".chip")).to_have_text("Done", timeout=60_000)
    await expect(pictures(page)).to_have_count(4)
    await page.wait_for_function("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    assert "4 credits charged." in await page.inner_text("main")
    assert "sandbox: $0.00" in await page.inner_text("main")
    assert "16 credits left" in await page.inner_text("header")
    await page.reload()
    await expect(pictures(page)).to_have_count(4)


async def test_the_page_survives_a_server_that_dies(page: Page, sandbox: Stack) -> None:
    sandbox.fault(provider="bfl", pending=True)
    await make(page)
    await page.evaluate("window.same = true")
    await expect(page.locator(".chip")).to_have_text("Being made", timeout=30_000)
    (api,) = [p for p in psutil.Process(sandbox.process.pid).children() if "api" in " ".join(p.cmdline()).split()]
    api.send_signal(signal.SIGKILL)
    await expect(page.get_by_text("Reconnecting")).to_be_visible(timeout=15_000)
    sandbox.mend()
    await expect(page.locator(".chip")).to_have_text("Done", timeout=60_000)
    await expect(pictures(page)).to_have_count(4)
    await expect(page.get_by_text("Reconnecting")).to_be_hidden()
    assert await page.evaluate("window.same") is True, "it was not loaded again"


async def test_a_refused_picture_is_shown_in_plain_words(page: Page, sandbox: Stack) -> None:
    sandbox.fault(provider="bfl", moderate=1)
    await make(page)
    await expect(page.locator(".chip")).to_have_text("Partly done", timeout=60_000)
    await expect(page.locator(".refused")).to_contain_text("declined this content. Try other words. Not charged.")
    await expect(pictures(page)).to_have_count(3)
    text = await page.inner_text("main")
    assert "3 credits charged. 1 credit came back." in text and "bfl" not in text.lower()


async def test_a_job_that_failed_says_why_and_is_tried_again(page: Page, sandbox: Stack) -> None:
    sandbox.fault(provider="bfl", status=500)
    await make(page)
    await expect(page.locator(".chip")).to_have_text("Failed", timeout=60_000)
    text = await page.inner_text("main")
    assert "outage" in text and "Nothing was charged." in text
    sandbox.mend()
    first = page.url
    await page.get_by_role("button", name="Try again").click()
    await page.wait_for_url(lambda url: url != first)
    await expect(page.locator(".chip")).to_have_text("Done", timeout=60_000)


async def test_a_running_job_is_cancelled(page: Page, sandbox: Stack) -> None:
    """After its four orders: they are charged and on their way, and there is nothing to start again before they are here."""
    sandbox.fault(provider="bfl", op="poll", pending=True)
    await make(page)
    await expect(page.locator(".far")).to_have_text(re.compile(r"^7\d %$"), timeout=30_000)
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator(".chip")).to_have_text("Cancelled", timeout=30_000)
    await page.reload()
    assert "4 credits charged." in await page.inner_text("main")
    await expect(page.locator(".frame.coming")).to_have_count(4)
    await expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    sandbox.mend()
    async with asyncio.timeout(PATIENCE):
        while await pictures(page).count() < 4:
            await page.reload()
    await expect(page.get_by_role("button", name="Try again")).to_have_count(0)


async def test_a_logo_is_picked_refined_downloaded_and_shared(page: Page, browser: Browser) -> None:
    await make(page)
    await expect(page.locator(".chip")).to_have_text("Done", timeout=60_000)
    await page.get_by_role("button", name="Pick logo 2").click()
    await expect(page.locator("[data-part=piece-2] .badge")).to_have_text("Picked")
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download logo 3").click()
    assert (await download.value).suggested_filename == "acme-roasters-logo-3.png"
    await page.get_by_role("button", name="Make a link").click()
    address = await page.get_by_label("Whoever has this link").input_value()
    friend = await (await browser.new_context()).new_page()
    problems = watch(friend)
    await friend.goto(address)
    await expect(friend.locator(".frame img")).to_have_count(4)
    assert await friend.locator("form").count() == 0 and not problems
    await page.locator("[data-part=piece-2] summary").click()
    await page.locator("[data-part=piece-2]").get_by_label("What should change?").fill("Thicker lines")
    await page.locator("[data-part=piece-2]").get_by_role("button", name="Make new versions").click()
    await page.wait_for_url("**/g/job/*")
    await expect(page.locator(".chip")).to_have_text("Done", timeout=60_000)
    await expect(pictures(page)).to_have_count(2)


async def test_everything_works_without_a_script(browser: Browser, sandbox: Stack) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(await link(sandbox))
    await make(page)
    await expect(page.locator(".frame.empty")).not_to_have_count(0)
    async with asyncio.timeout(PATIENCE):
        while await page.locator(".chip").inner_text() != "Done":
            await page.reload()
    await expect(pictures(page)).to_have_count(4)
    await page.get_by_role("button", name="Pick logo 1").click()
    await expect(page.locator(".badge")).to_have_text("Picked")


async def test_nobody_elses_script_runs(page: Page) -> None:
    await page.add_init_script(TRAPS)
    for name in ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</title><svg onload=alert(1)>"):
        await make(page, name)
        await expect(page.locator(".chip")).to_have_text("Done", timeout=60_000)
        assert name in await page.inner_text("h1") and name in await page.title()
        await page.locator(".eyebrow a").click()
        await expect(page.locator("h1")).to_have_text(name)
    await page.locator(".mark").click()
    assert await page.evaluate("window.trapped") == 0


async def seen(page: Page, browser: Browser, stack: Stack) -> dict[str, str]:
    """The addresses of one page of each kind, with something on it."""
    await make(page)
    await expect(page.locator(".chip")).to_have_text("Done", timeout=60_000)
    base = stack.api_url
    job = page.url
    brand = await page.locator(".eyebrow a").get_attribute("href")
    await page.get_by_role("button", name="Make a link").click()
    shared = await page.get_by_label("Whoever has this link").input_value()
    stack.fault(provider="bfl", moderate=1)
    await make(page)
    await expect(page.locator(".chip")).to_have_text("Partly done", timeout=60_000)
    partly = page.url
    stack.mend()
    mail = await _own_mail(page, base)
    paths = {"home": "/", "brand": f"{brand}", "missing": "/g/job/x", "mail": mail}
    paths |= {"mailbox": "/dev/mail", "sandbox": "/dev/sandbox", "docs": "/docs"}
    return {name: base + path for name, path in paths.items()} | {"job": job, "partly": partly, "shared": shared}


async def _own_mail(page: Page, base: str) -> str:
    """The path of a mail of the visitor's."""

    async def path() -> str | None:
        await page.goto(f"{base}/dev/mail")
        links = page.locator("a.what")
        return await links.first.get_attribute("href") if await links.count() else None

    await eventually(path)
    return str(await path())


@pytest.mark.timeout(300)
@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: npm ci in tests/node")
async def test_every_page_can_be_used_by_everybody(page: Page, browser: Browser, sandbox: Stack) -> None:
    addresses = await seen(page, browser, sandbox)
    found: list[str] = []
    for scheme, (width, height) in (("light", DESKTOP), ("light", PHONE), ("dark", DESKTOP)):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        await page.set_viewport_size({"width": width, "height": height})
        for name, address in addresses.items():
            await page.goto(address)
            await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
            found += [f"{name} {scheme} {width}: {problem}" for problem in await _axe(page)]
            wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
            assert not wide, f"{name} is wider than {width}"
    await page.context.clear_cookies()
    await page.goto(sandbox.api_url)
    found += [f"sign-in: {problem}" for problem in await _axe(page)]
    assert not found, "\n".join(found)


async def _axe(page: Page) -> list[str]:
    await page.evaluate(AXE.read_text())  # the policy lets no script tag in; this is not one
    result = await page.evaluate("axe.run({ resultTypes: ['violations'], iframes: false })")
    return [f"{one['id']}: {node['html'][:120]}" for one in result["violations"] for node in one["nodes"]]


async def test_a_mail_is_shown_as_it_looks_and_runs_nothing(browser: Browser, sandbox: Stack) -> None:
    page = await (await browser.new_context()).new_page()
    await page.goto(await link(sandbox, role="admin"))
    await page.add_init_script(TRAPS)
    hostile = {
        "from": "Bmn <a@example.org>",
        "to": ["b@example.org"],
        "subject": "<script>alert(1)</script>",
        "html": '<h1 style="color:red">Welcome</h1><script>parent.trapped = 9</script><img src=x onerror="alert(1)">',
        "text": "Welcome <script>alert(1)</script>",
    }
    headers = {"Authorization": "Bearer sandbox"}
    async with httpx.AsyncClient(base_url=sandbox.sandbox_url, trust_env=False) as client:
        mail = (await client.post("/emails", json=hostile, headers=headers)).json()["id"]
    await page.goto(f"{sandbox.api_url}/dev/mail")
    await page.get_by_role("link", name=str(hostile["subject"])).first.click()
    await page.wait_for_url(f"**/{mail}")
    body = page.frame_locator("iframe")
    await expect(body.locator("h1")).to_have_text("Welcome")
    assert await body.locator("h1").evaluate("node => getComputedStyle(node).color") == "rgb(255, 0, 0)"
    assert "Welcome <script>alert(1)</script>" in await page.inner_text("main")
    assert await page.evaluate("window.trapped") == 0


async def test_the_queues_are_seen_by_a_signed_in_admin_only(browser: Browser, sandbox: Stack) -> None:
    page = await (await browser.new_context()).new_page()
    problems = watch(page)
    await page.add_init_script(TRAPS)
    await page.goto(f"{sandbox.api_url}/admin/queues")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await page.goto(await link(sandbox, role="admin", path="/admin/queues"))
    await expect(page.locator("tr[data-role=queue]")).to_have_count(len(QUEUE_NAMES) + 1)  # and the dead letters
    assert await page.evaluate("getComputedStyle(document.querySelector('.navbar')).display") == "flex", "its style"
    text = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    _hostile_entry(sandbox, text)
    await page.goto(f"{sandbox.api_url}/admin/queues/0/view/job/hostile")
    await expect(page.locator("#job-data")).to_contain_text(text)
    await page.goto(f"{sandbox.api_url}/admin/queues/0/view/jobs/cleanup/failed/8/asc/1")
    await expect(page.locator("#jobs .description")).to_have_text(text)
    await expect(page.get_by_role("link", name="Requeue")).to_have_count(0)
    await page.goto(f"{sandbox.api_url}/admin/queues/0/view/workers")
    await expect(page.locator("tr[data-role=worker]")).not_to_have_count(0)
    assert await page.evaluate("window.trapped") == 0 and not problems


def _hostile_entry(stack: Stack, text: str) -> None:

    data = zlib.compress(json.dumps(["bmn.cleanup", None, [], {}]).encode())
    url = json.loads((stack.home / "serve.json").read_text())["redis_url"]
    with redis.Redis.from_url(url) as client:
        fields = {
            "data": data,
            "description": text,
            "origin": "cleanup",
            "status": "failed",
            "meta": json.dumps({"x": text}),
        }
        fields["created_at"] = fields["enqueued_at"] = "2026-01-01T00:00:00.000000Z"
        client.hset("rq:job:hostile", mapping=fields)  # type: ignore[arg-type]
        client.zadd("rq:failed:cleanup", {"hostile": time.time() + 9999})
