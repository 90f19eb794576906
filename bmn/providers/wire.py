"""Whether anything of a request reached the wire: what never did was not bought, whatever went wrong."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore2

_current: ContextVar["Wire | None"] = ContextVar("wire", default=None)


@dataclass(slots=True)
class Wire:
    """sent: a request's head was written, or may have been."""

    sent: bool = False


@contextmanager
def watched() -> Iterator[Wire]:
    """What is sent inside is noted; within another `watched` that one notes it too."""
    outer, wire = _current.get(), Wire()
    token = _current.set(wire)
    try:
        yield wire
    finally:
        _current.reset(token)
        if outer is not None:
            outer.sent = outer.sent or wire.sent


def note_sent() -> None:
    """A request's head is about to be written."""
    if (wire := _current.get()) is not None:
        wire.sent = True


def tracer() -> Callable[[str, dict[str, Any]], Awaitable[None]]:
    """What httpcore calls as one request goes through its phases."""
    tunnel = False

    async def note(event: str, info: dict[str, Any]) -> None:
        nonlocal tunnel
        _, _, phase = event.partition(".send_request_headers.")
        if phase == "started":  # the request to a proxy that only opens the way is not ours
            tunnel = getattr(info.get("request"), "method", None) == b"CONNECT"
        # A head that h11 refuses never becomes bytes; any other break may have come after some of them.
        elif phase and not tunnel and not isinstance(info.get("exception"), httpcore2.LocalProtocolError):
            note_sent()

    return note
