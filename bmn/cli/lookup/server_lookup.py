"""The server a generator talks to: the one that answers, or, on the default local address, a temporary one of its own."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bmn.cli.lookup.profiles import client_settings
from bmn.cli.terminal.console import console
from bmn.client import Client
from bmn.errors import Conflict, NoServer
from bmn.settings import Settings, load_settings
from bmn.settings.running import PRIVATE, holder, is_held

_LOOK_SECONDS = 0.1
_START_SECONDS = 60.0  # in which a `bmn serve` that has the home has to answer
_REFUSALS = 20  # how often another command may have been faster


def open_client(*, role: str = "user", settings: Settings | None = None, api_url: str | None = None) -> Client:
    """A client of the server that is meant, signed in where we can."""
    return Client(
        settings or client_settings(),
        api_url=api_url or console.api_url or None,
        role=role,
        on_notice=console.say,
        on_act=console.warn_production,
    )


@dataclass(frozen=True, slots=True)
class Server:
    """private: it was started for this command and ends with it."""

    settings: Settings
    api_url: str
    private: bool


@asynccontextmanager
async def server_for(*queues: str, detach: bool) -> AsyncIterator[Server]:
    """A server that answers. queues: what a private one would work on.

    Raises NoServer where none answers and a private one will not do.
    """
    settings = client_settings()
    async with open_client(settings=settings) as client:
        answers = bool(console.api_url or settings.bmn_api_url) or await client.is_up()
    if answers:
        yield Server(settings, client.api_url, private=False)
        return
    if detach:
        raise NoServer(
            f"No server answers at {client.api_url}, and a private one would end with this command.",
            hint="Start one in another terminal: bmn serve. Or leave out --detach.",
        )
    async with AsyncExitStack() as stack:
        yield await _start(stack, settings, queues)


@asynccontextmanager
async def client_of(*queues: str, detach: bool) -> AsyncIterator[Client]:
    """A client of that server."""
    async with (
        server_for(*queues, detach=detach) as server,
        open_client(settings=server.settings, api_url=server.api_url) as client,
    ):
        yield client


async def _start(stack: AsyncExitStack, settings: Settings, queues: Sequence[str]) -> Server:
    """A private server, once nobody else works in this home; or the one that somebody else has started meanwhile."""
    from bmn.local.temporary import private_stack

    refusals = 0
    while True:
        if (found := await _wait_for_home(settings)) is not None:
            return found
        try:
            if not refusals:
                console.say(
                    f"no server is running: starting a private one in {settings.bmn_home}, which stops afterwards"
                )
            return Server(settings, await stack.enter_async_context(private_stack(settings, queues)), private=True)
        except Conflict:
            refusals += 1
            if refusals > _REFUSALS and not is_held(settings.bmn_home):
                raise  # it is not the home that is taken


async def _wait_for_home(settings: Settings) -> Server | None:
    """Waits while another command has the home; gives the server that answers in it, None where the home is free.

    Raises Conflict where a `bmn serve` has it and does not answer.
    """
    said, deadline = False, time.monotonic() + _START_SECONDS
    while is_held(settings.bmn_home):
        now = load_settings()
        if now.running.api_url:
            async with open_client(settings=now) as client:
                if await client.is_up():
                    return Server(now, client.api_url, private=False)
        purpose = holder(settings.bmn_home).purpose
        if purpose == PRIVATE:
            deadline = time.monotonic() + _START_SECONDS
        elif time.monotonic() > deadline:
            raise Conflict(
                f"`{purpose}` has {settings.bmn_home} and does not answer.", hint="Stop it, or name another BMN_HOME."
            )
        if not said:
            console.say(f"`{purpose}` works in {settings.bmn_home}: waiting for it")
            said = True
        await asyncio.sleep(_LOOK_SECONDS)
    return None
