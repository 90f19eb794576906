"""Socket servers, a real Redis and SQLite, and the official client."""

import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bmn.settings import load_settings
from bmn.work.wiring import open_core
from tests.kit.driver import why_not
from tests.live.servers import Live


@pytest.fixture
async def bare(home: Path, redis_url: str, migrated_sqlite: Path) -> AsyncIterator[Live]:
    """Without the official client."""
    env = {**os.environ, "BMN_HOME": str(home), "REDIS_URL": redis_url}
    settings = load_settings(redis_url=redis_url)
    shutil.copy(migrated_sqlite, home / "bmn.sqlite3")
    assert settings.database_address.endswith(f"{home}/bmn.sqlite3")
    core = await open_core(settings, "test")
    live = Live(settings, core, env)
    try:
        yield live
    finally:
        await live.close()
        with contextlib.suppress(Exception):
            await core.close()


@pytest.fixture
def live(bare: Live) -> Live:
    if reason := why_not():
        pytest.skip(reason)
    return bare
