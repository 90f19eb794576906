"""An installed Chromium, driven by Playwright, in front of a whole `bmn serve`."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from playwright.async_api import Browser, Page, async_playwright

from bmn.identity.development import mint_development_token
from bmn.settings import Settings
from tests.kit.stack import Stack

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = Path(__file__).parents[1] / "node/node_modules/axe-core/axe.min.js"
DESKTOP, PHONE = (1280, 900), (390, 844)
_QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(_QUIET))
        yield browser
        await browser.close()


def token(stack: Stack, user_id: str, role: str = "user") -> str:
    return mint_development_token(Settings(bmn_home=stack.home), user_id, f"{user_id[:8]}@example.org", role)


async def link(stack: Stack, path: str = "/", *, role: str = "user", user_id: str | None = None) -> str:
    """A sign-in link, as `bmn open` prints it."""
    headers = {"Authorization": f"Bearer {token(stack, user_id or str(uuid4()), role)}"}
    async with httpx.AsyncClient(base_url=stack.api_url, trust_env=False, headers=headers) as client:
        answer = await client.post("/api/v1/session", json={"path": path})
        url: str = answer.json()["url"]
        return url


def watch(page: Page) -> list[str]:
    """What goes wrong on a page: errors, and what its policy has refused. Grows while the page lives."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if _is_problem(said) else None)
    page.on("dialog", lambda dialog: problems.append(f"dialog: {dialog.message}"))
    return problems


def _is_problem(said: Any) -> bool:
    # That a page was asked for without a session, or a server was away, is what some tests are about.
    return said.type == "error" and "Failed to load resource" not in said.text and "net::ERR" not in said.text
