"""What needs no token and is the same for everybody: made once a process, off the loop, and then given as bytes."""

import asyncio
import hashlib
from collections.abc import Callable
from functools import partial

from fastapi import Request, Response

from bmn.server.edge.conditions import is_current
from bmn.server.state.snapshot import Snapshot

_EVER = float("inf")
_OF_A_COPY = ("ETag", "Cache-Control")


class Fixed:
    """make: the answer, with its type and headers. Runs in a thread, so that nobody waits for it but who asked."""

    def __init__(self, make: Callable[[], Response]) -> None:
        self._made = Snapshot(partial(asyncio.to_thread, _tagged, make), _EVER)

    async def answer(self, request: Request) -> Response:
        """The same bytes each time; 304 to who has them."""
        made = await self._made.get()
        if is_current(request.headers, made.headers["ETag"], ""):
            return Response(status_code=304, headers={name: made.headers[name] for name in _OF_A_COPY})
        return Response(made.body, headers=made.headers)


def _tagged(make: Callable[[], Response]) -> Response:
    made = make()
    made.headers.update({"ETag": f'"{hashlib.sha256(made.body).hexdigest()[:32]}"', "Cache-Control": "no-cache"})
    return made
