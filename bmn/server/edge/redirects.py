"""Redirects to pages of ours name no host: the one in a request's Host header is whatever its sender wrote."""

from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bmn.server.edge.asgi import begins_answer, given_headers, header_of, is_http, status_of


class OwnRedirects:
    """Takes the host out of a Location that leads to the host of the request itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_http(scope):
            await self._app(scope, receive, send)
            return
        host = header_of(scope, b"host")

        async def shortened(message: Message) -> None:
            if begins_answer(message) and 300 <= status_of(message) < 400:
                headers = [
                    (name, _path(value, host) if name == b"location" else value)
                    for name, value in given_headers(message)
                ]
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, shortened)


def _path(location: bytes, host: bytes) -> bytes:
    try:
        parts = urlsplit(location.decode("latin-1"))
    except ValueError:
        return b"/"
    if not parts.netloc or parts.netloc.encode("latin-1") != host:
        return location
    path = "/" + parts.path.lstrip("/")  # two slashes at its beginning would name a host again
    return (f"{path}?{parts.query}" if parts.query else path).encode("latin-1")
