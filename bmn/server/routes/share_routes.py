"""What is handed to others: links that show a job or pictures, live while it runs; and tokens for browsers."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from bmn.db import job_store
from bmn.db.accounts import share_store
from bmn.db.engine import Connection
from bmn.db.library import brand_store
from bmn.db.records import ShareRow
from bmn.errors import NotFound, UsageProblem
from bmn.identity.browser import BoundKind, Bounds, Grant
from bmn.schemas import documents
from bmn.schemas.base import JobId, when
from bmn.schemas.payloads import TERMINAL_STATES
from bmn.schemas.requests import TokenBody
from bmn.server.access.asking import AskingRoute
from bmn.server.access.dependencies import Caller, Res
from bmn.server.access.refusals import ANY_CALLER, refusals
from bmn.server.answers.share_links import OpenShare, address_of, open_share, shared_job, visit_share
from bmn.server.routes.job_event_routes import HEADERS
from bmn.server.state.resources import Resources
from bmn.server.usecases.waiting import counted_stream, wait_for_news

router = APIRouter(prefix="/api/v1", tags=["sharing"], route_class=AskingRoute)

_OF_CALLER = ANY_CALLER | refusals(404)
_OPEN: dict[str, Any] = {"security": []}
_LOOK_SECONDS = 3.0  # a link that was withdrawn shows nothing more after that
_REST_SECONDS = 0.5
_HEARTBEAT_SECONDS = 10.0
_FRAME = {
    "type": "object",
    "properties": {"event": {"const": "shared"}, "data": {"type": "string", "contentMediaType": "application/json"}},
    "required": ["event", "data"],
}
_STREAM: dict[str, Any] = {
    "description": "Server-sent events; `data` is what `GET /api/v1/shared/{token}` answers",
    "content": {"text/event-stream": {"schema": _FRAME}},
}


@router.post("/tokens", status_code=201, responses=_OF_CALLER | refusals(413))
async def make_token(body: TokenBody, res: Res, principal: Caller) -> documents.BrowserToken:
    """A token for a browser: it reads and follows this one job, brand or group of the caller's, and does nothing else."""
    if sum(given is not None for given in (body.job_id, body.brand_id, body.group_id)) != 1:
        raise UsageProblem("Give one of jobId, brandId and groupId.")

    def look(conn: Connection) -> Bounds:
        if body.job_id is not None:
            return Bounds(BoundKind.JOB, job_store.get_job(conn, body.job_id, principal.user_id).id)
        if body.group_id is not None:
            return Bounds(BoundKind.GROUP, job_store.own_group(conn, body.group_id, principal.user_id))
        return Bounds(BoundKind.BRAND, brand_store.get(conn, body.brand_id or "", principal.user_id).id)

    bounds, until = await res.core.db.read(look), float(int(time.time()) + body.expires_in)
    grant = Grant(principal.user_id, bounds, until, principal.key_id)
    return documents.BrowserToken(
        token=res.signer.browser_tokens().mint(grant),
        job_id=body.job_id,
        brand_id=body.brand_id,
        group_id=body.group_id,
        expires_at=when(until),
    )


@router.get("/shares", responses=ANY_CALLER)
async def list_shares(
    res: Res,
    principal: Caller,
    ended: Annotated[bool, Query(alias="all", description="also those that show nothing any more")] = False,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
) -> documents.Shares:
    """The links that the caller handed out, newest first."""

    def read(conn: Connection) -> tuple[list[ShareRow], str | None, dict[str | None, str]]:
        rows, further = share_store.listed(conn, principal.user_id, ended=ended, limit=limit, cursor=cursor)
        return rows, further, brand_store.names(conn, {row.brand_id for row in rows})

    rows, further, names = await res.core.db.read(read)
    return documents.Shares(shares=[_view(res, row, names.get(row.brand_id)) for row in rows], next_cursor=further)


@router.post("/shares/{share_id}/revoke", responses=_OF_CALLER)
async def revoke_share(share_id: JobId, res: Res, principal: Caller) -> documents.Share:
    """Withdraws one link; pages that show it end within seconds."""

    def revoke(conn: Connection) -> tuple[ShareRow, dict[str | None, str]]:
        row = share_store.revoke(conn, share_id, principal.user_id)
        return row, brand_store.names(conn, {row.brand_id})

    row, names = await res.core.db.write(revoke)
    return _view(res, row, names.get(row.brand_id))


def _view(res: Resources, row: ShareRow, brand_name: str | None) -> documents.Share:
    return documents.Share(
        id=row.id,
        url=address_of(res, row)[1],
        job_id=row.job_id,
        brand_id=row.brand_id,
        brand_name=brand_name,
        pictures=len(row.asset_ids),
        created_at=when(row.created_at),
        expires_at=when(row.expires_at),
        revoked_at=when(row.revoked_at),
    )


@router.get("/shared/{token}", openapi_extra=_OPEN, responses=refusals(404, 429, 503))
async def shared(token: str, request: Request, res: Res) -> documents.SharedJob:
    """What a shared link shows: the pictures and how far the job is; nothing about its owner or its cost."""
    return await shared_job(res, await visit_share(res, token, request.scope))


@router.get(
    "/shared/{token}/events",
    openapi_extra=_OPEN,
    response_class=StreamingResponse,
    responses={200: _STREAM, **refusals(404, 429, 503)},
)
async def shared_events(token: str, request: Request, res: Res) -> StreamingResponse:
    """The same document each time that it has changed. Ends with the job, and when the link is withdrawn."""
    shown = await visit_share(res, token, request.scope)
    if shown.job_id is None:
        raise NotFound("This link shows pictures, and no job.")
    return await counted_stream(res, shown.name, _stream(res, shown, token), HEADERS)


async def _stream(res: Resources, shown: OpenShare, token: str) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    silent_since, last = loop.time(), ""
    yield b": a shared job\n\n"
    with res.tail.listen(shown.job_id or "") as wake:
        while not res.closing.is_set():
            wake.clear()
            try:
                document = await shared_job(res, await open_share(res, token))
            except NotFound:
                return
            text = document.model_dump_json(by_alias=True)
            if text != last:
                silent_since, last = loop.time(), text
                yield f"event: shared\ndata: {text}\n\n".encode()
            if document.state in TERMINAL_STATES:
                return
            if loop.time() - silent_since >= _HEARTBEAT_SECONDS:
                silent_since = loop.time()
                yield b": alive\n\n"
            await wait_for_news(res, wake, _LOOK_SECONDS)
            await asyncio.sleep(_REST_SECONDS)
