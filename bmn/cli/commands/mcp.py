"""`bmn mcp`: the service as tools for agents."""

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from bmn.cli.agents.purse import Amount, Purse
from bmn.cli.base import UsageError, examples, is_described, single
from bmn.cli.terminal.console import console
from bmn.errors import Misconfigured

if TYPE_CHECKING:
    from bmn.cli.agents.mcp_http import Listening

app = single()


@app.command(
    cls=examples(
        "bmn mcp                                  # reads only; what a client starts",
        "bmn mcp --write --budget 20              # and submits, for 20 credits at most",
        "bmn mcp --write --budget 0.50usd",
        "bmn mcp --port 3100                      # over HTTP, at /mcp",
    )
)
def mcp(
    write: Annotated[
        bool, typer.Option("--write", help="Offer the tools that submit, replay, pick and cancel, too.")
    ] = False,
    budget: Annotated[
        Amount | None,
        typer.Option(
            parser=Amount.read,
            metavar="AMOUNT",
            help="With --write: what it may spend while it runs; 20 are credits, 0.50usd are dollars.",
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, metavar="PORT", help="Speak HTTP there; 0 takes any free port.")
    ] = None,
    host: Annotated[
        str | None, typer.Option(metavar="HOST", help="With --port: which address it listens on. [127.0.0.1]")
    ] = None,
    names: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="NAME", help="With --port: a name by which clients call this host; repeatable."),
    ] = None,
) -> None:
    """Offers estimates, jobs and pictures as tools of the Model Context Protocol, on stdin and stdout or over HTTP.

    It asks the server that every command asks, as whoever you are signed in as. Over HTTP, clients
    send BMN_MCP_TOKEN as a bearer token; where that is not set, a new one is printed.
    """
    if budget is not None and not write:
        raise UsageError("--budget says what --write may spend: add --write.")
    if port is None and (host is not None or names):
        raise UsageError("--host and --name are for HTTP: add --port.")
    if find_spec("mcp") is None:
        raise Misconfigured(
            "`bmn mcp` needs the package `mcp`, which is not installed.",
            hint="pip install 'bmn[mcp]', in a checkout: pip install -e '.[mcp]'",
        )
    if not is_described():
        raise Misconfigured(
            "Agents choose tools by their descriptions, which Python drops with PYTHONOPTIMIZE=2 or -OO.",
            hint="Start it without.",
        )
    if port is None:
        _over_stdio(budget, write=write)
    else:
        place, is_new = _place(host or "127.0.0.1", port, names or [])
        _over_http(place, budget, write=write, shows_token=is_new)


def _place(host: str, port: int, names: list[str]) -> "tuple[Listening, bool]":
    """Where it listens, and whether its token is new, so that nobody knows it yet."""
    from bmn.cli.agents.mcp_http import Listening, token_for
    from bmn.cli.lookup.profiles import client_settings

    token, is_new = token_for(host, client_settings().bmn_mcp_token.get_secret_value())
    place = Listening(host, port, tuple(names), token)
    place.check()
    return place, is_new


def _over_stdio(budget: Amount | None, *, write: bool) -> None:
    import asyncio
    import signal

    from bmn.cli.agents.mcp_server import build
    from bmn.cli.lookup.server_lookup import open_client

    async def serve() -> None:
        async with open_client() as client:
            await build(client, Purse(budget), write=write).run_stdio_async()

    # A thread waits for the next line, and would keep the process until it comes. There is nothing to put away.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.stdin.isatty():
        console.say("An agent's client starts this and speaks to it on stdin; Ctrl-C ends it.")
    asyncio.run(serve())


def _over_http(place: "Listening", budget: Amount | None, *, write: bool, shows_token: bool) -> None:
    import asyncio

    from bmn.cli.agents.mcp_http import address_of, serve
    from bmn.cli.agents.mcp_server import build
    from bmn.cli.lookup.server_lookup import open_client

    listener = place.listen()
    url = address_of(place, listener)

    def ready() -> None:
        if shows_token:
            console.tell(f"Clients send this header, until this server ends:\n  Authorization: Bearer {place.token}")
        if console.json:
            console.json_line({"url": url, "write": write, "budget": str(budget) if budget else None})
        else:
            console.answer(url)
            sys.stdout.flush()  # somebody waits for it

    async def run() -> None:
        async with open_client() as client:
            await serve(build(client, Purse(budget), write=write), place, listener, ready)

    asyncio.run(run())
