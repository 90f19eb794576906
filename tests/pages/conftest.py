"""A real server, and somebody in front of a browser without a screen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, insert, select

from bmn.db.migrations import migrate
from bmn.db.tables import job_units, metadata
from bmn.jobs.core import Core
from tests.server.conftest import ANA, Api, Starter, api, start

__all__ = ["Api", "Starter", "api", "start"]


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    """The pages' own statements are few, and each is tested on both databases where it lives."""
    url = f"sqlite:///{tmp_path / 'test.sqlite3'}"
    migrate(url)
    yield url


async def sign_in(api: Api, user_id: str = ANA, role: str = "user", path: str = "/") -> httpx.AsyncClient:
    """A browser with a session; what it sends comes from pages of ours."""
    answer = await api.as_user(user_id, role).post("/api/v1/session", json={"path": path})
    browser = api.anonymous()
    browser.headers["Sec-Fetch-Site"] = "same-origin"
    landed = await browser.get(answer.json()["url"])
    assert (landed.status_code, landed.headers["location"]) == (303, path)
    return browser


@pytest.fixture
async def ana(api: Api) -> httpx.AsyncClient:
    return await sign_in(api)


def everything(conn: Connection) -> dict[str, list[Any]]:
    """Every row of every table, to see whether something has changed."""
    return {table.name: list(conn.execute(select(table))) for table in metadata.sorted_tables}


async def add_unit(core: Core, job_id: str, unit: str, **values: Any) -> None:
    row = {"job_id": job_id, "unit": unit, "state": "planned", **values}
    await core.db.write(lambda conn: conn.execute(insert(job_units).values(row)).rowcount)
