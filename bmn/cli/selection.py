"""Which jobs: ids, or one filter that lists, counts, cancels, retries and exports alike."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from bmn.cli.console import console
from bmn.cli.session import find_brand, find_job
from bmn.cli.timespan import Since
from bmn.cli.views import STATES, plural, usd
from bmn.client.http import BmnClient
from bmn.errors import CAUSES, UsageProblem

Job = dict[str, Any]
F = TypeVar("F", bound=Callable[..., Any])

FIELDS = ("queue", "state", "cause", "brand", "text", "since")
EVERY = 1_000_000
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
        click.option("--all", "everything", is_flag=True, help="Mails, thumbnails and the like as well."),
    )
    for option in reversed(options):
        command = option(command)
    return command


async def as_query(client: BmnClient, values: dict[str, Any]) -> dict[str, Any]:
    """The options as the API's parameters: a brand's name becomes its id."""
    query = {name: values.get(name) for name in FIELDS}
    if query["brand"]:
        query["brand"] = (await find_brand(client, query["brand"]))["id"]
    return {name: value for name, value in query.items() if value is not None}


async def page_of(
    client: BmnClient, values: dict[str, Any], *, limit: int, cursor: str | None = None
) -> tuple[list[Job], str | None]:
    """The newest jobs that the options choose, at most `limit`, and the cursor of what follows.

    Without `--queue` and `--all` only generators' jobs: what they set off (mails, thumbnails) is nobody's own doing.
    """
    query = await as_query(client, values)
    everything = values.get("everything") or "queue" in query
    found: list[Job] = []
    while len(found) < limit:
        page = await client.get("/jobs", **query, limit=min(limit - len(found), _PAGE), cursor=cursor)
        found += [job for job in page["jobs"] if everything or job.get("jobType")]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    return found, cursor


async def choose(client: BmnClient, references: Sequence[str], values: dict[str, Any], *, verb: str) -> list[str]:
    """The ids that a bulk command acts on: the ones named, or, after a question, the filter's.

    Raises UsageProblem where neither is given, and Abort where the answer is no.
    """
    if references:
        return [await find_job(client, reference) for reference in references]
    if not (values.get("everything") or any(values.get(name) for name in FIELDS)):
        raise UsageProblem(f"Which jobs to {verb}?", hint="Name them, or choose with --state, --queue, --cause, ...")
    jobs, _ = await page_of(client, values, limit=EVERY)
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
