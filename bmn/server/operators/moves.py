"""Tells an operators' page that something has moved, so that it looks again: no more often than every two seconds."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from bmn.identity.tokens import Principal
from bmn.schemas.base import JobId
from bmn.server.access.dependencies import Res
from bmn.server.pages.access import PageRoute, Visitor
from bmn.server.routes.job_event_routes import HEADERS, is_let_in
from bmn.server.state.resources import Resources
from bmn.server.state.tail import EVERYTHING
from bmn.server.usecases.waiting import counted_stream, wait_for_news

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_REST_SECONDS = 2.0
_LOOK_SECONDS = 3.0  # a revoked key hears no more after that
_HEARTBEAT_SECONDS = 10.0


@router.get("/admin/events")
async def moves(res: Res, visitor: Visitor, job: Annotated[JobId | None, Query()] = None) -> StreamingResponse:
    """An event `moved` when anything did, or this job; `alive` every ten seconds. What has moved is the page's to ask."""
    return await counted_stream(res, visitor.counted_as, _frames(res, visitor, job or EVERYTHING), HEADERS)


async def _frames(res: Resources, visitor: Principal, what: str) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    until = loop.time() + max(0.0, visitor.expires_at - time.time())
    silent_since = loop.time()
    yield b": moves\n\n"
    with res.tail.listen(what) as wake:
        while not res.closing.is_set() and loop.time() < until:
            if not await is_let_in(res, visitor):
                return
            if wake.is_set():
                wake.clear()
                silent_since = loop.time()
                yield b"event: moved\ndata: {}\n\n"
                await asyncio.sleep(_REST_SECONDS)
            elif loop.time() - silent_since >= _HEARTBEAT_SECONDS:
                silent_since = loop.time()
                yield b"event: alive\ndata: {}\n\n"
            await wait_for_news(res, wake, _LOOK_SECONDS)
