"""A process with nothing but the socket server: `python -m tests.live.serve`. Prints its port once it answers."""

import asyncio
import json
import os
import socket
from collections.abc import MutableMapping
from typing import Any

import uvicorn

from bmn import logs
from bmn.lifeline import end_when_told
from bmn.server.sockets import create_socket_app
from bmn.server.sockets.limits import Limits
from bmn.server.state.resources import Resources
from bmn.settings import Settings, load_settings


class App:
    """The socket server with nothing around it."""

    def __init__(self, settings: Settings, limits: Limits) -> None:
        self.resources = Resources(settings)
        self.sockets = create_socket_app(self.resources, limits)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await self.sockets(scope, receive, send)
            return
        while (await receive())["type"] == "lifespan.startup":
            await self.resources.open()
            await self.sockets.start()
            await send({"type": "lifespan.startup.complete"})
        await self.sockets.stop()
        await self.resources.close()
        await send({"type": "lifespan.shutdown.complete"})


def uvicorn_config(app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=1_000_000,
        log_config=None,
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=5,
    )


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        assert sockets
        print(sockets[0].getsockname()[1], flush=True)


def main() -> None:
    logs.configure("info", "json", process="live")
    app = App(load_settings(), Limits(**json.loads(os.environ["LIVE_LIMITS"])))
    listener = socket.create_server(("127.0.0.1", int(os.environ["LIVE_PORT"])))
    server = _Server(uvicorn_config(app))
    end_when_told(server.handle_exit)
    asyncio.run(server.serve([listener]))


if __name__ == "__main__":
    main()
