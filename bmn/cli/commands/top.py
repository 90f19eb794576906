"""`bmn top`: the whole service on one live screen."""

import sys
from typing import Annotated

import typer

from bmn.cli.base import examples, run, single
from bmn.cli.terminal import exit_codes
from bmn.cli.terminal.console import console
from bmn.cli.terminal.params import span
from bmn.errors import UsageProblem

app = single()


@app.command(cls=examples("bmn top", "bmn top --every 5s      # over a slow line"))
def top(
    every: Annotated[
        float,
        typer.Option(
            "--every", parser=span, metavar="TIME", help="Ask the server this often. [2s]", show_default=False
        ),
    ] = 2.0,
) -> int:
    """Queues, workers, alerts and spend on one live screen; keys pause, drain, replay and look at a job.

    Viewers only look. Needs a terminal.
    """
    if not 1 <= every <= 60:
        raise UsageProblem("--every: from 1s to 60s.", hint="The server answers a user 60 times a minute.")
    if console.json or not (sys.stdin.isatty() and sys.stdout.isatty()) or console.is_dumb:
        raise UsageProblem(
            "`bmn top` draws a screen, and this is not a terminal that has one.",
            hint="For scripts: bmn queues --json, bmn workers --json, bmn alerts --json.",
        )
    run(_watch(every))
    return exit_codes.DONE


async def _watch(every: float) -> None:
    from bmn.cli.following.top_loop import Top
    from bmn.cli.following.top_view import Known
    from bmn.cli.lookup.profiles import client_settings
    from bmn.cli.terminal.screen import open_screen
    from bmn.client import Client

    settings = client_settings()
    async with Client(settings, api_url=console.api_url or None, role="admin") as client:
        me = await client.me()
        await client.overview()  # what is refused is refused before the terminal is taken
        async with open_screen(colored=console.colored(sys.stdout)) as screen:
            known = Known(client.api_url, f"{me.role}", production=bool(console.production))
            await Top(client, screen, known, role=me.role, every=every).run()
