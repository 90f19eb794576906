"""Which jobs: ids, or one filter that lists, counts, cancels, retries and exports alike."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from bmn.cli.lookup.session import find_brand, find_job
from bmn.cli.terminal.console import console
from bmn.cli.terminal.format import GENERATORS, STATES, plural, usd
from bmn.cli.terminal.timespan import Since
from bmn.client.http import BmnClient
from bmn.errors import CAUSES, UsageProblem

Job = dict[str, Any]
F = TypeVar("F", bound=Callable[..., Any])

FIELDS = ("queue", "state", "cause", "brand", "text", "since", "until")
_PAGE = 200
_MANY = 50


def filters(command: F) -> F:
    """The filter options; they mean the same wherever jobs are chosen."""
    options = (
        click.option("--queue", metavar="NAME", help="Only this queue: logo-generation, image-upload, ..."),
        click.option("--state", type=click.Choice(STATES), help="Only this state."),
        click.option(
            "--cause", type=click.Choice([str(cause) for cause in CAUSES]), metavar="CAUSE", help="Why failed."
        ),
        click.option("--brand", metavar="NAME", help="Only this brand."),
        click.option("--text", metavar="WORDS", help="In the payload, the error or the id."),
        click.option("--since", type=Since(), help="Newer than 10m, 2h, 3d, yesterday, or an ISO time."),
        click.option("--until", type=Since(), help="Older than that."),
        click.option("--all", "everything", is_flag=True, help="Mails, thumbnails and the like as well."),
    )
    for option in reversed(options):
        command = option(command)
    return command


async def as_query(client: BmnClient, values: dict[str, Any]) -> dict[str, Any]:
    """The options as the API's parameters: a brand's name becomes its id.

    Without `--queue` and `--all` only generators' jobs: what they set off (mails, thumbnails) is nobody's own doing.
    Raises NotFound for a queue or a brand that is none.
    """
    query = {name: values.get(name) for name in FIELDS}
    if query["queue"]:
        from bmn.work.registry import get_queue

        get_queue(query["queue"])  # a mistyped one would find nothing, which reads like an answer
    if not (query["queue"] or values.get("everything")):
        query["queue"] = GENERATORS
    if query["brand"]:
        query["brand"] = (await find_brand(client, query["brand"]))["id"]
    return {name: value for name, value in query.items() if value is not None}


async def all_jobs(client: BmnClient, query: dict[str, Any]) -> list[Job]:
    """Every job that a query finds, page by page."""
    found: list[Job] = []
    cursor = None
    while True:
        page = await client.get("/jobs", **query, limit=_PAGE, cursor=cursor)
        found += page["jobs"]
        cursor = page["nextCursor"]
        if cursor is None:
            return found


async def choose(client: BmnClient, references: Sequence[str], values: dict[str, Any], *, verb: str) -> list[str]:
    """The ids that a bulk command acts on: the ones named, or, after a question, the filter's.

    Raises UsageProblem where neither is given, and Abort where the answer is no.
    """
    if references:
        return [await find_job(client, reference) for reference in references]
    if not (values.get("everything") or any(values.get(name) for name in FIELDS)):
        raise UsageProblem(f"Which jobs to {verb}?", hint="Name them, or choose with --state, --queue, --cause, ...")
    jobs = await all_jobs(client, await as_query(client, values))
    if jobs and not values.get("yes"):
        cost = usd(sum(job["costUsd"] for job in jobs))
        console.tell(f"{plural(len(jobs), 'job')} to {verb}; they have cost {cost} so far.")
        _ask(len(jobs), verb)
    return [job["jobId"] for job in jobs]


def _ask(count: int, verb: str) -> None:
    if count <= _MANY:
        if not console.confirm(f"{verb} {plural(count, 'job')}?"):
            raise click.Abort
        return
    if not console.interactive:
        raise UsageProblem(f"This would {verb} {count} jobs, and nobody is here to answer.", hint="Add --yes.")
    if click.prompt(f"That is many. Type the number to {verb} them", err=True, default="", show_default=False) != str(
        count
    ):
        raise click.Abort
