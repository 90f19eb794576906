"""`bmn alerts`: what is wrong with the service, and since when."""

from typing import Annotated

import typer

from bmn.cli.base import examples, run, single
from bmn.cli.lookup.server import open_client
from bmn.cli.terminal.cells import Cell, Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.timespan import ago
from bmn.schemas.documents import AlertRecord

_OPEN = (Column("SINCE"), Column("KIND"), Column("MESSAGE", flexible=True))
_COLUMNS = (Column("OVER"), *_OPEN)
_NEXT = {
    "queue-paused": "bmn queues",
    "waiting": "bmn queues",
    "dead-letters": "bmn jobs dlq list",
    "cost-spike": "bmn costs --since 1h --by user",
}


app = single()


@app.command(cls=examples("bmn alerts", "bmn alerts --all", "bmn alerts --kind queue-paused --json"))
def alerts(
    kind: Annotated[
        str | None, typer.Option(metavar="KIND", help="Of this kind only, such as queue-paused or dead-letters.")
    ] = None,
    ended: Annotated[bool, typer.Option("--all", help="Those of the last month that are over, too.")] = False,
) -> None:
    """What is wrong now, the newest first; BMN_ALERT_URLS says who else is told."""

    async def fetch() -> list[AlertRecord]:
        async with open_client(role="admin") as client:
            return await client.alerts(kind=kind, ended=ended)

    found = run(fetch())
    if console.json:
        console.document({"alerts": found})
        return
    if not found:
        console.say(f"No alerts of kind {kind}." if kind else "No alerts.")
        console.next_step("bmn doctor")
        return
    console.table(_COLUMNS if ended else _OPEN, [_row(alert) if ended else _open(alert) for alert in found])
    console.next_step(_NEXT.get(found[0].kind, "bmn doctor"))


def _row(alert: AlertRecord) -> tuple[Cell, ...]:
    over = alert.resolved_at
    return _when(over) if over else "", *_open(alert)


def _open(alert: AlertRecord) -> tuple[Cell, ...]:
    style = "dim" if alert.resolved_at else "red" if alert.severity == "error" else "yellow"
    return _when(alert.opened_at), (alert.kind, style), alert.message


def _when(time: str) -> str:
    return ago(time) if console.width is not None else time
