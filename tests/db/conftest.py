"""A database of either kind, opened the way a process opens it."""

from collections.abc import AsyncIterator

import pytest

from bmn.db.engine import Database


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.start()
    yield database
    await database.close()
