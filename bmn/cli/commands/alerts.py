"""`bmn alerts`: what is wrong with the service, since when, and who has it."""

from typing import Annotated

import typer

from bmn.cli.base import examples, group, run
from bmn.cli.lookup.server_lookup import open_client
from bmn.cli.terminal.cells import Cell, Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.params import Reason, span
from bmn.cli.terminal.timespan import ago
from bmn.schemas.documents import AlertMute, AlertMutes, AlertRecord, Alerts

_OPEN = (Column("ID"), Column("SINCE"), Column("KIND"), Column("TAKEN BY", drop=1), Column("MESSAGE", flexible=True))
_COLUMNS = (Column("OVER"), *_OPEN)

Kind = Annotated[
    str | None, typer.Option("--kind", metavar="KIND", help="Of this kind only, such as queue-paused or dead-letters.")
]
Ended = Annotated[bool, typer.Option("--all", help="Those of the last month that are over, too.")]
OfKind = Annotated[str, typer.Argument(metavar="KIND")]


def _alone(context: typer.Context, kind: Kind = None, ended: Ended = False) -> None:
    if context.invoked_subcommand is None:
        _show(kind, ended)


app = group(
    "What is wrong now, the newest first; acknowledge one, or mute a kind for a while.",
    "bmn alerts",
    "bmn alerts --all",
    "bmn alerts ack 7",
    "bmn alerts mute waiting --for 2h",
    alone=_alone,
)


@app.command(cls=examples('bmn alerts ack 7 --reason "key is being renewed"'))
def ack(alert: Annotated[int, typer.Argument(metavar="ID", min=1)], reason: Reason = None) -> None:
    """Acknowledges an alert; everybody sees in the list that you work on it."""

    async def act() -> AlertRecord:
        async with open_client(role="admin") as client:
            return await client.acknowledge(alert, reason)

    taken = run(act())
    if console.json:
        console.document(taken)
        return
    console.answer(f"alert {taken.id}  acknowledged: {taken.message}")
    console.next_step(taken.next_step)


@app.command(cls=examples("bmn alerts mute waiting --for 2h"))
def mute(
    kind: OfKind,
    seconds: Annotated[float, typer.Option("--for", parser=span, metavar="TIME", help="How long: 30m, 2h, 1d.")],
    reason: Reason = None,
) -> None:
    """Silences a kind of alert for a while; what is still wrong after that is reported then."""

    async def act() -> AlertMutes:
        async with open_client(role="admin") as client:
            return await client.mute(kind, seconds, reason)

    _tell(run(act()), f"{kind}  muted")
    console.next_step(f"bmn alerts unmute {kind}")


@app.command(cls=examples("bmn alerts unmute waiting"))
def unmute(kind: OfKind, reason: Reason = None) -> None:
    """Reports a kind of alert again."""

    async def act() -> AlertMutes:
        async with open_client(role="admin") as client:
            return await client.unmute(kind, reason)

    _tell(run(act()), f"{kind}  told again")
    console.next_step("bmn alerts")


def _tell(muted: AlertMutes, answer: str) -> None:
    if console.json:
        console.document(muted)
        return
    console.answer(answer)
    _say_muted(muted.mutes)


def _show(kind: str | None, ended: bool) -> None:
    async def fetch() -> Alerts:
        async with open_client(role="admin") as client:
            return await client.alerts(kind=kind, ended=ended)

    found = run(fetch())
    if console.json:
        console.document(found)
        return
    if found.alerts:
        rows = [_row(alert) if ended else _open(alert) for alert in found.alerts]
        console.table(_COLUMNS if ended else _OPEN, rows)
    else:
        console.say(f"No alerts of kind {kind}." if kind else "No alerts.")
    _say_muted(found.mutes)
    console.next_step(found.alerts[0].next_step if found.alerts else "bmn doctor")


def _say_muted(mutes: list[AlertMute]) -> None:
    for mute in mutes:
        why = f": {mute.reason}" if mute.reason else ""
        console.say(f"{mute.kind} is muted by {mute.muted_by}, until {_when(mute.until)}{why}", style="dim")


def _row(alert: AlertRecord) -> tuple[Cell, ...]:
    over = alert.resolved_at
    return _when(over) if over else "", *_open(alert)


def _open(alert: AlertRecord) -> tuple[Cell, ...]:
    style = "dim" if alert.resolved_at or alert.muted_until else "red" if alert.severity == "error" else "yellow"
    return str(alert.id), _when(alert.opened_at), (alert.kind, style), alert.acknowledged_by or "", alert.message


def _when(time: str) -> str:
    return ago(time) if console.width is not None else time
