"""`bmn costs`: what the providers were paid."""

from typing import Annotated, Literal

import typer

from bmn.cli.base import examples, run, single
from bmn.cli.lookup.selection import Everyone, OfUser, scope
from bmn.cli.lookup.server_lookup import open_client
from bmn.cli.terminal.cells import Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.params import since as seconds_since
from bmn.format import against, usd
from bmn.schemas.documents import Costs

app = single()


@app.command(cls=examples("bmn costs", "bmn costs --by provider --since 7d", "bmn costs --everyone --by user"))
def costs(
    by: Annotated[Literal["kind", "user", "provider"], typer.Option("--by")] = "kind",
    since: Annotated[
        float | None,
        typer.Option(parser=seconds_since, metavar="WHEN", help="Since 10m, 2h, 3d, yesterday, or an ISO time."),
    ] = None,
    user: OfUser = None,
    everyone: Everyone = False,
) -> None:
    """Money by kind, provider or user: what was spent, and what all of it costs where every provider has its key."""
    scope(user, everyone=everyone)  # refuses both

    async def fetch() -> Costs:
        async with open_client(role="admin" if by == "user" or user or everyone else "user") as client:
            return await client.costs(by=by, since=since, user=user, everyone=everyone)

    answer = run(fetch())
    if console.json:
        console.document(answer)
        return
    rows = answer.rows
    if not rows:
        console.say("Nothing was spent.")
    else:
        columns = (
            Column(by.upper(), flexible=True),
            Column("CALLS", right=True),
            Column("UNITS", right=True),
            Column("SPENT", right=True),
            Column("EXPECTED", right=True, drop=1),
            Column("WITH KEYS", right=True),
        )
        table = [
            (
                str(row.key or "?"),
                str(row.calls),
                f"{row.units:g}",
                usd(0 if row.sandboxed else row.usd),
                "-" if row.usd_estimated is None else usd(row.usd_estimated),
                usd(row.usd),
            )
            for row in rows
        ]
        console.table(columns, table)
        console.answer(f"spent: {against(answer.total_usd, answer.usd_estimated)}")
    console.next_step("bmn costs --by provider --since 7d" if by == "kind" else "bmn jobs list --since 7d")
