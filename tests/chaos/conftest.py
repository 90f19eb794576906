"""One nursery a session, one stack a test; every test of this folder is marked `chaos`."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.chaos.deployment import Deployment, Start
from tests.chaos.nursery import Nursery


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.chaos)
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    parent = Nursery()
    yield parent
    parent.close()


@pytest.fixture
async def start(nursery: Nursery, tmp_path: Path, database_url: str) -> AsyncIterator[Start]:
    """Starts the stack with settings of its own: `await start(proxied=True, BMN_LEASE_SECONDS="1")`."""
    stacks: list[Deployment] = []

    async def begin(**options: str) -> Deployment:
        stack = Deployment(nursery, tmp_path, database_url, **options)  # type: ignore[arg-type]
        stacks.append(stack)
        return await stack.open()

    yield begin
    for stack in stacks:
        await stack.close()


@pytest.fixture
async def stack(start: Start) -> Deployment:
    return await start()
