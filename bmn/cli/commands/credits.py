"""`bmn credits`: what is left, where it went, and more of it."""

from typing import Annotated

import typer

from bmn.cli.base import examples, group, run
from bmn.cli.lookup.server import open_client
from bmn.cli.terminal.cells import Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.format import short_id
from bmn.cli.terminal.timespan import ago
from bmn.schemas.documents import Credits, Granted


def _alone(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        _show()


app = group(
    "What generating costs you; a logo is 1 credit.",
    "bmn credits show",
    'bmn credits grant 50 --reason "thanks"',
    alone=_alone,
)


@app.command(cls=examples("bmn credits show"))
def show() -> None:
    """The balance and the newest movements."""
    _show()


def _show() -> None:
    async def fetch() -> Credits:
        async with open_client() as client:
            return await client.credits()

    balance = run(fetch())
    if console.json:
        console.document(balance)
        return
    console.answer(
        f"{balance.credits_remaining} credits left, {balance.credits_used} used, "
        f"{balance.credits_reserved} reserved for running jobs"
    )
    human = console.width is not None
    rows = [
        (
            ago(entry.at) if human else entry.at,
            entry.kind,
            # A settlement spends what was reserved before; with a sign it would read as credits that came back.
            str(entry.amount) if entry.kind == "settle" else f"{entry.amount:+d}",
            (short_id(entry.job_id) if human else entry.job_id) if entry.job_id else "",
            entry.reason or ("out of the reservation" if entry.kind == "settle" else ""),
        )
        for entry in balance.ledger
    ]
    if rows:
        columns = (
            Column("WHEN"),
            Column("WHAT"),
            Column("CREDITS", right=True),
            Column("JOB"),
            Column("REASON", flexible=True, drop=1),
        )
        console.answer()
        console.table(columns, rows)
    console.next_step("bmn credits grant 50" if balance.credits_remaining < 4 else "bmn costs")


@app.command(cls=examples("bmn credits grant 50", "bmn credits grant 50 --user 6f1c… --reason refund"))
def grant(
    amount: Annotated[int, typer.Argument(min=1, max=100_000)],
    user: Annotated[str | None, typer.Option(metavar="ID", help="Whose; yours by default.")] = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Kept in the ledger.")] = None,
) -> None:
    """Gives credits; admins only."""

    async def act() -> Granted:
        async with open_client(role="admin") as client:
            return await client.grant(amount, user_id=user, reason=reason)

    answer = run(act())
    if console.json:
        console.document(answer)
    else:
        console.answer(f"{amount} credits given; {answer.credits_remaining} left")
    console.next_step("bmn credits show")
