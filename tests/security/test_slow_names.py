"""Names that a user chose may have servers that never answer: only other names wait for them."""

import asyncio
import socket
import threading
from typing import Any

import pytest

from bmn.providers.visited_addresses import look_up
from tests.kit.processes import PATIENCE


async def test_names_that_never_resolve_hold_up_nothing_but_names(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def silent(*_: Any, **__: Any) -> Any:
        over.wait()
        raise socket.gaierror("no answer")

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    asked = [asyncio.ensure_future(look_up(f"slow-{n}.example.org", 443)) for n in range(200)]
    await asyncio.sleep(0)  # each has asked
    try:
        async with asyncio.timeout(PATIENCE):
            assert await asyncio.to_thread(lambda: "done") == "done"
    finally:
        over.set()
        answers = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(answer, OSError) for answer in answers)
