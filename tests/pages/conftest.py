"""A real server, and somebody in front of a browser without a screen."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bmn.db.migrations import migrate
from tests.kit.api import Api, api, sign_in, start

__all__ = ["api", "start"]


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    """The pages' own statements are few, and each is tested on both databases where it lives."""
    url = f"sqlite:///{tmp_path / 'test.sqlite3'}"
    migrate(url)
    yield url


@pytest.fixture
async def ana(api: Api) -> httpx.AsyncClient:
    return await sign_in(api)
