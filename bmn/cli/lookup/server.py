"""Whom a generator talks to: the server that answers, or, on the default local address, a private one for the while."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bmn.cli.terminal.console import console
from bmn.client import Client
from bmn.errors import NoServer
from bmn.settings import Settings, load_settings


def open_client(*, role: str = "user", settings: Settings | None = None, api_url: str | None = None) -> Client:
    return Client(
        settings or load_settings(), api_url=api_url or console.api_url or None, role=role, on_notice=console.say
    )


@dataclass(frozen=True, slots=True)
class Server:
    """private: it was started for this command and ends with it."""

    settings: Settings
    api_url: str
    private: bool


@asynccontextmanager
async def server_for(queue: str, *, detach: bool) -> AsyncIterator[Server]:
    """A server that answers. queue: what a private one would work on.

    Raises NoServer where none answers and a private one will not do.
    """
    settings = load_settings()
    async with open_client(settings=settings) as client:
        if console.api_url or settings.bmn_api_url or await client.is_up():
            yield Server(settings, client.api_url, private=False)
            return
    if detach:
        raise NoServer(
            f"No server answers at {client.api_url}, and a private one would end with this command.",
            hint="Start one in another terminal: bmn serve. Or leave out --detach.",
        )
    from bmn.local.temporary import private_stack

    console.say(f"no server is running: starting a private one in {settings.bmn_home}, which stops afterwards")
    async with private_stack(settings, [queue]) as api_url:
        yield Server(settings, api_url, private=True)
