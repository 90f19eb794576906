"""`bmn open`: the page with the pictures, in the browser."""

import os
import sys
import webbrowser
from typing import Annotated

import typer

from bmn.cli.base import examples, run, single
from bmn.cli.lookup.brand_lookup import find_brand
from bmn.cli.lookup.job_lookup import find_job
from bmn.cli.lookup.server_lookup import open_client
from bmn.cli.terminal.console import console


def visit(path: str, *, role: str = "user", browser: bool = True) -> None:
    """Prints an address that signs in and leads to a page, once; shows it where there is a browser."""

    async def address() -> str:
        async with open_client(role=role) as client:
            if not await client.is_up():
                await client.credits()  # says in three lines that nobody answers
            return (await client.sign_in_link(path)).url

    url = run(address())
    if console.json:
        console.document({"url": url})
        return
    console.answer(url)
    if not browser or not console.interactive:
        return
    # A server's word: what is no page, such as an option or a file, is not handed to a program.
    if not (url.startswith(("https://", "http://")) and _has_display() and webbrowser.open(url)):
        console.say("There is no browser here; open the address above in one.")


def _has_display() -> bool:
    """Whether a browser would get a window: without one Python takes a text browser, which takes the terminal."""
    if sys.platform in ("darwin", "win32") or os.environ.get("BROWSER"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


OnlyPrint = Annotated[bool, typer.Option("--print", help="Only print the address.")]

app = single()


@app.command("open", cls=examples("bmn open", 'bmn open --brand "Acme Coffee"', "bmn open --job last"))
def open_page(
    brand: Annotated[str | None, typer.Option(metavar="NAME", help="The page of this brand.")] = None,
    job: Annotated[str | None, typer.Option(metavar="JOB", help="The page of this job.")] = None,
    only_print: OnlyPrint = False,
) -> None:
    """Opens the page with the pictures, signed in."""

    async def path() -> str:
        async with open_client() as client:
            if brand:
                return f"/g/{(await find_brand(client, brand)).id}"
            return f"/g/job/{await find_job(client, job)}" if job else "/"

    visit(run(path()), browser=not only_print)
    console.next_step("bmn logos list")
