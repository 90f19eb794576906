"""The provider sandbox over real HTTP, and what a client reports while it is asked."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bmn.providers.base import ProviderCall
from bmn.settings import Settings
from tests.kit.sandbox import shared_sandbox
from tests.kit.wire import wire

__all__ = ["shared_sandbox", "wire"]


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(bmn_home=home)


@pytest.fixture
def calls() -> list[ProviderCall]:
    """What the clients of this test have reported."""
    return []


@pytest.fixture
def on_call(calls: list[ProviderCall]) -> Callable[[ProviderCall], Awaitable[None]]:
    async def report(call: ProviderCall) -> None:
        calls.append(call)

    return report
