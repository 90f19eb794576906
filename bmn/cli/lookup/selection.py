"""Which jobs: ids, or one filter that lists, counts, cancels, retries and exports alike."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Annotated

import typer

from bmn.cli.lookup.brands import find_brand
from bmn.cli.lookup.jobs import find_job
from bmn.cli.terminal.console import console
from bmn.cli.terminal.params import since as seconds_since
from bmn.client import Client, pages
from bmn.client.api import JobQuery
from bmn.errors import Cause, UsageProblem
from bmn.format import count, usd
from bmn.schemas.documents import Job
from bmn.schemas.generators import KIND_OF
from bmn.schemas.payloads import JobState

_PAGE = 200
_MANY = 50


# The filter options; they mean the same wherever jobs are chosen.
Queue = Annotated[
    str | None, typer.Option("--queue", metavar="NAME", help="Only this queue: logo-generation, image-upload, ...")
]
State = Annotated[JobState | None, typer.Option("--state", help="Only this state.")]
CauseOption = Annotated[
    Cause | None, typer.Option("--cause", metavar="CAUSE", help="Only jobs that failed for this cause.")
]
Brand = Annotated[str | None, typer.Option("--brand", metavar="NAME", help="Only this brand.")]
Text = Annotated[str | None, typer.Option("--text", metavar="WORDS", help="In the payload, the error or the id.")]
Since = Annotated[
    float | None,
    typer.Option(
        "--since", parser=seconds_since, metavar="WHEN", help="Newer than 10m, 2h, 3d, yesterday, or an ISO time."
    ),
]
Until = Annotated[float | None, typer.Option("--until", parser=seconds_since, metavar="WHEN", help="Older than that.")]
Everything = Annotated[bool, typer.Option("--all", help="Mails, thumbnails and the like as well.")]


@dataclass(frozen=True, slots=True)
class Filter:
    """What the filter options said. since, until: seconds ago. everything: not the generators' jobs alone."""

    queue: str | None = None
    state: JobState | None = None
    cause: Cause | None = None
    brand: str | None = None
    text: str | None = None
    since: float | None = None
    until: float | None = None
    everything: bool = False

    def __bool__(self) -> bool:
        """Whether anything was chosen."""
        return any(getattr(self, field.name) is not field.default for field in fields(self))


async def as_query(client: Client, chosen: Filter) -> JobQuery:
    """The options as the API's parameters: a brand's name becomes its id.

    Without `--queue` and `--all` only generators' jobs: what they set off (mails, thumbnails) is nobody's own doing.
    Raises NotFound for an unknown queue or brand.
    """
    if chosen.queue:
        from bmn.work.queue_names import known_queue

        known_queue(chosen.queue)  # a mistyped one would find nothing, which reads like an answer
    return {
        "queue": chosen.queue or (None if chosen.everything else [*KIND_OF]),
        "state": chosen.state,
        "cause": chosen.cause,
        "brand": (await find_brand(client, chosen.brand)).id if chosen.brand else None,
        "text": chosen.text,
        "since": chosen.since,
        "until": chosen.until,
    }


async def all_jobs(client: Client, query: JobQuery) -> list[Job]:
    """Every job that a query finds, page by page."""
    every_page = pages(lambda cursor: client.jobs(limit=_PAGE, cursor=cursor, **query))
    return [job async for page in every_page for job in page.jobs]


async def choose(
    client: Client, references: Sequence[str], chosen: Filter, *, verb: str, yes: bool = False
) -> list[str]:
    """The ids that a bulk command acts on: the ones named, or, after a question, the filter's.

    Raises UsageProblem where neither is given, and Abort where the answer is no.
    """
    if references:
        return [await find_job(client, reference) for reference in references]
    if not chosen:
        raise UsageProblem(f"Which jobs to {verb}?", hint="Name them, or choose with --state, --queue, --cause, ...")
    jobs = await all_jobs(client, await as_query(client, chosen))
    if jobs and not yes:
        cost = usd(sum(job.cost_usd for job in jobs))
        console.tell(f"{count(len(jobs), 'job')} to {verb}; they have cost {cost} so far.")
        _ask(len(jobs), verb)
    return [job.job_id for job in jobs]


def _ask(number: int, verb: str) -> None:
    if number <= _MANY:
        if not console.confirm(f"{verb} {count(number, 'job')}?"):
            raise typer.Abort
        return
    if not console.interactive:
        raise UsageProblem(f"This would {verb} {number} jobs, and nobody is here to answer.", hint="Add --yes.")
    if console.ask(f"That is many. Type the number to {verb} them: ") != str(number):
        raise typer.Abort
