"""`bmn shares`: links that show what was made to whoever holds them, and withdrawing one."""

from typing import Annotated

import typer

from bmn.cli.base import examples, group, run
from bmn.cli.lookup.job_lookup import find_job
from bmn.cli.lookup.server_lookup import open_client
from bmn.cli.terminal.cells import Cell, Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.record_format import short_id
from bmn.cli.terminal.timespan import ago
from bmn.format import count
from bmn.schemas import documents

_COLUMNS = (
    Column("SHARE"),
    Column("OF"),
    Column("CREATED", drop=1),
    Column("UNTIL"),
    Column("BRAND", flexible=True),
)

app = group(
    "Links that show a job or pictures to whoever holds them.",
    "bmn shares add last --hours 24",
    "bmn shares list",
    "bmn shares revoke 4f1c9a0e77d2b3c5a6e8f901",
)


@app.command(cls=examples("bmn shares add last", "bmn shares add last --hours 24"))
def add(
    job: Annotated[str, typer.Argument(metavar="JOB")],
    hours: Annotated[int, typer.Option("--hours", min=1, max=720, metavar="N", help="How long it works.")] = 168,
) -> None:
    """Makes a link that shows a job and its pictures, live while it runs, and prints it."""

    async def make() -> documents.ShareLink:
        async with open_client() as client:
            return await client.share(await find_job(client, job), hours=hours)

    made = run(make())
    if console.json:
        console.document(made)
        return
    console.answer(made.url)
    console.next_step(f"bmn shares revoke {made.id}")


@app.command("list", cls=examples("bmn shares list", "bmn shares list --all"))
def list_shares(
    ended: Annotated[bool, typer.Option("--all", help="Withdrawn and expired ones, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200, metavar="N", help="How many at most.")] = 50,
) -> None:
    """The links that you handed out, newest first."""

    async def fetch() -> documents.Shares:
        async with open_client() as client:
            return await client.shares(ended=ended, limit=limit)

    page = run(fetch())
    if console.json:
        console.document(page)
        return
    if not page.shares:
        console.say("No shares.")
        console.next_step("bmn shares add last")
        return
    console.table(_COLUMNS, [_row(each) for each in page.shares])
    console.next_step(f"bmn shares revoke {page.shares[0].id}")


def _row(share: documents.Share) -> tuple[Cell | str, ...]:
    of = count(share.pictures, "picture")
    if share.job_id:
        of = short_id(share.job_id) if console.width is not None else share.job_id
    until = "withdrawn" if share.revoked_at else share.expires_at
    return share.id, of, ago(share.created_at), until, share.brand_name or ""


@app.command(cls=examples("bmn shares revoke 4f1c9a0e77d2b3c5a6e8f901"))
def revoke(ids: Annotated[list[str], typer.Argument(metavar="SHARE")]) -> None:
    """Withdraws links; whoever has one of them sees nothing more."""

    async def withdraw() -> list[documents.Share]:
        async with open_client() as client:
            return [await client.revoke_share(each) for each in ids]

    done = run(withdraw())
    if console.json:
        console.document({"shares": done})
        return
    for each in done:
        console.say(f"Withdrawn: {each.id}.")
