"""A job's events as server-sent events: from the rows, woken by the stream, so that none is missed and none comes twice."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from bmn.db import jobs
from bmn.db.records import StoredEvent
from bmn.identity.tokens import Principal
from bmn.schemas.events import JOB_EVENTS, ends_job
from bmn.schemas.payloads import TERMINAL_STATES
from bmn.server.dependencies import Caller, JobPath, Res, owner_filter
from bmn.server.refusals import ANY_CALLER, refusals
from bmn.server.resources import Resources
from bmn.server.waiting import followed, wait_for_news

router = APIRouter(prefix="/api/v1", tags=["jobs"])

_HEARTBEAT_SECONDS = 10.0
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


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
    responses={200: _STREAM, **ANY_CALLER, **refusals(404)},
)
async def events(
    job_id: JobPath,
    res: Res,
    principal: Caller,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=20, pattern=r"^\d*$")] = None,
    after: Annotated[int, Query(ge=0, le=2**31)] = 0,
) -> StreamingResponse:
    """`id:` is the job's seq; a client that comes back with `Last-Event-ID` gets what followed. Ends with the job."""
    await res.core.db.read(lambda conn: jobs.get_job(conn, job_id, owner_filter(principal)))
    seq = min(int(last_event_id), 2**31) if last_event_id else after
    return _Counted(res, principal, job_id, seq)


class _Counted(StreamingResponse):
    """An event stream that is counted until it ends, in whatever way."""

    def __init__(self, res: Resources, principal: Principal, job_id: str, seq: int) -> None:
        # Before anything else happens: many that come at the same moment must not all find room.
        self._counted = contextlib.ExitStack()
        self._counted.enter_context(followed(res, principal.user_id))
        super().__init__(_stream(res, job_id, seq, principal.expires_at), 200, _HEADERS, "text/event-stream")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._counted:
            await super().__call__(scope, receive, send)


async def _stream(res: Resources, job_id: str, seq: int, expires_at: float) -> AsyncIterator[bytes]:
    """Frames until the job, the token or the process ends. No frame for this long: a comment keeps proxies awake."""
    loop = asyncio.get_running_loop()
    until = loop.time() + max(0.0, expires_at - time.time())
    silent_since = loop.time()
    yield b": job events\n\n"
    with res.tail.listen(job_id) as wake:
        while not res.closing.is_set() and loop.time() < until:
            wake.clear()
            rows = await res.core.events.after(job_id, seq)
            for row in rows:
                seq = row.seq
                yield _frame(row, res)
                if ends_job(row.event, row.payload):
                    return
            if rows:
                silent_since = loop.time()
                continue
            if await _has_ended(res, job_id, seq):
                return
            if loop.time() - silent_since >= _HEARTBEAT_SECONDS:
                silent_since = loop.time()
                yield b": alive\n\n"
            await wait_for_news(res, wake)


async def _has_ended(res: Resources, job_id: str, seq: int) -> bool:
    """Whether the job has published all it ever will: for a client that already has the terminal event, or a row deleted."""
    row = await res.core.db.read(lambda conn: jobs.state_of(conn, job_id))
    return row is None or (row[0] in TERMINAL_STATES and row[1] <= seq)


def _frame(row: StoredEvent, res: Resources) -> bytes:
    data: dict[str, Any] = res.signer.sign_all(row.payload)
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"event: {row.event}\nid: {row.seq}\ndata: {text}\n\n".encode()
