"""The events of jobs as server-sent events: from the rows, woken by the stream, so that none is missed or comes twice."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import StringConstraints

from bmn.db import job_store
from bmn.db.records import StoredEvent
from bmn.errors import NotSignedIn, TryLater
from bmn.identity.tokens import Principal
from bmn.schemas.events import JOB_EVENTS, ends_job
from bmn.schemas.payloads import TERMINAL_STATES
from bmn.server.access.asking import AskingRoute
from bmn.server.access.dependencies import ByAddress, JobPath, Res, owner_filter
from bmn.server.access.refusals import ANY_CALLER, refusals
from bmn.server.access.revealing import Looker
from bmn.server.state.resources import Resources
from bmn.server.usecases.waiting import counted_stream, wait_for_news
from bmn.server.usecases.watched import note_watched

router = APIRouter(prefix="/api/v1", tags=["jobs"], route_class=AskingRoute)

_HEARTBEAT_SECONDS = 10.0
_LOOK_SECONDS = 3.0  # a revoked key hears no more after that
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


_FRAME = {
    "type": "object",
    "properties": {
        "event": {"enum": [*JOB_EVENTS]},
        "id": {"type": "string", "description": "the event's seq"},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["event", "id", "data"],
}
_STREAM: dict[str, Any] = {
    "description": "Server-sent events, each of this shape",
    "content": {"text/event-stream": {"schema": _FRAME}},
}


@router.get(
    "/jobs/{job_id}/events",
    response_class=StreamingResponse,
    responses={
        200: _STREAM,
        204: {"description": "the job has ended, and nothing follows"},
        **ANY_CALLER,
        **refusals(404),
    },
)
async def events(
    job_id: JobPath,
    res: Res,
    principal: Looker,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=20, pattern=r"^[0-9]*$")] = None,
    after: Annotated[int, Query(ge=0, le=2**31)] = 0,
    _token: ByAddress = None,
) -> Response:
    """`id:` is the job's seq; a client that comes back with `Last-Event-ID` gets what followed. Ends with the job.

    204 where it had all of it: an EventSource would come back for ever otherwise.
    """
    owners = await _owners(res, principal, [job_id])
    seq = min(int(last_event_id), 2**31) if last_event_id else after
    if last_event_id and await _has_ended(res, job_id, seq):
        return Response(status_code=204)
    frames = _stream(res, {job_id: seq}, owners, principal, numbered=True)
    return await counted_stream(res, principal.counted_as, frames, HEADERS)


_MOST_JOBS = 12
_Position = Annotated[str, StringConstraints(max_length=150, pattern=r"^[A-Za-z0-9_-]{1,128}(:[0-9]{1,9})?$")]


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: _STREAM, **ANY_CALLER, **refusals(404)},
)
async def events_of_several(
    res: Res,
    principal: Looker,
    job: Annotated[list[_Position], Query(min_length=1, max_length=_MOST_JOBS)],
    _token: ByAddress = None,
) -> StreamingResponse:
    """One stream for up to twelve jobs: `?job=ID` or `?job=ID:SEQ` for each, with what followed that `seq`.

    Its events have no `id:`; `data` says of which job each is, and its `seq`. An event `alive` comes every ten seconds.
    Ends with the last of the jobs.
    """
    positions = dict(_position(text) for text in job)
    owners = await _owners(res, principal, positions)
    frames = _stream(res, positions, owners, principal, numbered=False)
    return await counted_stream(res, principal.counted_as, frames, HEADERS)


def _position(text: str) -> tuple[str, int]:
    job_id, _, seq = text.partition(":")
    return job_id, int(seq or 0)


async def _owners(res: Resources, principal: Principal, job_ids: Iterable[str]) -> dict[str, str | None]:
    """Whose each job is. Raises NotFound for one that the caller does not see."""
    names, owner = list(job_ids), owner_filter(principal)
    return await res.core.db.read(lambda conn: {name: job_store.get_job(conn, name, owner).user_id for name in names})


async def _stream(
    res: Resources, positions: dict[str, int], owners: dict[str, str | None], principal: Principal, *, numbered: bool
) -> AsyncIterator[bytes]:
    """Frames until the jobs, the token, the key or the process end. Without news a sign of life keeps proxies awake.

    positions: the seq of the last known event of each job. owners: whose each is. numbered: the frames carry their seq,
    as the id to resume from.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + max(0.0, principal.expires_at - time.time())
    silent_since = loop.time()
    yield b": job events\n\n"
    with res.tail.listen(*positions) as wake:
        while positions and not res.closing.is_set() and loop.time() < until:
            if not await is_let_in(res, principal):
                return
            wake.clear()
            news = False
            for job_id in list(positions):
                async for row in _news(res, positions, job_id):
                    news = True
                    yield _frame(row, res, numbered=numbered)
                    if ends_job(row.event, row.payload):
                        await note_watched(res.core.redis, job_id, principal, owners[job_id])
            if news:
                silent_since = loop.time()
                continue
            if not positions:
                return
            if loop.time() - silent_since >= _HEARTBEAT_SECONDS:
                silent_since = loop.time()
                yield b": alive\n\n" if numbered else b"event: alive\ndata: {}\n\n"
            await wait_for_news(res, wake, _LOOK_SECONDS)


async def is_let_in(res: Resources, principal: Principal) -> bool:
    """Whether a caller's account and key still let them in; they do while nobody can say."""
    try:
        await res.auth.current(principal)
    except NotSignedIn:
        return False
    except TryLater:
        return True
    return True


async def _news(res: Resources, positions: dict[str, int], job_id: str) -> AsyncIterator[StoredEvent]:
    """What one job has published; moves its position, and takes it away after the end."""
    rows = await res.core.events.after(job_id, positions[job_id])
    for row in rows:
        positions[job_id] = row.seq
        yield row
        if ends_job(row.event, row.payload):
            del positions[job_id]
            return
    if not rows and await _has_ended(res, job_id, positions[job_id]):
        del positions[job_id]


async def _has_ended(res: Resources, job_id: str, seq: int) -> bool:
    """Whether the job has published all it ever will: for a client that already has the terminal event, or a row deleted."""
    row = await res.core.db.read(lambda conn: job_store.state_of(conn, job_id))
    return row is None or (row[0] in TERMINAL_STATES and row[1] <= seq)


def _frame(row: StoredEvent, res: Resources, *, numbered: bool) -> bytes:
    data: dict[str, Any] = res.signer.sign_all(row.payload)
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    number = f"id: {row.seq}\n" if numbered else ""
    return f"event: {row.event}\n{number}data: {text}\n\n".encode()
