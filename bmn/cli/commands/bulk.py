"""`bmn bulk`: actions on many jobs, which the server carries out: list, watch, pause, resume, abort."""

from typing import Annotated

import typer

from bmn.cli.base import examples, group, run
from bmn.cli.following import bulk_watch
from bmn.cli.following.hidden import say_hidden
from bmn.cli.lookup.selection import Everyone
from bmn.cli.lookup.server_lookup import open_client
from bmn.cli.terminal import exit_codes
from bmn.cli.terminal.cells import Cell, Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.params import Reason, Reveal
from bmn.cli.terminal.timespan import listed
from bmn.client import Client
from bmn.errors import NotFound
from bmn.format import count
from bmn.redaction import HIDDEN, unhidden
from bmn.schemas.documents import BulkAction, BulkItem, BulkPage

BulkName = Annotated[str, typer.Argument(metavar="BULK", help="4 or more characters of its id, or `last`.")]

app = group(
    "What `bmn jobs retry` and `cancel` by a filter, and `bmn jobs dlq replay` and `purge`, have begun.",
    "bmn bulk list",
    "bmn bulk watch last",
    "bmn bulk pause 7f3a --everyone",
)
_COLUMNS = (
    Column("BULK"),
    Column("ACTION"),
    Column("STATE"),
    Column("DONE", right=True),
    Column("REFUSED", right=True),
    Column("LEFT", right=True),
    Column("BY", drop=2, flexible=True),
    Column("BEGUN", drop=1),
    Column("REASON", drop=3, flexible=True, least=12),
)


@app.command("list", cls=examples("bmn bulk list", "bmn bulk list --everyone --json"))
def list_bulk(
    everyone: Everyone = False,
    limit: Annotated[int, typer.Option(min=1, max=200, metavar="N")] = 20,
    cursor: Annotated[str | None, typer.Option(metavar="CURSOR", help="Where the page before ended.")] = None,
    reveal: Reveal = None,
) -> None:
    """The newest first."""

    async def fetch() -> BulkPage:
        async with _client(everyone) as client:
            return await client.bulk_actions(operators=everyone, limit=limit, cursor=cursor, reveal=reveal)

    page = run(fetch())
    if console.json:
        console.document(page)
        return
    if not page.bulk:
        console.say("No bulk actions." if everyone else "No bulk actions of yours.")
        console.next_step("bmn jobs retry --state failed", *(() if everyone else ("bmn bulk list --everyone",)))
        return
    console.table(_COLUMNS, [_row(each) for each in page.bulk])
    say_hidden(any(each.reason == HIDDEN for each in page.bulk))
    if page.next_cursor:
        console.hint(f"The next page: --cursor {page.next_cursor}")
    console.next_step(f"bmn bulk watch {bulk_watch.short_bulk(page.bulk[0].id)}{bulk_watch.whose(everyone)}")


def _row(each: BulkAction) -> list[Cell]:
    human = console.width is not None
    return [
        bulk_watch.short_bulk(each.id) if human else each.id,
        each.action,
        each.state,
        str(each.done),
        str(each.refused),
        str(each.left),
        each.asked_by,
        listed(each.created_at),
        unhidden(each.reason) or "",
    ]


@app.command("watch", cls=examples("bmn bulk watch last", "bmn bulk watch 7f3a --everyone"))
def watch(bulk: BulkName, everyone: Everyone = False, reveal: Reveal = None) -> int:
    """Shows how far it is until it ends, then each refused job with its reason. Ctrl-C leaves it running."""
    found: list[BulkAction] = []

    async def follow() -> list[BulkItem]:
        async with _client(everyone) as client:
            found.append(await _find(client, bulk, everyone))
            found.append(await bulk_watch.watch(client, found[-1], operators=everyone))
            if reveal is not None:
                found.append(await client.bulk(found[-1].id, operators=everyone, reveal=reveal))
            return await bulk_watch.items_to_tell(client, found[-1], operators=everyone)

    try:
        items = run(follow())
    except KeyboardInterrupt:
        if not found:
            raise
        bulk_watch.left_alone(found[-1], operators=everyone)
        return exit_codes.INTERRUPTED
    if console.json:
        console.document({"bulk": found[-1], "jobs": items})
        return bulk_watch.code_of(found[-1])
    if reveal is not None and found[-1].reason:
        console.say(f"Reason: {found[-1].reason}")
    noun = "dead letter" if found[-1].action in ("replay", "purge") else "job"
    return bulk_watch.report(found[-1], items, noun)


@app.command("pause", cls=examples("bmn bulk pause 7f3a", "bmn bulk pause last --everyone --reason 'provider is weak'"))
def pause(bulk: BulkName, everyone: Everyone = False, reason: Reason = None) -> None:
    """Takes up no further job until it is resumed."""
    _change(bulk, everyone, "pause", reason)


@app.command("resume", cls=examples("bmn bulk resume 7f3a"))
def resume(bulk: BulkName, everyone: Everyone = False, reason: Reason = None) -> None:
    """Goes on where it was paused."""
    _change(bulk, everyone, "resume", reason)


@app.command("abort", cls=examples("bmn bulk abort 7f3a --everyone"))
def abort(bulk: BulkName, everyone: Everyone = False, reason: Reason = None) -> None:
    """Ends it; what is done stays done."""
    _change(bulk, everyone, "abort", reason)


def _change(bulk: str, everyone: bool, change: str, reason: str | None) -> None:
    async def act() -> BulkAction:
        async with _client(everyone) as client:
            found = await _find(client, bulk, everyone)
            return await client.change_bulk(found.id, change, operators=everyone, reason=reason)

    found = run(act())
    if console.json:
        console.document(found)
        return
    console.answer(
        f"{bulk_watch.short_bulk(found.id)}  {found.state}: {count(found.done, 'job')} done, {found.left} left"
    )
    name = f"{bulk_watch.short_bulk(found.id)}{bulk_watch.whose(everyone)}"
    console.next_step(f"bmn bulk resume {name}" if found.state == "paused" else f"bmn bulk watch {name}")


def _client(everyone: bool) -> Client:
    return open_client(role="admin" if everyone else "user")


async def _find(client: Client, name: str, everyone: bool) -> BulkAction:
    """The action that is meant: of the newest two hundred, or by its whole id. Raises NotFound."""
    if len(name.removeprefix("bulk-")) == 36:
        return await client.bulk(name if name.startswith("bulk-") else f"bulk-{name}", operators=everyone)
    newest = (await client.bulk_actions(operators=everyone, limit=200)).bulk
    matching = newest[:1] if name == "last" else [each for each in newest if _is_named(each, name)]
    if len(matching) != 1:
        which = "several bulk actions" if matching else "no bulk action"
        raise NotFound(f"{name!r} names {which}.", hint="`bmn bulk list` shows yours; with --everyone those of others.")
    return matching[0]


def _is_named(each: BulkAction, name: str) -> bool:
    return len(name) >= 4 and (each.id.startswith(name) or each.id.startswith(f"bulk-{name}"))
