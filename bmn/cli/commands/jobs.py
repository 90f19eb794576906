"""`bmn jobs`: find them, follow them, understand them, stop them, bring them back."""

import json
from typing import Any

import click

from bmn.cli.base import Group, run
from bmn.cli.commands.dlq import dlq
from bmn.cli.following.making import detached, report
from bmn.cli.lookup.selection import all_jobs, as_query, choose, filters
from bmn.cli.lookup.session import find_job, open_client
from bmn.cli.terminal import exit_codes
from bmn.cli.terminal.console import Cell, Column, console
from bmn.cli.terminal.format import plural, short_id, state_cell, usd
from bmn.cli.terminal.timespan import Span, ago
from bmn.errors import UsageProblem

Job = dict[str, Any]


class JobName(click.ParamType[str]):
    """A job as people name it; completes with the newest ids."""

    name = "job"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        from bmn.cli.lookup.completing import job_names

        return job_names(incomplete)


_one = click.argument("job", type=JobName())
_several = click.argument("jobs", nargs=-1, type=JobName())
_yes = click.option("-y", "--yes", is_flag=True, help="Do not ask.")


@click.group(
    cls=Group,
    examples=(
        "bmn jobs list --state failed --since 1d",
        "bmn jobs watch last",
        "bmn jobs why last:failed",
        "bmn jobs retry 7f3a",
    ),
)
def jobs() -> None:
    """A job is named by its id, 4 or more characters of its uuid, `last`, or `last:failed`."""


jobs.add_command(dlq)


@jobs.command("list", examples=("bmn jobs list", "bmn jobs list --cause provider_overloaded --since 2h --json"))
@filters
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
@click.option("--cursor", help="Where the page before ended.")
def list_jobs(limit: int, cursor: str | None, **values: Any) -> None:
    """The newest jobs first."""

    async def fetch() -> dict[str, Any]:
        async with open_client() as client:
            query = await as_query(client, values)
            page: dict[str, Any] = await client.get("/jobs", **query, limit=limit, cursor=cursor)
            return page

    page = run(fetch())
    if console.json:
        console.document(page)
        return
    found = page["jobs"]
    if not found:
        chosen = any(values.values())
        console.say("No jobs match." if chosen else "No jobs yet.")
        console.next_step("bmn jobs list" if chosen else 'bmn generate logos --brand "Acme Coffee"')
        return
    console.table(_COLUMNS, [_row(job) for job in found])
    if page["nextCursor"]:
        console.say(f"{len(found)} of {page['total']}; the next page: --cursor {page['nextCursor']}")
    failed = next((job for job in found if job["state"] in ("failed", "partial")), None)
    console.next_step(f"bmn jobs {'why' if failed else 'show'} {short_id((failed or found[0])['jobId'])}")


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


def _row(job: Job) -> list[Cell]:
    human = console.width is not None
    state = state_cell(job["state"])
    if job["state"] == "active":
        state = (f"{state[0]} {job['progress']}%", state[1])
    return [
        short_id(job["jobId"]) if human else job["jobId"],
        state,
        job["queueName"],
        job.get("brandName") or "",
        f"{job['attempt']}/{job['maxAttempts']}",
        usd(0.0 if job.get("sandboxed") else job["costUsd"]),
        ago(job["createdAt"]) if human else job["createdAt"],
        (job["error"] if job["state"] == "failed" else job["message"]) or "",
    ]


@jobs.command("count", examples=("bmn jobs count --state failed --since yesterday",))
@filters
def count_jobs(**values: Any) -> None:
    """How many jobs a filter finds."""

    async def fetch() -> int:
        async with open_client() as client:
            return int((await client.get("/jobs", **await as_query(client, values), limit=1))["total"])

    total = run(fetch())
    if console.json:
        console.document({"total": total})
        return
    console.answer(str(total))
    console.next_step("bmn jobs list")


@jobs.command("export", examples=("bmn jobs export --since 7d > jobs.jsonl",))
@filters
def export_jobs(**values: Any) -> None:
    """Every job that a filter finds, one JSON object a line."""

    async def fetch() -> list[Job]:
        async with open_client() as client:
            return await all_jobs(client, await as_query(client, values))

    for job in run(fetch()):
        console.json_line(job)


@jobs.command("show", examples=("bmn jobs show last", "bmn jobs show 7f3a --web"))
@_one
@click.option("-w", "--web", is_flag=True, help="Open its page in the browser.")
def show_job(job: str, web: bool) -> None:
    """Everything known about a job."""

    async def fetch() -> Job:
        async with open_client() as client:
            record: Job = await client.get(f"/jobs/{await find_job(client, job)}")
            return record

    record = run(fetch())
    if web:
        from bmn.cli.commands.open import visit

        visit(f"/g/job/{record['jobId']}")
    elif console.json:
        console.document(record)
    else:
        from bmn.cli.following.job_page import print_job

        print_job(record)


@jobs.command("watch", examples=("bmn jobs watch last", "bmn jobs watch 7f3a 91c2 --timeout 5m"))
@click.argument("jobs", nargs=-1, required=True, type=JobName())
@click.option("--timeout", type=Span(), help="Stop watching after this long; the job goes on. Exit 124.")
@click.option("--strict", is_flag=True, help="Exit 9 where only a part was delivered.")
@click.option("--images", metavar="HOW", help="auto, kitty, iterm, sixel, blocks or none.")
def watch_jobs(jobs: tuple[str, ...], timeout: float | None, strict: bool, images: str | None) -> int:
    """Live bars; what was missed is caught up. Ends with the job's own exit code; Ctrl-C detaches."""
    job_ids: list[str] = []
    try:
        ended = run(_watch(jobs, timeout, images, job_ids))
    except KeyboardInterrupt:
        return detached(job_ids)
    for job in ended:
        report(job)
    if not console.json:
        console.next_step(f"bmn jobs show {short_id(ended[-1]['jobId'])}")
    return exit_codes.of_jobs(ended, strict=strict)


async def _watch(
    references: tuple[str, ...], timeout: float | None, images: str | None, job_ids: list[str]
) -> list[Job]:
    from bmn.cli.following.gallery import Gallery
    from bmn.cli.following.progress import Board
    from bmn.cli.following.watch import watch
    from bmn.client.watch import Event

    async with open_client() as client:
        job_ids += [await find_job(client, reference, wait=10) for reference in references]
        gallery = Gallery(client, images)

        async def on_event(event: Event, board: Board) -> None:
            if console.json:
                console.json_line({"jobId": event.job_id, "seq": event.seq, "event": event.name, "data": event.data})
            await gallery.on_event(event, board)

        return await watch(client, job_ids, timeout=timeout, on_event=on_event, silent=console.json)


@jobs.command("why", examples=("bmn jobs why last", "bmn jobs why last:failed"))
@_one
def why(job: str) -> None:
    """Plain words: why the job is where it is, what it cost, what to do."""

    async def fetch() -> dict[str, Any]:
        async with open_client() as client:
            answer: dict[str, Any] = await client.get(f"/jobs/{await find_job(client, job)}/why")
            return answer

    answer = run(fetch())
    if console.json:
        console.document(answer)
    else:
        from bmn.cli.following.job_page import print_why

        print_why(answer)


@jobs.command("logs", examples=("bmn jobs logs last", "bmn jobs logs 7f3a --follow"))
@_one
@click.option("-f", "--follow", is_flag=True, help="Go on until the job ends.")
@click.option("--attempt", type=click.IntRange(1), help="Only this attempt.")
def logs(job: str, follow: bool, attempt: int | None) -> None:
    """The job's log lines."""
    from bmn.cli.commands.job_logs import print_logs

    if not run(print_logs(job, follow, attempt)):
        console.say("No log lines.")
    console.next_step(f"bmn jobs why {job}")


@jobs.command("cancel", examples=("bmn jobs cancel 7f3a", "bmn jobs cancel --queue video-generation --state queued"))
@_several
@filters
@_yes
def cancel(jobs: tuple[str, ...], **values: Any) -> None:
    """Stops jobs. What is finished is kept and charged, the rest comes back."""

    async def act() -> list[dict[str, Any]]:
        async with open_client() as client:
            job_ids = await choose(client, jobs, values, verb="cancel")
            return [await client.post(f"/jobs/{job_id}/cancel", safe=True) for job_id in job_ids]

    _tell_answers(run(act()), "cancel")


@jobs.command("retry", examples=("bmn jobs retry last:failed", "bmn jobs retry 7f3a --set logoStyle=bold"))
@_several
@filters
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change the payload first; repeatable.")
@click.option("--reason", metavar="TEXT", help="Kept in the audit log.")
@_yes
def retry(jobs: tuple[str, ...], changes: tuple[str, ...], reason: str | None, **values: Any) -> None:
    """Starts ended jobs anew; finished pictures are not paid twice."""
    body = {"changes": dict(_change(change) for change in changes), "reason": reason}

    async def act() -> list[dict[str, Any]]:
        async with open_client() as client:
            job_ids = await choose(client, jobs, values, verb="retry")
            return [await client.post(f"/jobs/{job_id}/retry", body) for job_id in job_ids]

    answers = run(act())
    _tell_answers(answers, "retry")
    if answers:
        console.next_step(f"bmn jobs watch {' '.join(short_id(answer['jobId']) for answer in answers[:5])}")


def _change(text: str) -> tuple[str, Any]:
    """`KEY=VALUE`; the value is JSON where it reads as JSON, else text."""
    key, sign, value = text.partition("=")
    if not (key and sign):
        raise UsageProblem(f"--set {text}: write it as KEY=VALUE.", hint="Example: --set logoStyle=bold")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _tell_answers(answers: list[dict[str, Any]], verb: str) -> None:
    if console.json:
        console.document({"jobs": answers})
        return
    if not answers:
        console.say(f"No job to {verb}.")
    for answer in answers:
        console.answer(f"{short_id(answer['jobId'])}  {answer['message']}")
    if len(answers) > 1:
        console.say(f"{plural(len(answers), 'job')}: {verb} asked")
