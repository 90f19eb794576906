"""`bmn open` and `bmn admin open`: the pages, in the browser."""

import webbrowser

import click

from bmn.cli.base import Command, Group, run
from bmn.cli.lookup.session import find_brand, find_job, open_client
from bmn.cli.terminal.console import console


def visit(path: str, *, role: str = "user", browser: bool = True) -> None:
    """Prints an address that signs in and leads to a page, once; shows it where there is a browser."""

    async def address() -> str:
        async with open_client(role=role) as client:
            if not await client.is_up():
                await client.get("/credits")  # says in three lines that nobody answers
            return str((await client.post("/session", {"path": path}, safe=True))["url"])

    url = run(address())
    if console.json:
        console.document({"url": url})
        return
    console.answer(url)
    if browser and console.interactive and not webbrowser.open(url):
        console.say("There is no browser here; open the address above in one.")


@click.command("open", cls=Command, examples=("bmn open", 'bmn open --brand "Acme Coffee"', "bmn open --job last"))
@click.option("--brand", metavar="NAME", help="The page of this brand.")
@click.option("--job", metavar="JOB", help="The page of this job.")
@click.option("--print", "only_print", is_flag=True, help="Only print the address.")
def open_page(brand: str | None, job: str | None, only_print: bool) -> None:
    """Opens the page with the pictures, signed in."""

    async def path() -> str:
        async with open_client() as client:
            if brand:
                return f"/g/{(await find_brand(client, brand))['id']}"
            return f"/g/job/{await find_job(client, job)}" if job else "/"

    visit(run(path()), browser=not only_print)
    console.next_step("bmn logos list")


@click.group(cls=Group, examples=("bmn admin open",))
def admin() -> None:
    """Pages for whoever runs the service."""


@admin.command("open", examples=("bmn admin open", "bmn admin open --print"))
@click.option("--print", "only_print", is_flag=True, help="Only print the address.")
def open_admin(only_print: bool) -> None:
    """Opens the queues' dashboard, signed in as an admin."""
    visit("/admin/queues", role="admin", browser=not only_print)
    console.next_step("bmn queues --watch")
