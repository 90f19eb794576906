"""The same server over HTTP, for whoever has its token: other users of this machine can connect to it as well."""

import asyncio
import hmac
import logging
import secrets
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings

from bmn.errors import Misconfigured, UsageProblem
from bmn.lifeline import end_when_told
from bmn.server.edge.connections import guarded_by
from bmn.server.edge.gate import Gate
from bmn.settings.web import bracketed, is_loopback, reachable

PATH = "/mcp"
_LEAST_TOKEN = 16  # characters
_ANYWHERE = ("0.0.0.0", "::", "")
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_GRACE_SECONDS = 5
_CONNECTIONS, _CONNECTIONS_EACH = 500, 100

Scope = dict[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a server listens and who may call it. names: what clients call this host, beside its address.

    token: what they have to send.
    """

    host: str
    port: int
    names: tuple[str, ...]
    token: str

    def check(self) -> None:
        """Raises Misconfigured or UsageProblem for what would be open to others than are meant."""
        if len(self.token) < _LEAST_TOKEN:
            raise Misconfigured(
                f"BMN_MCP_TOKEN is shorter than {_LEAST_TOKEN} characters.", hint="openssl rand -hex 32 makes one."
            )
        if self.host in _ANYWHERE and not self.names:
            raise UsageProblem(
                f"Nobody calls a host {self.host!r}: say by which name clients do.",
                hint="bmn mcp --host 0.0.0.0 --port 3100 --name mcp.example.com",
            )

    def security(self) -> TransportSecuritySettings:
        """Host headers that are meant for us, so that no name that is bent to this address gets through.

        No page of a browser has business here: whoever sends an Origin is refused.
        """
        own = () if self.host in _ANYWHERE else (bracketed(self.host),)
        named = [name for host in (*_LOOPBACK, *own, *self.names) for name in (host, f"{host}:*")]
        return TransportSecuritySettings(allowed_hosts=named, allowed_origins=[])

    def listen(self) -> socket.socket:
        """Raises Misconfigured where it cannot be listened on."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            return socket.create_server((self.host, self.port), family=family)
        except OSError as error:
            raise Misconfigured(
                f"{bracketed(self.host)}:{self.port} cannot be listened on: {error.strerror}.",
                hint="Name another --port; 0 takes any free one.",
            ) from None


class _Listener(uvicorn.Server):
    """Says when it takes connections, and, which is as important to who started it, signals."""

    def __init__(self, config: uvicorn.Config, gate: Gate, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._gate = gate
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._watching = asyncio.create_task(self._gate.watch(), name="gate")
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        self._watching.cancel()


async def serve(server: MCPServer[Any], place: Listening, sock: socket.socket, ready: Callable[[], None]) -> None:
    """Serves on a bound socket until SIGTERM or SIGINT. ready: called when it can be called."""
    app = server.streamable_http_app(
        streamable_http_path=PATH, stateless_http=True, host=place.host, transport_security=place.security()
    )
    gate = Gate(_CONNECTIONS, _CONNECTIONS_EACH)
    http, _ = guarded_by(gate)  # who has no token may send a head here, of any length else
    config = uvicorn.Config(
        guarded(app, place.token),
        http=http,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        workers=1,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    logging.getLogger("uvicorn.access").disabled = True
    own = _Listener(config, gate, ready)
    end_when_told(own.handle_exit)
    await own.serve([sock])


def token_for(host: str, given: str) -> tuple[str, bool]:
    """The token of a server at this host, and whether it was made now, for this run. given: what is configured.

    Raises Misconfigured for an address that others can reach without one that they were given.
    """
    if given:
        return given, False
    if not is_loopback(host):
        raise Misconfigured(
            f"{host} can be reached by others, who could spend your credits: set BMN_MCP_TOKEN.",
            hint="openssl rand -hex 32 makes one, and clients send it as `Authorization`.",
        )
    return secrets.token_urlsafe(32), True


def address_of(place: Listening, sock: socket.socket) -> str:
    """What a client on this machine is told."""
    return f"http://{bracketed(reachable(place.host))}:{sock.getsockname()[1]}{PATH}"


def guarded(app: App, token: str) -> App:
    """The app for whoever sends the token."""
    wanted = f"Bearer {token}".encode()

    async def guard(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            sent = dict(scope["headers"]).get(b"authorization", b"")
            if not hmac.compare_digest(sent, wanted):
                await _refuse(send)
                return
        await app(scope, receive, send)

    return guard


async def _refuse(send: Any) -> None:
    body = b'{"error":"Sign in with the token of this server: BMN_MCP_TOKEN, or the one it printed.","code":"not_signed_in"}'
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"www-authenticate", b"Bearer"),
    ]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": body})
