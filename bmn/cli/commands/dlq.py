"""`bmn jobs dlq`: the dead letters, what somebody can mend. Each is replayed once, however many press the key."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

import typer

from bmn.cli.base import examples, group, run
from bmn.cli.commands import changing
from bmn.cli.following import bulk_watch
from bmn.cli.following.bulk_watch import BulkOrder
from bmn.cli.lookup.selection import Filter, Since
from bmn.cli.lookup.server_lookup import open_client
from bmn.cli.terminal import exit_codes
from bmn.cli.terminal.cells import Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.page_note import further
from bmn.cli.terminal.params import Detach, Rate, Reason, Reveal, StopAt
from bmn.cli.terminal.record_format import short_id
from bmn.cli.terminal.timespan import ago, listed, local
from bmn.client import Client, pages
from bmn.client.calls.fields import LetterQuery
from bmn.errors import CAUSES, Cause, NotFound, UsageProblem
from bmn.format import count, counted
from bmn.redaction import unhidden
from bmn.schemas.documents import BulkAction, BulkItem, DeadLetter, DeadLetterPage, Document, ReplayedLetter

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
    "The dead-letter queue: jobs that failed for good and that somebody can fix.",
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
    reveal: Reveal = None,
) -> None:
    """The open ones, newest first."""
    query = _query(Filter(queue, cause=cause, text=text, since=since))

    async def fetch() -> DeadLetterPage:
        async with open_client(role="admin") as client:
            return await client.dead_letters(limit=limit, cursor=cursor, reveal=reveal, **query)

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
            listed(letter.created_at),
            unhidden(letter.error) or CAUSES[Cause(letter.cause)].told,
        )
        for letter in letters
    ]
    console.table(columns, rows)
    if page.next_cursor:
        total = counted(page.total, exact=page.total_is_exact)
        console.hint(f"{len(letters)} of {total}; {further(page.next_cursor, limit)}")
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
        "Error": unhidden(letter.error) or CAUSES[Cause(letter.cause)].told,
        "Attempts": letter.attempts,
        "Replays": letter.replays,
        "State": letter.state,
        "Died": f"{local(letter.created_at)}  ({ago(letter.created_at)})",
        "Advice": CAUSES[Cause(letter.cause)].advice,
    }
    for name, value in fields.items():
        console.field(name, str(value))
    console.next_step(f"bmn jobs dlq replay {short_id(letter.job_id)}")


@app.command(
    "replay",
    cls=examples(
        "bmn jobs dlq replay 7f3a", "bmn jobs dlq replay --all --dry-run", "bmn jobs dlq replay --all --rate 10/m"
    ),
)
def replay(
    entries: Entries = None,
    queue: Queue = None,
    cause: CauseOption = None,
    text: Text = None,
    since: Since = None,
    everything: Everything = False,
    dry_run: DryRun = False,
    rate: Rate = None,
    stop_at: StopAt = None,
    reason: Reason = None,
    detach: Detach = False,
    reveal: Reveal = None,
    yes: Yes = False,
) -> int:
    """Restarts dead jobs; finished pictures are not paid twice."""
    chosen = Filter(queue, cause=cause, text=text, since=since, everything=everything, reveal=reveal)
    if dry_run:
        return _show_planned(run(_chosen(entries, chosen)))
    how = {"action": "replay", "rate": rate, "stopAt": stop_at, "reason": reason}
    return changing.carry_out(
        _client, _asking(entries, chosen, how, yes=yes or bool(entries), detach=detach), _tell_replays
    )


class _Planned(Document):
    """A dead letter that a dry run would replay."""

    id: str
    job_id: None = None
    parent_id: str


def _show_planned(letters: list[DeadLetter]) -> int:
    planned = [_Planned(id=letter.id, parent_id=letter.job_id) for letter in letters]
    if console.json:
        console.document({"replays": planned, "count": len(planned)})
        return exit_codes.DONE
    for letter in letters:
        console.answer(f"{short_id(letter.job_id)} → would be replayed")
    console.say(f"{count(len(letters), 'dead letter')} would be replayed")
    return exit_codes.DONE


def _tell_replays(found: BulkAction | None, items: list[BulkItem], asked: BulkOrder) -> int:
    """Each that came back with its new job, each refused one with its reason."""
    replays = [
        ReplayedLetter(
            id=f"dead-{item.job_id}",
            job_id=item.new_job_id,
            parent_id=item.job_id,
            credits=item.credits,
            error=item.detail if item.state == "refused" else None,
        )
        for item in items
        if item.state != "waiting"
    ]
    if console.json:
        done = found.done if found else 0
        console.document({"replays": replays, "count": done, **({"bulk": found} if found else {})})
        return bulk_watch.code_of(found) if found else exit_codes.DONE
    if found is None:
        console.say("0 dead letters replayed")
        return exit_codes.DONE
    code = bulk_watch.report(found, items, asked.noun)
    console.next_step(bulk_watch.follow_up(items, "bmn jobs list --everyone --since 10m"))
    return code


@app.command("purge", cls=examples("bmn jobs dlq purge --cause schema_changed --since 30d"))
def purge(
    entries: Entries = None,
    queue: Queue = None,
    cause: CauseOption = None,
    text: Text = None,
    since: Since = None,
    everything: Everything = False,
    dry_run: DryRun = False,
    reason: Reason = None,
    detach: Detach = False,
    reveal: Reveal = None,
    yes: Yes = False,
) -> int:
    """Closes dead letters without a replay; their jobs stay in the history."""
    chosen = Filter(queue, cause=cause, text=text, since=since, everything=everything, reveal=reveal)
    if dry_run:
        return _tell_purged(len(run(_chosen(entries, chosen))), "would be ")
    how = {"action": "purge", "reason": reason}
    return changing.carry_out(_client, _asking(entries, chosen, how, yes=yes, detach=detach), _tell_purge)


def _tell_purge(found: BulkAction | None, items: list[BulkItem], asked: BulkOrder) -> int:
    if found is None or not found.refused:
        return _tell_purged(found.done if found else 0)
    if console.json:
        console.document({"count": found.done, "bulk": found})
        return bulk_watch.code_of(found)
    return bulk_watch.report(found, items, asked.noun)


def _tell_purged(number: int, would: str = "") -> int:
    if console.json:
        console.document({"count": number})
        return exit_codes.DONE
    console.answer(f"{count(number, 'dead letter')} {would}purged")
    console.next_step("bmn jobs dlq list")
    return exit_codes.DONE


def _client() -> Client:
    return open_client(role="admin")


def _asking(
    entries: list[str] | None, chosen: Filter, how: Mapping[str, object], *, yes: bool, detach: bool
) -> Callable[[Client], Awaitable[BulkOrder]]:
    """What is asked of the server: the entries that are named, or what the filter finds. Raises UsageProblem, NotFound."""
    _check_choice(entries, chosen)

    async def asked(client: Client) -> BulkOrder:
        if entries:
            which: dict[str, object] = {"ids": [letter.job_id for letter in await _named(client, entries)]}
        else:
            queues = [chosen.queue] if chosen.queue else None
            which = {**_query(chosen), "queue": queues, "all": chosen.everything or None}
        return BulkOrder(
            {**which, **how}, operators=True, noun="dead letter", yes=yes, detach=detach, reveal=chosen.reveal
        )

    return asked


def _check_choice(entries: list[str] | None, chosen: Filter) -> None:
    if not (entries or chosen):
        raise UsageProblem("Which dead letters?", hint="Name them, or choose with --cause, --queue, --since, or --all.")


async def _chosen(entries: list[str] | None, filters: Filter) -> list[DeadLetter]:
    """The open entries that ids, `--all` or filters name. Raises UsageProblem where nothing is named."""
    _check_choice(entries, filters)
    async with _client() as client:
        if entries:
            return await _named(client, entries)
        return await _pages(client, _query(filters), reveal=filters.reveal)


def _query(filters: Filter) -> LetterQuery:
    return {"queue": filters.queue, "cause": filters.cause, "text": filters.text, "since": filters.since}


async def _pages(client: Client, query: LetterQuery, *, reveal: str | None = None) -> list[DeadLetter]:
    every_page = pages(lambda cursor: client.dead_letters(limit=100, cursor=cursor, reveal=reveal, **query))
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
