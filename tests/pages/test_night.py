"""An operator at three in the morning: finds what failed, sees the provider's answer, brings all of its kind back, watches.

Each stop is written to `tests/pages/screens` (not kept in git), broad and narrow, light and dark, to be looked at.
"""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from tests.kit.processes import eventually
from tests.kit.stack import Stack
from tests.kit.stack import start as serve
from tests.pages.browser import CHROMIUM, chromium, link, token, watch
from tests.pages.screens_of import BROAD, NARROW, SCREENS, stop_at

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]
_LONG = 60_000
_JOBS = 4


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = serve(tmp_path_factory.mktemp("night"), "--port", "0")
    yield running
    running.stop()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


async def unwell(stack: Stack) -> None:
    """Jobs of two users whom the provider had no room for, and one that went well; it is mended since."""
    clients = [
        httpx.AsyncClient(
            base_url=f"{stack.api_url}/api/v1",
            trust_env=False,
            timeout=30,
            headers={"Authorization": f"Bearer {token(stack, str(uuid4()))}"},
        )
        for _ in range(2)
    ]
    submitted: list[tuple[httpx.AsyncClient, str]] = []

    async def submit(client: httpx.AsyncClient, name: str) -> None:
        brand = (await client.post("/brands", json={"name": name})).json()["id"]
        answer = await client.post("/generation/logos", json={"brandId": brand, "count": 1})
        submitted.append((client, answer.json()["jobId"]))

    async def ended() -> bool:
        states = [(await client.get(f"/jobs/{job_id}")).json()["state"] for client, job_id in submitted]
        return all(state in ("failed", "completed") for state in states)

    await submit(clients[0], "Well & Good")
    await eventually(ended)
    stack.fault(provider="bfl", op="submit", status=500, body={"detail": "No capacity is left in region eu-2."})
    for number in range(_JOBS):
        await submit(clients[number % 2], f"Night {number}")
    await eventually(ended)
    stack.mend()
    for client in clients:
        await client.aclose()


async def tab_to(page: Page, name: str) -> None:
    """Goes on from one thing to the next until one with this name has the focus."""
    for _ in range(150):
        await page.keyboard.press("Tab")
        at: Any = await page.evaluate(
            "document.activeElement.textContent.trim() || document.activeElement.name || document.activeElement.value || ''"
        )
        if re.fullmatch(name, " ".join(str(at).split())):
            return
    pytest.fail(f"the keyboard does not get to {name}")


async def test_what_failed_is_found_and_brought_back_by_keyboard_alone(browser: Browser, stack: Stack) -> None:
    SCREENS.mkdir(exist_ok=True)
    await unwell(stack)
    page = await (await browser.new_context(viewport=BROAD)).new_page()  # type: ignore[arg-type]
    problems, found = watch(page), []
    await page.goto(await link(stack, "/admin", role="admin"))
    await expect(page.get_by_role("heading", level=1)).to_have_text("1 alert is open", timeout=_LONG)
    found += await stop_at(page, "night-1-overview")
    await page.get_by_role("link", name="Look").click()
    await expect(page.locator(".piles .example")).to_contain_text("The newest")
    found += await stop_at(page, "night-1-piles")
    await page.goto(f"{stack.api_url}/admin")
    await tab_to(page, rf"provider_overloaded {_JOBS} jobs")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text(f"{_JOBS} jobs")
    assert "state=failed" in page.url and "cause=provider_overloaded" in page.url and "since=3600" in page.url
    found += await stop_at(page, "night-2-jobs")
    await tab_to(page, r"Logos [0-9a-f]{8}")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Provider calls")).to_be_visible()
    await expect(page.locator(".answer")).to_have_count(0)  # the provider's words may be a user's
    await tab_to(page, "Reveal .*")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.type("woken by an alert")
    await page.keyboard.press("Enter")
    await expect(page.locator(".answer")).to_contain_text("No capacity is left in region eu-2.")
    found += await stop_at(page, "night-3-job")
    await tab_to(page, "Replay all of its kind…")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text(f"Replay {_JOBS} jobs?")
    found += await stop_at(page, "night-4-estimate")
    await page.get_by_label("Why?").focus()
    await page.keyboard.type("the provider is well again")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status").filter(has_text="Of those brought back")).to_contain_text(
        f"{_JOBS} completed", timeout=_LONG
    )
    found += await stop_at(page, "night-5-watched")
    for name, path in (("6-mended", "dlq"), ("7-audit", "audit"), ("8-all", "jobs"), ("9-bulk", "bulk")):
        await page.goto(f"{stack.api_url}/admin/{path}")
        found += await stop_at(page, f"night-{name}")
    await page.locator('a[href^="/admin/bulk/"]').first.click()
    await page.locator(".told a").first.click()
    await page.locator('a[href^="/admin/users/"]').first.click()
    await expect(page.get_by_role("heading", name="Ledger")).to_be_visible()
    found += await stop_at(page, "night-10-user")
    assert not found, "\n".join(found)
    assert not problems


async def test_a_queue_is_paused_from_a_phone_and_another_page_sees_it(browser: Browser, stack: Stack) -> None:
    address = await link(stack, "/admin", role="admin")
    phone = await browser.new_context(viewport=NARROW, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
    page = await phone.new_page()
    await page.goto(address)
    other = await phone.new_page()
    await other.goto(f"{stack.api_url}/admin")
    await page.bring_to_front()
    row = page.locator(".queues > li").filter(has_text="Logos")
    await row.get_by_text("Pause", exact=False).first.click()
    await row.get_by_label("Why?").fill("a test")
    await row.get_by_role("button", name="Pause it").click()
    await expect(row.locator(".chip")).to_have_text("paused")
    await other.bring_to_front()
    await expect(other.locator(".queues > li").filter(has_text="Logos").locator(".chip")).to_have_text("paused")
    await row.get_by_text("Resume", exact=False).first.click()
    await row.get_by_label("Why?").fill("it is over")
    await row.get_by_role("button", name="Let it go on").click()
    await expect(row.locator(".chip")).to_have_count(0)
