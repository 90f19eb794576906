"""HEAD on every address that GET has: the same status and headers, and no body."""

import asyncio

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bmn.server.edge.asgi import has_more, is_answered_body, is_http, method_of

_ASKED = "bmn.head"


def is_head(request: Request) -> bool:
    """For the one page whose GET is spent by reading it."""
    return _ASKED in request.scope


class Head:
    """Routes a HEAD as a GET, and ends the answer where its body would begin: a film or an event stream is not read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_http(scope) or method_of(scope) != "HEAD":
            await self._app(scope, receive, send)
            return
        scope.update({"method": "GET", _ASKED: True})
        ended = False

        async def headers_only(message: Message) -> None:
            nonlocal ended
            scope["method"] = "HEAD"  # what is routed may be seen as what it is: by the log, and by uvicorn
            if not is_answered_body(message):
                await send(message)
            elif not ended:
                ended = True
                await send({"type": "http.response.body", "body": b""})
                if has_more(message):
                    answering.cancel()

        answering = asyncio.ensure_future(self._app(scope, receive, headers_only))
        try:
            await answering
        except asyncio.CancelledError:
            if not ended:
                raise
