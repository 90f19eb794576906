"""`bmn audit`: who did what, when, why and from where."""

from typing import Annotated

import typer

from bmn.cli.base import examples, run, single
from bmn.cli.following.hidden import say_hidden
from bmn.cli.lookup.selection import Since, Until
from bmn.cli.lookup.server_lookup import open_client
from bmn.cli.terminal.cells import Cell, Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.page_note import further
from bmn.cli.terminal.params import Reveal
from bmn.cli.terminal.timespan import listed
from bmn.redaction import HIDDEN, unhidden
from bmn.schemas.documents import AuditPage, AuditRecord

_COLUMNS = (
    Column("WHEN"),
    Column("ACTION"),
    Column("SUBJECT", drop=1),
    Column("BY"),
    Column("FROM", drop=2),
    Column("REASON", flexible=True),
)

app = single()


@app.command(
    cls=examples("bmn audit --since 1d", "bmn audit --action job --subject JOB", "bmn audit --key 3f9c02aa71be")
)
def audit(
    actor: Annotated[str | None, typer.Option(metavar="ID", help="Only what this user did, or `system`.")] = None,
    action: Annotated[
        str | None, typer.Option(metavar="ACTION", help="Only this: queue.pause, or all of queue.")
    ] = None,
    subject: Annotated[
        str | None, typer.Option(metavar="ID", help="Only what was done to this job, queue, user or key.")
    ] = None,
    key: Annotated[str | None, typer.Option(metavar="KEY", help="Only what was done with this API key.")] = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=200, metavar="N")] = 20,
    cursor: Annotated[str | None, typer.Option(metavar="CURSOR", help="Where the page before ended.")] = None,
    reveal: Reveal = None,
) -> None:
    """The acts of people and of the system itself, the newest first."""

    async def fetch() -> AuditPage:
        async with open_client(role="admin") as client:
            return await client.audit(
                limit=limit,
                cursor=cursor,
                actor=actor,
                action=action,
                subject=subject,
                key=key,
                since=since,
                until=until,
                reveal=reveal,
            )

    page = run(fetch())
    if console.json:
        console.document(page)
        return
    if not page.entries:
        console.say("No act fits.")
        console.next_step("bmn audit --since 30d")
        return
    console.table(_COLUMNS, [_row(entry) for entry in page.entries])
    say_hidden(any(entry.reason == HIDDEN for entry in page.entries))
    if page.next_cursor:
        console.hint(f"{further(page.next_cursor, limit)}")
    console.next_step(f"bmn audit --subject {page.entries[0].subject}")


def _row(entry: AuditRecord) -> tuple[Cell, ...]:
    human = console.width is not None
    by = f"{entry.actor[:8] if human else entry.actor}"
    if entry.key_id:
        by += f" ({entry.key_name or entry.key_id})"
    if entry.on_behalf_of:
        by += f" for {entry.on_behalf_of[:8] if human else entry.on_behalf_of}"
    return (
        listed(entry.at),
        entry.action,
        entry.subject,
        by,
        entry.address or "",
        unhidden(entry.reason) or "",
    )
