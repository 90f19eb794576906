"""`bmn jobs dlq`: the dead letters, what somebody can mend. Each is replayed once, however many press the key."""

import asyncio
import re
from typing import Annotated, Any

import typer

from bmn.cli.base import examples, group, run
from bmn.cli.lookup.selection import Filter, Since
from bmn.cli.lookup.session import open_client
from bmn.cli.terminal.console import Column, console
from bmn.cli.terminal.format import plural, short_id
from bmn.cli.terminal.timespan import ago, local
from bmn.client.untyped import BmnClient
from bmn.errors import CAUSES, Cause, NotFound, UsageProblem

Letter = dict[str, Any]

_RATE = re.compile(r"(\d+)/([smh])")


Queue = Annotated[str | None, typer.Option("--queue", metavar="NAME", help="Only this queue.")]
CauseOption = Annotated[
    Cause | None, typer.Option("--cause", metavar="CAUSE", help="Only jobs that failed for this cause.")
]
Text = Annotated[str | None, typer.Option("--text", metavar="WORDS", help="In the error or the id.")]
Entries = Annotated[list[str] | None, typer.Argument(metavar="ENTRY")]
Everything = Annotated[bool, typer.Option("--all", help="Every open one.")]
DryRun = Annotated[bool, typer.Option("-n", "--dry-run", help="Say what would be done.")]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")]

app = group(
    "The dead-letter queue: jobs that failed for good and that somebody can mend.",
    "bmn jobs dlq list --cause provider_overloaded",
    "bmn jobs dlq replay --cause provider_overloaded --since 2h --rate 10/m",
)


@app.command("list", cls=examples("bmn jobs dlq list --since 1d"))
def list_letters(
    queue: Queue = None,
    cause: CauseOption = None,
    text: Text = None,
    since: Since = None,
    limit: Annotated[int, typer.Option(min=1, max=100, metavar="N")] = 20,
    cursor: Annotated[str | None, typer.Option(metavar="CURSOR", help="Where the page before ended.")] = None,
) -> None:
    """The open ones, newest first."""
    query = _query(Filter(queue, cause=cause, text=text, since=since))

    async def fetch() -> dict[str, Any]:
        async with open_client(role="admin") as client:
            page: dict[str, Any] = await client.get("/admin/dlq", **query, limit=limit, cursor=cursor)
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


@app.command("show", cls=examples("bmn jobs dlq show 7f3a"))
def show_letter(entry: Annotated[str, typer.Argument()]) -> None:
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


@app.command("replay", cls=examples("bmn jobs dlq replay 7f3a", "bmn jobs dlq replay --all --dry-run"))
def replay(
    entries: Entries = None,
    queue: Queue = None,
    cause: CauseOption = None,
    text: Text = None,
    since: Since = None,
    everything: Everything = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    rate: Annotated[
        str | None, typer.Option(metavar="N/m", help="At most so many a minute (10/m), second or hour.")
    ] = None,
) -> None:
    """Restarts dead jobs; finished pictures are not paid twice."""
    chosen = Filter(queue, cause=cause, text=text, since=since, everything=everything)
    answer = run(_replay(entries or [], chosen, dry_run=dry_run, yes=yes, pause=_pause(rate)))
    if console.json:
        console.document(answer)
        return
    for entry in answer["replays"]:
        console.answer(f"{short_id(entry['parentId'])} → {entry['jobId'] or 'would be replayed'}")
    console.say(f"{plural(answer['count'], 'dead letter')} {'would be ' if dry_run else ''}replayed")
    started = [short_id(entry["jobId"]) for entry in answer["replays"] if entry["jobId"]]
    if started:
        console.next_step(f"bmn jobs watch {' '.join(started[:5])}")


async def _replay(ids: list[str], filters: Filter, *, dry_run: bool, yes: bool, pause: float) -> dict[str, Any]:
    async with open_client(role="admin") as client:
        chosen = await _chosen(client, ids, filters)
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


@app.command("purge", cls=examples("bmn jobs dlq purge --cause schema_changed --since 30d"))
def purge(
    entries: Entries = None,
    queue: Queue = None,
    cause: CauseOption = None,
    text: Text = None,
    since: Since = None,
    everything: Everything = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Closes dead letters without a replay; their jobs stay in the history."""
    filters = Filter(queue, cause=cause, text=text, since=since, everything=everything)

    async def act() -> int:
        async with open_client(role="admin") as client:
            chosen = await _chosen(client, entries or [], filters)
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
        raise typer.Abort


async def _chosen(client: BmnClient, ids: list[str], filters: Filter) -> list[Letter]:
    """The open entries that ids, `--all` or filters name. Raises UsageProblem where nothing is named."""
    if ids:
        return await _named(client, ids)
    if not filters:
        raise UsageProblem("Which dead letters?", hint="Name them, or choose with --cause, --queue, --since, or --all.")
    return await _pages(client, _query(filters))


def _query(filters: Filter) -> dict[str, Any]:
    query = {"queue": filters.queue, "cause": filters.cause, "text": filters.text, "since": filters.since}
    return {name: value for name, value in query.items() if value is not None}


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
