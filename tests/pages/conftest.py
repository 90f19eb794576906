"""A real server, and somebody in front of a browser without a screen."""

import shutil
from pathlib import Path

import httpx
import pytest

from tests.kit.api import Api, api, sign_in, start

__all__ = ["api", "start"]


@pytest.fixture
def database_url(tmp_path: Path, migrated_sqlite: Path) -> str:
    """The pages' own statements are few, and each is tested on both databases where it lives."""
    return f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'test.sqlite3')}"


@pytest.fixture
async def ana(api: Api) -> httpx.AsyncClient:
    return await sign_in(api)
