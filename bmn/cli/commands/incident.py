"""`bmn incident`: what is going on, who is affected, how to fix it, and who was compensated."""

from typing import Annotated

import typer

from bmn.cli.base import examples, run, single
from bmn.cli.lookup.selection import Since
from bmn.cli.lookup.server_lookup import open_client
from bmn.cli.terminal.cells import Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.timespan import ago, local
from bmn.format import count, usd
from bmn.schemas.documents import Incident, Incidents

_GOING_ON = (Column("WHAT"), Column("SINCE"), Column("TAKEN BY", drop=1), Column("MESSAGE", flexible=True))
_USERS = (
    Column("USER"),
    Column("JOBS", right=True),
    Column("HEALED", right=True),
    Column("WAITING", right=True),
    Column("FAILED", right=True),
    Column("REFUNDED", right=True),
    Column("WHOLE"),
)

app = single()


@app.command(cls=examples("bmn incident", "bmn incident provider_auth --since 6h", "bmn incident 7 --json"))
def incident(
    name: Annotated[str | None, typer.Argument(metavar="[CAUSE|ALERT]")] = None,
    since: Since = None,
) -> None:
    """What is going on; of one cause or alert: who is affected, what has recovered, and how to fix the rest."""
    if name is None:
        _list()
        return

    async def fetch() -> Incident:
        async with open_client(role="admin") as client:
            return await client.incident(name, since=since)

    found = run(fetch())
    if console.json:
        console.document(found)
        return
    _show(found)


def _list() -> None:
    async def fetch() -> Incidents:
        async with open_client(role="admin") as client:
            return await client.incidents()

    found = run(fetch())
    if console.json:
        console.document(found)
        return
    alerts = [
        (str(alert.id), _when(alert.opened_at), alert.acknowledged_by or "", alert.message)
        for alert in sorted(found.alerts, key=lambda alert: (alert.severity != "error", alert.opened_at))  # worst first
    ]
    causes = [
        (
            each.cause,
            "this hour",
            "",
            f"{count(each.jobs, 'job')}, {each.share:.1%} of {' and '.join(each.queues)}; usually {each.usual_share:.1%}",
        )
        for each in found.causes
    ]
    if not alerts and not causes:
        console.say("Nothing is going on: no open alert, and no cause above its usual share.")
        console.next_step("bmn doctor")
        return
    console.table(_GOING_ON, [*alerts, *causes])
    console.next_step(*(f"bmn incident {row[0]}" for row in (*causes, *alerts)[:1]))


def _show(found: Incident) -> None:
    fields = {
        "Cause": found.cause or "",
        "Alert": f"{found.alert.id}: {found.alert.message}" if found.alert else "",
        "First": _moment(found.first_seen),
        "Last": _moment(found.last_seen),
        "Jobs": f"{found.jobs}{'' if found.exact else ' or more'}: {found.healed} healed, {found.waiting} waiting,"
        f" {found.failed} failed, {found.cancelled} cancelled",
        "Behind it": f"{count(found.held, 'other job')} waiting" if found.held else "",
        "Users": f"{found.users_hurt}, {found.users_whole} made whole",
        "Credits": f"{found.credits_refunded} given back; {found.credits_waiting} set aside for those that wait,"
        " to be charged for what they deliver",
        "Providers": f"{usd(found.usd_lost)} for jobs that failed",
        "Do": found.advice,
        "Say": found.words,
    }
    for name, value in fields.items():
        if value:
            console.field(name, value)
    if found.users:
        console.answer()
        console.table(
            _USERS,
            [
                (
                    user.user_id or "(ours)",
                    str(user.jobs),
                    str(user.healed),
                    str(user.waiting),
                    str(user.failed),
                    str(user.credits_refunded),
                    ("yes", "green") if user.made_whole else ("no", "red"),
                )
                for user in found.users
            ],
        )
    console.next_step(found.remedy or "bmn incident")


def _moment(time: str | None) -> str:
    return f"{local(time)}  ({ago(time)})" if time else ""


def _when(time: str) -> str:
    return ago(time) if console.width is not None else time
