"""`bmn jobs`: find them, follow them, understand them, stop them, bring them back."""

from collections.abc import Sequence
from typing import Annotated

import typer

from bmn.cli.base import UsageError, examples, run
from bmn.cli.base import group as command_group
from bmn.cli.commands import changing, dlq
from bmn.cli.following.after import Afterwards, conclude
from bmn.cli.following.cancelling import watch_collectors
from bmn.cli.following.hidden import is_hidden, say_hidden
from bmn.cli.following.job_groups import GroupBy, fetch_groups, print_groups
from bmn.cli.following.report import detached, report_all
from bmn.cli.lookup import selection
from bmn.cli.lookup.candidates import job_names
from bmn.cli.lookup.group_lookup import jobs_of_group
from bmn.cli.lookup.job_lookup import find_job
from bmn.cli.lookup.selection import Filter, all_jobs, as_query, filtered, scope
from bmn.cli.lookup.server_lookup import open_client
from bmn.cli.terminal import exit_codes
from bmn.cli.terminal.cells import Cell, Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.page_note import further
from bmn.cli.terminal.params import Bell, Exec, Images, Reveal, Strict, span
from bmn.cli.terminal.record_format import short_id, state_cell
from bmn.cli.terminal.timespan import listed
from bmn.format import against, counted
from bmn.redaction import unhidden
from bmn.schemas.documents import Job, JobPage, JobRecord, Why
from bmn.schemas.payloads import WAITING_STATES

JobName = Annotated[str, typer.Argument(metavar="JOB", autocompletion=job_names)]
By = Annotated[
    GroupBy | None, typer.Option("--group-by", help="How many have the same, and what they cost, instead of each.")
]

_FURTHER = 7  # pages in which nothing was found, before somebody is asked whether to go on

app = command_group(
    "A job is named by its id, 4 or more characters of its uuid, `last`, or `last:failed`.",
    "bmn jobs list --state failed --since 1d",
    "bmn jobs watch last",
    "bmn jobs why last:failed",
    "bmn jobs retry 7f3a",
)
app.add_typer(dlq.app, name="dlq")


@app.command("list", cls=examples("bmn jobs list", "bmn jobs list --everyone --cause provider_overloaded --since 2h"))
@filtered
def list_jobs(
    chosen: Filter,
    limit: Annotated[int, typer.Option(min=1, max=200, metavar="N")] = 20,
    cursor: Annotated[str | None, typer.Option(metavar="CURSOR", help="Where the page before ended.")] = None,
    by: By = None,
) -> None:
    """The newest jobs first."""
    if by is not None:
        print_groups(run(fetch_groups(chosen, by)), of_others=chosen.of_others)
        return

    async def fetch() -> JobPage:
        async with chosen.client() as client:
            query = await as_query(client, chosen)
            page = await client.jobs(limit=limit, cursor=cursor, reveal=chosen.reveal, **query)
            for _ in range(_FURTHER):  # words are looked for in some thousand jobs at a time
                if page.jobs or page.searched_to is None:
                    break
                page = await client.jobs(limit=limit, cursor=page.next_cursor, reveal=chosen.reveal, **query)
            return page

    page = run(fetch())
    if console.json:
        console.document(page)
        return
    found = page.jobs
    if not found and page.searched_to:
        console.say(f"No job since {page.searched_to} matches. To look further back: --cursor {page.next_cursor}")
        console.next_step("bmn jobs list --since 7d --text WORDS")
        return
    if not found:
        console.say("No jobs match." if chosen else "No jobs yet.")
        console.next_step("bmn jobs list" if chosen else 'bmn generate logos --brand "Acme Coffee"')
        return
    _print_table(found, whose=chosen.of_others)
    say_hidden(any(is_hidden(job) for job in found))
    if page.next_cursor:
        total = counted(page.total, exact=page.total_is_exact)
        console.hint(f"{len(found)} of {total}; {further(page.next_cursor, limit)}")
    step = "why" if found[0].state in ("failed", "partial") else "show"
    whose = " --everyone" if chosen.of_others else ""
    console.next_step(f"bmn jobs {step} {short_id(found[0].job_id)}{whose}")


_COLUMNS = (
    Column("JOB"),
    Column("STATE"),
    Column("QUEUE", drop=4),
    Column("BRAND", flexible=True, least=6),
    Column("TRY", drop=5, right=True),
    Column("COST", drop=2, right=True),
    Column("CREATED", drop=1),
    Column("MESSAGE", flexible=True, least=24, drop=3),
)


def _print_table(found: Sequence[Job], *, whose: bool) -> None:
    """whose: with a column for the user."""
    rows = [_row(job) for job in found]
    if not whose:
        console.table(_COLUMNS, rows)
        return
    users = [(job.user_id or "-")[: None if console.width is None else 8] for job in found]
    console.table(
        (*_COLUMNS[:2], Column("USER"), *_COLUMNS[2:]),
        [[*row[:2], user, *row[2:]] for row, user in zip(rows, users, strict=True)],
    )


def _row(job: Job) -> list[Cell]:
    human = console.width is not None
    state = state_cell(job.state)
    if job.state == "active":
        state = (f"{state[0]} {job.progress}%", state[1])
    return [
        short_id(job.job_id) if human else job.job_id,
        state,
        job.queue_name,
        unhidden(job.brand_name),
        f"{job.attempt}/{job.max_attempts}",
        against(0.0 if job.sandboxed else job.cost_usd, job.usd_estimated),
        listed(job.created_at),
        unhidden(job.error if job.state == "failed" else job.message) or job.cause or "",
    ]


@app.command(
    "count", cls=examples("bmn jobs count --state failed", "bmn jobs count --everyone --since 1d --group-by cause")
)
@filtered
def count_jobs(chosen: Filter, by: By = None) -> None:
    """How many jobs a filter finds."""
    if by is not None:
        print_groups(run(fetch_groups(chosen, by)), of_others=chosen.of_others)
        return

    async def fetch() -> JobPage:
        async with chosen.client() as client:
            return await client.jobs(limit=1, reveal=chosen.reveal, **await as_query(client, chosen))

    page = run(fetch())
    if console.json:
        console.document({"total": page.total, "totalIsExact": page.total_is_exact})
        return
    console.answer(counted(page.total, exact=page.total_is_exact))
    console.next_step("bmn jobs list")


@app.command("export", cls=examples("bmn jobs export --since 7d > jobs.jsonl"))
@filtered
def export_jobs(chosen: Filter) -> None:
    """Every job that a filter finds, one JSON object a line."""

    async def fetch() -> list[Job]:
        async with chosen.client() as client:
            return await all_jobs(client, await as_query(client, chosen), reveal=chosen.reveal)

    for job in run(fetch()):
        console.json_line(job)


@app.command("show", cls=examples("bmn jobs show last", "bmn jobs show 7f3a --web"))
def show_job(
    job: JobName,
    web: Annotated[bool, typer.Option("-w", "--web", help="Open its page in the browser.")] = False,
    everyone: selection.Everyone = False,
    reveal: Reveal = None,
) -> None:
    """Everything known about a job."""

    async def fetch() -> tuple[JobRecord, Why | None]:
        async with open_client(role="admin" if everyone or reveal else "user") as client:
            job_id = await find_job(client, job, of_whom=scope(None, everyone=everyone))
            found = await client.job(job_id, reveal=reveal)
            waits = found.state in WAITING_STATES and not console.json and not web
            return found, await client.why(found.job_id) if waits else None

    record, why_it_waits = run(fetch())
    if web:
        from bmn.cli.commands.open import visit

        visit(f"/g/job/{record.job_id}")
    elif console.json:
        console.document(record)
    else:
        from bmn.cli.following.job_page import print_job

        print_job(record, why_it_waits)


@app.command(
    "watch", cls=examples("bmn jobs watch last", "bmn jobs watch 7f3a 91c2 --timeout 5m", "bmn jobs watch --group 3fa2")
)
def watch_jobs(
    jobs: Annotated[list[str] | None, typer.Argument(metavar="JOB", autocompletion=job_names)] = None,
    group: selection.Group = None,
    timeout: Annotated[
        float | None,
        typer.Option(parser=span, metavar="SPAN", help="Stop watching after this long; the job goes on. Exit 124."),
    ] = None,
    strict: Strict = False,
    images: Images = None,
    bell: Bell = False,
    command: Exec = None,
) -> int:
    """Live bars; what was missed is caught up. Ends with the job's own exit code; Ctrl-C detaches."""
    if bool(jobs) == bool(group):
        raise UsageError("Name the jobs to watch, or their --group.")
    job_ids: list[str] = []
    try:
        ended = run(_watch(jobs or [], group, timeout, images, job_ids))
    except KeyboardInterrupt:
        return detached(job_ids)
    report_all(ended)
    if not console.json:
        coming = watch_collectors(job.collector_job_id for job in ended)
        console.next_step(*(coming or (f"bmn jobs show {short_id(ended[-1].job_id)}",)))
    return conclude(ended, Afterwards(bell, command), exit_codes.of_jobs(ended, strict=strict))


async def _watch(
    references: list[str], group: str | None, timeout: float | None, images: str | None, job_ids: list[str]
) -> list[JobRecord]:
    from bmn.cli.following.board import Board
    from bmn.cli.following.gallery import Gallery
    from bmn.cli.following.job_watch import watch
    from bmn.client import Event

    async with open_client() as client:
        job_ids += [await find_job(client, reference, wait=10) for reference in references]
        if group:
            job_ids += await jobs_of_group(client, group)
        gallery = Gallery(client, images)

        async def on_event(event: Event, board: Board) -> None:
            if console.json:
                console.json_line({"jobId": event.job_id, "seq": event.seq, "event": event.name, "data": event.data})
            await gallery.on_event(event, board)

        return await watch(
            client, job_ids, timeout=timeout, on_event=on_event, on_end=gallery.on_end, silent=console.json
        )


@app.command("why", cls=examples("bmn jobs why last", "bmn jobs why last:failed"))
def why(job: JobName, everyone: selection.Everyone = False, reveal: Reveal = None) -> None:
    """Plain words: why the job is where it is, what it cost, what to do."""

    async def fetch() -> Why:
        async with open_client(role="admin" if everyone or reveal else "user") as client:
            job_id = await find_job(client, job, of_whom=scope(None, everyone=everyone))
            return await client.why(job_id, reveal=reveal)

    answer = run(fetch())
    if console.json:
        console.document(answer)
    else:
        from bmn.cli.following.job_page import print_why

        print_why(answer)


@app.command("logs", cls=examples("bmn jobs logs last", "bmn jobs logs 7f3a --follow"))
def logs(
    job: JobName,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until the job ends.")] = False,
    attempt: Annotated[int | None, typer.Option(min=1, metavar="N", help="Only this attempt.")] = None,
    everyone: selection.Everyone = False,
    reveal: Reveal = None,
) -> None:
    """The job's log lines."""
    from bmn.cli.commands.job_logs import print_logs

    if not run(print_logs(job, follow, attempt, everyone=everyone, reveal=reveal)):
        console.say("No log lines.")
    console.next_step(f"bmn jobs why {job}")


app.command("cancel", cls=examples("bmn jobs cancel 7f3a", "bmn jobs cancel --queue video-generation --state queued"))(
    changing.cancel
)
app.command(
    "retry",
    cls=examples("bmn jobs retry last:failed", "bmn jobs retry --everyone --cause timeout --since 2h --rate 5/s"),
)(changing.retry)
