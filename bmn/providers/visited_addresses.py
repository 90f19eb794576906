"""The addresses that are visited on a user's behalf, as jobs meet them: what is refused, and the look-up of a name."""

import asyncio
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from bmn.errors import Cause, JobFailure
from bmn.internet import Address, NotVisited, VisitTarget, is_public, read_target

__all__ = ["Address", "VisitTarget", "check_url", "is_public", "look_up", "refused"]

# Threads of their own: a name whose servers never answer holds one for half a minute, and the process needs the others.
_RESOLVERS = ThreadPoolExecutor(8, "look-up")


def refused(why: str) -> JobFailure:
    """The failure of an address that is not visited."""
    return JobFailure(Cause.BAD_INPUT, f"The address cannot be used: {why}.")


def check_url(text: str, *, trusted: Iterable[str] = ()) -> VisitTarget:
    """Reads a URL, by the rule of `bmn.internet`. Raises JobFailure(BAD_INPUT) for one that is not visited."""
    try:
        return read_target(text, trusted=trusted)
    except NotVisited as why:
        raise refused(f"it {why}") from None


async def look_up(host: str, port: int) -> list[str]:
    """The addresses of a name. Raises OSError."""
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_RESOLVERS, ask)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
