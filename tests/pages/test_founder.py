"""A founder's way, from a name to a film that somebody else looks at on their phone: seen, measured, and by keyboard alone.

Each stop is written to `tests/pages/screens` (not kept in git), broad and narrow, light and dark, to be looked at.
"""

import re
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.kit.processes import eventually
from tests.kit.stack import Stack
from tests.kit.stack import start as serve
from tests.pages.browser import CHROMIUM, chromium, link, watch
from tests.pages.screens_of import BROAD, NARROW, SCREENS, stop_at

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]
QUEUES = "logo-generation,mockup-generation,bundle-composition,video-generation,image-upload"
_LONG = 60_000


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = serve(tmp_path_factory.mktemp("founder"), "--port", "0", "--queues", QUEUES)
    yield running
    running.stop()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


async def ended(page: Page) -> None:
    await expect(page.locator(".chip").first).to_have_text("Done", timeout=_LONG)


async def test_from_a_name_to_a_film_on_somebodys_phone(browser: Browser, stack: Stack) -> None:
    SCREENS.mkdir(exist_ok=True)
    page = await (await browser.new_context(viewport=BROAD)).new_page()  # type: ignore[arg-type]
    problems, found = watch(page), []
    await page.goto(await link(stack))
    found += await stop_at(page, "1-name")
    await page.get_by_label("What is your brand called?").fill("Nordlicht Coffee")
    await page.get_by_role("button", name="Make four logos · 4 credits").click()
    await ended(page)
    await page.get_by_role("button", name="Pick logo 2").click()
    found += await stop_at(page, "2-logos")
    await page.locator(".eyebrow a").click()
    brand = page.url
    await page.locator("a[data-big]").first.click()
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("dialog").get_by_text("(2 of 4)")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.get_by_text("On dark", exact=True).click()
    for logo in (0, 1):
        await page.locator("input[name=of]").nth(logo).check()
    await page.get_by_role("button", name="Compare").click()
    await expect(page.locator(".trio")).to_have_count(2)
    found += await stop_at(page, "3-compare")
    await page.goto(f"{brand}/products")
    await page.get_by_role("button", name="Make 3 pictures · 3 credits").click()
    await expect(page.locator(".tiles .frame img")).to_have_count(3, timeout=_LONG)
    await expect(page.locator(".frame.coming")).to_have_count(0)
    found += await stop_at(page, "4-products")
    await page.get_by_role("link", name="Bundles").click()
    await page.get_by_role("button", name="Make the bundle · 2 credits").click()
    await ended(page)
    await page.goto(f"{brand}/films")
    await page.get_by_label("Length").select_option("4")
    await page.get_by_role("button", name="Make the film · 5 credits").click()
    await ended(page)
    for room in ("bundles", "films", "words"):
        await page.goto(f"{brand}/{room}")
        found += await stop_at(page, f"5-{room}")
    await page.goto(brand)
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download all").click()
    assert (await download.value).suggested_filename == "nordlicht-coffee.zip"
    await page.goto(f"{brand}/products")
    for product in (0, 1, 2):
        await page.locator("input[name=of]").nth(product).check()
    await page.get_by_role("button", name="Share").click()
    await _look_at_it_elsewhere(browser, await page.get_by_label("Whoever has this link").input_value(), found)
    await eventually(lambda: _shows_thumbnails(page, brand))
    assert not found, "\n".join(found)
    assert not problems


async def _look_at_it_elsewhere(browser: Browser, address: str, found: list[str]) -> None:
    phone = await browser.new_context(viewport=NARROW, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
    theirs = await phone.new_page()
    await theirs.goto(address)
    await expect(theirs.locator(".frame img")).to_have_count(3)
    assert await theirs.locator("form").count() == 0
    found += await stop_at(theirs, "6-phone")


async def _shows_thumbnails(page: Page, brand: str) -> bool:
    """Whether every picture of a room is a thumbnail, which is made a moment after its picture."""
    kinds: list[str] = []
    page.on("response", lambda answer: kinds.append(answer.headers.get("content-type", "")))
    await page.goto(brand)
    await page.wait_for_load_state("load")
    return set(re.findall(r"image/\w+", " ".join(kinds))) <= {"image/jpeg", "image/webp", "image/svg"}


async def tab_to(page: Page, name: str) -> None:
    """Goes on from one thing to the next until it has the focus."""
    for _ in range(80):
        await page.keyboard.press("Tab")
        at = await page.evaluate("document.activeElement.textContent || document.activeElement.name || ''")
        if name == " ".join(at.split()):
            return
    pytest.fail(f"the keyboard does not get to {name}")


async def test_a_mug_is_made_by_keyboard_alone_on_a_narrow_page(browser: Browser, stack: Stack) -> None:
    page = await (await browser.new_context(viewport=NARROW)).new_page()  # type: ignore[arg-type]
    await page.goto(await link(stack))
    await tab_to(page, "name")
    await page.keyboard.type("Kiln & Co")
    await page.keyboard.press("Enter")
    await ended(page)
    await tab_to(page, "Pick logo 1")
    await page.keyboard.press("Enter")
    await expect(page.locator(".badge")).to_have_text("Picked")
    await tab_to(page, "Mug")
    await page.keyboard.press("Enter")
    await ended(page)
    await expect(page.locator(".tiles .frame img")).to_have_count(1)
