"""`bmn jobs dlq`: the dead letters, what somebody can mend. Each is replayed once, however many press the key."""

import asyncio
import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from bmn.cli.base import Group, run
from bmn.cli.lookup.session import open_client
from bmn.cli.terminal.console import Column, console
from bmn.cli.terminal.format import plural, short_id
from bmn.cli.terminal.timespan import Since, ago, local
from bmn.client.http import BmnClient
from bmn.errors import CAUSES, NotFound, UsageProblem

F = TypeVar("F", bound=Callable[..., Any])
Letter = dict[str, Any]

_FILTERS = ("queue", "cause", "text", "since")
_RATE = re.compile(r"(\d+)/([smh])")


def _filters(command: F) -> F:
    options = (
        click.option("--queue", metavar="NAME"),
        click.option("--cause", type=click.Choice([str(cause) for cause in CAUSES]), metavar="CAUSE"),
        click.option("--text", metavar="WORDS", help="In the error or the id."),
        click.option("--since", type=Since(), help="Newer than 10m, 2h, 3d, yesterday, or an ISO time."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _bulk(command: F) -> F:
    options = (
        click.argument("ids", nargs=-1),
        click.option("--all", "everything", is_flag=True, help="Every open one."),
        click.option("-n", "--dry-run", is_flag=True, help="Say what would be done."),
        click.option("-y", "--yes", is_flag=True, help="Do not ask."),
    )
    for option in reversed(options):
        command = option(command)
    return _filters(command)


@click.group(
    cls=Group,
    examples=(
        "bmn jobs dlq list --cause provider_overloaded",
        "bmn jobs dlq replay --cause provider_overloaded --since 2h --rate 10/m",
    ),
)
def dlq() -> None:
    """The dead-letter queue: jobs that failed for good and that somebody can mend."""


@dlq.command("list", examples=("bmn jobs dlq list --since 1d",))
@_filters
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--cursor", help="Where the page before ended.")
def list_letters(limit: int, cursor: str | None, **values: Any) -> None:
    """The open ones, newest first."""

    async def fetch() -> dict[str, Any]:
        async with open_client(role="admin") as client:
            page: dict[str, Any] = await client.get("/admin/dlq", **values, limit=limit, cursor=cursor)
            return page

    page = run(fetch())
    if console.json:
        console.document(page)
        return
    letters = page["deadLetters"]
    if not letters:
        console.say("No dead letters.")
        console.next_step("bmn jobs list --state failed")
        return
    columns = (
        Column("ENTRY"),
        Column("QUEUE", drop=2),
        Column("CAUSE"),
        Column("REPLAYS", drop=3, right=True),
        Column("DIED", drop=1),
        Column("ERROR", flexible=True),
    )
    human = console.width is not None
    rows = [
        (
            short_id(letter["jobId"]) if human else letter["jobId"],
            letter["queueName"],
            letter["cause"],
            str(letter["replays"]),
            ago(letter["createdAt"]) if human else letter["createdAt"],
            letter["error"],
        )
        for letter in letters
    ]
    console.table(columns, rows)
    if page["nextCursor"]:
        console.say(f"{len(letters)} of {page['total']}; the next page: --cursor {page['nextCursor']}")
    console.next_step(f"bmn jobs dlq replay {short_id(letters[0]['jobId'])}")


@dlq.command("show", examples=("bmn jobs dlq show 7f3a",))
@click.argument("entry")
def show_letter(entry: str) -> None:
    """One dead letter in full."""

    async def fetch() -> Letter:
        async with open_client(role="admin") as client:
            return (await _named(client, [entry]))[0]

    letter = run(fetch())
    if console.json:
        console.document(letter)
        return
    fields = {
        "Job": letter["jobId"],
        "Cause": letter["cause"],
        "Error": letter["error"],
        "Attempts": letter["attempts"],
        "Replays": letter["replays"],
        "State": letter["state"],
        "Died": f"{local(letter['createdAt'])}  ({ago(letter['createdAt'])})",
        "Advice": CAUSES[letter["cause"]].advice,
    }
    for name, value in fields.items():
        console.field(name, str(value))
    console.next_step(f"bmn jobs dlq replay {short_id(letter['jobId'])}")


@dlq.command("replay", examples=("bmn jobs dlq replay 7f3a", "bmn jobs dlq replay --all --dry-run"))
@_bulk
@click.option("--rate", metavar="N/m", help="At most so many a minute (10/m), second or hour.")
def replay(ids: tuple[str, ...], dry_run: bool, yes: bool, rate: str | None, **values: Any) -> None:
    """Starts dead jobs anew; finished pictures are not paid twice."""
    pause = _pause(rate)
    answer = run(_replay(list(ids), values, dry_run=dry_run, yes=yes, pause=pause))
    if console.json:
        console.document(answer)
        return
    for entry in answer["replays"]:
        console.answer(f"{short_id(entry['parentId'])} → {entry['jobId'] or 'would be replayed'}")
    console.say(f"{plural(answer['count'], 'dead letter')} {'would be ' if dry_run else ''}replayed")
    started = [short_id(entry["jobId"]) for entry in answer["replays"] if entry["jobId"]]
    if started:
        console.next_step(f"bmn jobs watch {' '.join(started[:5])}")


async def _replay(ids: list[str], values: dict[str, Any], *, dry_run: bool, yes: bool, pause: float) -> dict[str, Any]:
    async with open_client(role="admin") as client:
        chosen = await _chosen(client, ids, values)
        if dry_run or not chosen:
            replays = [{"id": letter["id"], "jobId": None, "parentId": letter["jobId"]} for letter in chosen]
            return {"replays": replays, "count": len(replays)}
        if not (ids or yes):
            _confirm(len(chosen), "replay")
        size = 1 if pause else 100
        replays = []
        for start in range(0, len(chosen), size):
            if start and pause:
                await asyncio.sleep(pause)
            batch = {"ids": [letter["id"] for letter in chosen[start : start + size]]}
            replays += (await client.post("/admin/dlq/replay", batch, safe=True))["replays"]
        return {"replays": replays, "count": len(replays)}


@dlq.command("purge", examples=("bmn jobs dlq purge --cause schema_changed --since 30d",))
@_bulk
def purge(ids: tuple[str, ...], dry_run: bool, yes: bool, **values: Any) -> None:
    """Closes dead letters without a replay; their jobs stay in the history."""

    async def act() -> int:
        async with open_client(role="admin") as client:
            chosen = await _chosen(client, list(ids), values)
            if dry_run or not chosen:
                return len(chosen)
            if not yes:
                _confirm(len(chosen), "purge")
            body = {"ids": [letter["id"] for letter in chosen]}
            return int((await client.post("/admin/dlq/purge", body, safe=True))["count"])

    count = run(act())
    if console.json:
        console.document({"count": count})
        return
    console.answer(f"{plural(count, 'dead letter')} {'would be ' if dry_run else ''}purged")
    console.next_step("bmn jobs dlq list")


def _confirm(count: int, verb: str) -> None:
    if not console.confirm(f"{verb} {plural(count, 'dead letter')}?"):
        raise click.Abort


async def _chosen(client: BmnClient, ids: list[str], values: dict[str, Any]) -> list[Letter]:
    """The open entries that ids, `--all` or filters name. Raises UsageProblem where nothing is named."""
    if ids:
        return await _named(client, ids)
    query = {name: values[name] for name in _FILTERS if values[name] is not None}
    if not query and not values["everything"]:
        raise UsageProblem("Which dead letters?", hint="Name them, or choose with --cause, --queue, --since, or --all.")
    return await _pages(client, query)


async def _pages(client: BmnClient, query: dict[str, Any]) -> list[Letter]:
    found: list[Letter] = []
    cursor = None
    while True:
        page = await client.get("/admin/dlq", **query, limit=100, cursor=cursor)
        found += page["deadLetters"]
        cursor = page["nextCursor"]
        if not cursor:
            return found


async def _named(client: BmnClient, names: list[str]) -> list[Letter]:
    """Open entries by their own id or their job's, whole or shortened. Raises NotFound."""
    everything = await _pages(client, {})
    found = []
    for name in names:
        matching = [
            letter
            for letter in everything
            if len(name) >= 4
            and (
                letter["id"].startswith(name)
                or letter["jobId"].startswith(name)
                or short_id(letter["jobId"]).startswith(name[:8])
            )
        ]
        if len(matching) != 1:
            which = "several dead letters" if matching else "no open dead letter"
            raise NotFound(f"{name!r} names {which}.", hint="`bmn jobs dlq list` shows the open ones.")
        found.append(matching[0])
    return found


def _pause(rate: str | None) -> float:
    """Seconds between two replays."""
    if rate is None:
        return 0.0
    match = _RATE.fullmatch(rate)
    if not match or not int(match[1]):
        raise UsageProblem(f"--rate {rate}: write it like 10/m.", hint="Units: s, m and h.")
    return {"s": 1, "m": 60, "h": 3600}[match[2]] / int(match[1])
