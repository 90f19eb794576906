"""The live page in several tabs, and where events do not get through."""

import re
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.cli.proxy import HttpProxy, proxy_before
from tests.kit.stack import Stack
from tests.kit.stack import start as serve
from tests.pages.browser import CHROMIUM, chromium, link, watch

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(400),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]
_LONG = 120_000
_HIDE = """(state) => {
  Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = serve(tmp_path_factory.mktemp("tabs"), "--port", "0", "--queues", "logo-generation,image-upload")
    yield running
    running.stop()


@pytest.fixture
def proxy(stack: Stack) -> Iterator[HttpProxy]:
    stack.mend()
    with proxy_before(stack.api_url) as running:
        yield running
    stack.mend()


@pytest.fixture
async def context(stack: Stack, proxy: HttpProxy) -> AsyncIterator[BrowserContext]:
    """Signed in; its pages go through the proxy."""
    async with chromium() as browser:
        context = await browser.new_context()
        page = await context.new_page()
        await page.goto(re.sub(r":\d+", f":{proxy.port}", await link(stack), count=1))
        yield context


async def make(page: Page, proxy: HttpProxy, name: str) -> str:
    await page.goto(f"http://127.0.0.1:{proxy.port}/")
    await page.get_by_label(re.compile("brand")).fill(name)
    await page.get_by_role("button", name="Make four logos").click()
    await page.wait_for_url("**/g/job/*")
    return page.url


async def test_tabs_share_one_stream_and_still_load_anything(
    context: BrowserContext, stack: Stack, proxy: HttpProxy
) -> None:
    stack.fault(provider="bfl", op="poll", latency=1)
    page = context.pages[0]
    jobs = [await make(page, proxy, f"Brand {number}") for number in range(4)]
    tabs = [await context.new_page() for _ in jobs]
    problems = [watch(tab) for tab in tabs]
    for tab, job in zip(tabs, jobs, strict=True):
        await tab.goto(job)
    await page.goto(f"http://127.0.0.1:{proxy.port}/")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    stack.mend()
    for tab in tabs:
        await expect(tab.locator(".chip")).to_have_text("Done", timeout=_LONG)
    assert proxy.most_streams < len(tabs), "one for all; old ones may still close while the new one opens"
    assert not any(problems)


async def test_a_hidden_tab_gives_the_stream_to_one_that_is_seen(
    context: BrowserContext, stack: Stack, proxy: HttpProxy
) -> None:
    stack.fault(provider="bfl", op="poll", pending=True)
    first = context.pages[0]
    await make(first, proxy, "Acme")
    second = await context.new_page()
    await second.goto(first.url)
    await first.evaluate(_HIDE, "hidden")
    await first.close()
    stack.mend()
    await expect(second.locator(".chip")).to_have_text("Done", timeout=_LONG)


async def test_where_events_do_not_get_through_the_page_looks_by_itself_and_says_so(
    context: BrowserContext, stack: Stack, proxy: HttpProxy
) -> None:
    proxy.mute_streams = True
    stack.fault(provider="bfl", op="poll", pending=True)
    page = context.pages[0]
    await make(page, proxy, "Acme")
    await expect(page.get_by_text("Live updates do not get through")).to_be_visible(timeout=_LONG)
    stack.mend()
    await expect(page.locator(".chip")).to_have_text("Done", timeout=_LONG)


_RECORD = """() => {
  const real = window.Notification;
  window.told = [];
  window.Notification = class {
    static get permission() { return real.permission; }
    static requestPermission() { return real.requestPermission(); }
    constructor(title, options) { window.told.push([title, options.body, options.tag]); }
    close() {}
  };
}"""


async def test_a_page_that_was_left_tells_of_the_end_where_one_wants_it(
    context: BrowserContext, stack: Stack, proxy: HttpProxy
) -> None:
    stack.fault(provider="bfl", op="poll", latency=1)
    page = context.pages[0]
    await context.add_init_script(f"({_RECORD})()")
    job = await make(page, proxy, "Left Alone")
    ask = page.get_by_role("button", name="Tell me when it is done")
    await context.grant_permissions(["notifications"])
    await page.reload()
    await expect(ask).to_be_hidden()  # it may already
    await page.evaluate(_HIDE, "hidden")
    await page.wait_for_function("() => window.told.length === 1", timeout=_LONG)
    ((title, _, tag),) = await page.evaluate("() => window.told")
    assert "Left Alone" in title and tag in job
    await page.evaluate(_HIDE, "visible")
    await context.clear_permissions()
    stack.fault(provider="bfl", op="poll", latency=2)
    await make(page, proxy, "Asked Once")
    if await page.evaluate("() => Notification.permission") == "default":
        await expect(ask).to_be_visible()
