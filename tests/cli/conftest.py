"""A whole `bmn serve` for the tests of the command line, and a user of one's own in it for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.stack import Stack, User, start

_QUEUES = "logo-generation,mockup-generation,bundle-composition,video-generation,brand-wizard,image-upload"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = start(tmp_path_factory.mktemp("home"), "--port", "0", "--queues", _QUEUES)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def user(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[User]:
    """A new user with 20 credits; faults that the test sets end with it."""
    monkeypatch.chdir(tmp_path)
    yield User(stack)
    stack.mend()


@pytest.fixture
def admin(user: User) -> User:
    """The same person, allowed more."""
    return User(user.stack, "admin", user.user_id)
