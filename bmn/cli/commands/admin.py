"""`bmn admin`: the pages for whoever runs the service, signed in as an admin."""

from bmn.cli.base import examples, group
from bmn.cli.commands.open import OnlyPrint, visit
from bmn.cli.terminal.console import console

app = group("Pages for whoever runs the service.", "bmn admin open")


@app.command("open", cls=examples("bmn admin open", "bmn admin open --print"))
def open_admin(only_print: OnlyPrint = False) -> None:
    """Opens the operators' pages, signed in as an admin."""
    visit("/admin", role="admin", browser=not only_print)
    console.next_step("bmn queues --watch")
