"""`bmn jobs dlq`: the dead letters, what somebody can mend. Each is replayed once, however many press the key."""

import asyncio
import re
from collections.abc import Sequence
from typing import Annotated

import typer

from bmn.cli.base import examples, group, run
from bmn.cli.lookup.selection import Filter, Since
from bmn.cli.lookup.server import open_client
from bmn.cli.terminal.cells import Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.format import short_id
from bmn.cli.terminal.params import Reason
from bmn.cli.terminal.timespan import ago, local
from bmn.client import Client, pages
from bmn.client.api import LetterQuery
from bmn.errors import CAUSES, Cause, NotFound, UsageProblem
from bmn.format import count, counted
from bmn.schemas.documents import DeadLetter, DeadLetterPage, Document, ReplayedLetter

_BATCH = 100
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

    async def fetch() -> DeadLetterPage:
        async with open_client(role="admin") as client:
            return await client.dead_letters(limit=limit, cursor=cursor, **query)

    page = run(fetch())
    if console.json:
        console.document(page)
        return
    letters = page.dead_letters
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
            short_id(letter.job_id) if human else letter.job_id,
            letter.queue_name,
            letter.cause,
            str(letter.replays),
            ago(letter.created_at) if human else letter.created_at,
            letter.error,
        )
        for letter in letters
    ]
    console.table(columns, rows)
    if page.next_cursor:
        total = counted(page.total, exact=page.total_is_exact)
        console.say(f"{len(letters)} of {total}; the next page: --cursor {page.next_cursor}")
    console.next_step(f"bmn jobs dlq replay {short_id(letters[0].job_id)}")


@app.command("show", cls=examples("bmn jobs dlq show 7f3a"))
def show_letter(entry: Annotated[str, typer.Argument()]) -> None:
    """One dead letter in full."""

    async def fetch() -> DeadLetter:
        async with open_client(role="admin") as client:
            return (await _named(client, [entry]))[0]

    letter = run(fetch())
    if console.json:
        console.document(letter)
        return
    fields = {
        "Job": letter.job_id,
        "Cause": letter.cause,
        "Error": letter.error,
        "Attempts": letter.attempts,
        "Replays": letter.replays,
        "State": letter.state,
        "Died": f"{local(letter.created_at)}  ({ago(letter.created_at)})",
        "Advice": CAUSES[Cause(letter.cause)].advice,
    }
    for name, value in fields.items():
        console.field(name, str(value))
    console.next_step(f"bmn jobs dlq replay {short_id(letter.job_id)}")


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
    reason: Reason = None,
) -> None:
    """Restarts dead jobs; finished pictures are not paid twice."""
    chosen = Filter(queue, cause=cause, text=text, since=since, everything=everything)
    replays = run(_replay(entries or [], chosen, dry_run=dry_run, yes=yes, pause=_pause(rate), reason=reason))
    if console.json:
        console.document({"replays": replays, "count": len(replays)})
        return
    for entry in replays:
        outcome = (entry.job_id or entry.error) if isinstance(entry, ReplayedLetter) else "would be replayed"
        console.answer(f"{short_id(entry.parent_id)} → {outcome}")
    console.say(f"{count(len(replays), 'dead letter')} {'would be ' if dry_run else ''}replayed")
    started = [short_id(entry.job_id) for entry in replays if entry.job_id]
    if started:
        console.next_step(f"bmn jobs watch {' '.join(started[:5])}")


class _Planned(Document):
    """A dead letter that a dry run would replay."""

    id: str
    job_id: None = None
    parent_id: str


async def _replay(
    ids: list[str], filters: Filter, *, dry_run: bool, yes: bool, pause: float, reason: str | None
) -> Sequence[ReplayedLetter | _Planned]:
    async with open_client(role="admin") as client:
        chosen = await _chosen(client, ids, filters)
        if dry_run or not chosen:
            return [_Planned(id=letter.id, parent_id=letter.job_id) for letter in chosen]
        if not (ids or yes):
            _confirm(len(chosen), "replay")
        replays: list[ReplayedLetter] = []
        for ids_now in _batches(chosen, 1 if pause else _BATCH):
            if replays and pause:
                await asyncio.sleep(pause)
            replays += (await client.replay({"ids": ids_now, "reason": reason})).replays
        return replays


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
    reason: Reason = None,
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
            return sum([(await client.purge({"ids": ids, "reason": reason})).count for ids in _batches(chosen, _BATCH)])

    purged = run(act())
    if console.json:
        console.document({"count": purged})
        return
    console.answer(f"{count(purged, 'dead letter')} {'would be ' if dry_run else ''}purged")
    console.next_step("bmn jobs dlq list")


def _batches(letters: list[DeadLetter], size: int) -> list[list[str]]:
    ids = [letter.id for letter in letters]
    return [ids[start : start + size] for start in range(0, len(ids), size)]


def _confirm(number: int, verb: str) -> None:
    if not console.confirm(f"{verb} {count(number, 'dead letter')}?"):
        raise typer.Abort


async def _chosen(client: Client, ids: list[str], filters: Filter) -> list[DeadLetter]:
    """The open entries that ids, `--all` or filters name. Raises UsageProblem where nothing is named."""
    if ids:
        return await _named(client, ids)
    if not filters:
        raise UsageProblem("Which dead letters?", hint="Name them, or choose with --cause, --queue, --since, or --all.")
    return await _pages(client, _query(filters))


def _query(filters: Filter) -> LetterQuery:
    return {"queue": filters.queue, "cause": filters.cause, "text": filters.text, "since": filters.since}


async def _pages(client: Client, query: LetterQuery) -> list[DeadLetter]:
    every_page = pages(lambda cursor: client.dead_letters(limit=100, cursor=cursor, **query))
    return [letter async for page in every_page for letter in page.dead_letters]


async def _named(client: Client, names: list[str]) -> list[DeadLetter]:
    """Open entries by their own id or their job's, whole or shortened, or `last`, the newest. Raises NotFound."""
    everything = await _pages(client, {})
    found = []
    for name in names:
        matching = everything[:1] if name == "last" else [letter for letter in everything if _is_named(letter, name)]
        if len(matching) != 1:
            which = "several dead letters" if matching else "no open dead letter"
            raise NotFound(f"{name!r} names {which}.", hint="`bmn jobs dlq list` shows the open ones.")
        found.append(matching[0])
    return found


def _is_named(letter: DeadLetter, name: str) -> bool:
    by_job = letter.job_id.startswith(name) or short_id(letter.job_id).startswith(name[:8])
    return len(name) >= 4 and (letter.id.startswith(name) or by_job)


def _pause(rate: str | None) -> float:
    """Seconds between two replays."""
    if rate is None:
        return 0.0
    match = _RATE.fullmatch(rate)
    if not match or not int(match[1]):
        raise UsageProblem(f"--rate {rate}: write it like 10/m.", hint="Units: s, m and h.")
    return {"s": 1, "m": 60, "h": 3600}[match[2]] / int(match[1])
