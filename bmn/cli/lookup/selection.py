"""Which jobs: ids, or one filter that lists, counts, cancels, retries and exports alike."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Annotated, TypeVar, get_type_hints

import typer

from bmn.cli.lookup.brand_lookup import find_brand, is_brand_id
from bmn.cli.lookup.group_lookup import find_group
from bmn.cli.lookup.server_lookup import open_client
from bmn.cli.terminal.params import Reveal, dollars
from bmn.cli.terminal.params import since as seconds_since
from bmn.client import Client, pages
from bmn.client.calls.fields import JobQuery, Whose
from bmn.errors import Cause, UsageProblem
from bmn.schemas.documents import Job
from bmn.schemas.generators import KIND_OF
from bmn.schemas.payloads import JobState

_PAGE = 200
_NO_CHOICE = ("everyone", "reveal")
R = TypeVar("R")


# The filter options; they mean the same wherever jobs are chosen.
Queue = Annotated[
    str | None, typer.Option("--queue", metavar="NAME", help="Only this queue: logo-generation, image-upload, ...")
]
State = Annotated[JobState | None, typer.Option("--state", help="Only this state.")]
CauseOption = Annotated[
    Cause | None, typer.Option("--cause", metavar="CAUSE", help="Only jobs that failed for this cause.")
]
Brand = Annotated[str | None, typer.Option("--brand", metavar="NAME", help="Only this brand.")]
Group = Annotated[
    str | None, typer.Option("--group", metavar="ID", help="Only jobs that were ordered together, such as a kit's.")
]
Text = Annotated[str | None, typer.Option("--text", metavar="WORDS", help="In the payload, the error or the id.")]
Since = Annotated[
    float | None,
    typer.Option(
        "--since", parser=seconds_since, metavar="WHEN", help="Newer than 10m, 2h, 3d, yesterday, or an ISO time."
    ),
]
Until = Annotated[float | None, typer.Option("--until", parser=seconds_since, metavar="WHEN", help="Older than that.")]
Everything = Annotated[bool, typer.Option("--all", help="Mails, thumbnails and the like as well.")]
MinCost = Annotated[
    float | None,
    typer.Option("--min-cost", parser=dollars, metavar="USD", help="Only jobs whose providers took this much."),
]
Everyone = Annotated[bool, typer.Option("--everyone", help="Of all users; for admins.")]
OfUser = Annotated[
    str | None, typer.Option("--user", metavar="ID|MAIL", help="Of this user, by id or mail address; for admins.")
]


@dataclass(frozen=True, slots=True)
class Filter:
    """What the filter options said. since, until: seconds ago. everything: not the generators' jobs alone.

    Its fields are the options: `filtered` gives them to a command.
    """

    queue: Queue = None
    state: State = None
    cause: CauseOption = None
    brand: Brand = None
    group: Group = None
    text: Text = None
    since: Since = None
    until: Until = None
    min_cost: MinCost = None
    user: OfUser = None
    everyone: Everyone = False
    everything: Everything = False
    reveal: Reveal = None

    def __bool__(self) -> bool:
        """Whether anything was chosen; of whom alone is no choice, nor why."""
        return any(getattr(self, each.name) is not each.default for each in fields(self) if each.name not in _NO_CHOICE)

    @property
    def only_group(self) -> bool:
        """Whether a group is all that was chosen."""
        chosen = {each.name for each in fields(self) if getattr(self, each.name) is not each.default} - {"reveal"}
        return chosen == {"group"}

    @property
    def of_others(self) -> bool:
        """Whether other users' jobs are meant."""
        return self.everyone or self.user is not None

    def client(self) -> Client:
        """A client that may see what is meant."""
        return open_client(role="admin" if self.of_others else "user")


def filtered(command: Callable[..., R]) -> Callable[..., R]:
    """The command with the filter's options in place of its parameter `chosen`."""
    hints = get_type_hints(Filter, include_extras=True)
    options = [(each.name, each.default, hints[each.name]) for each in fields(Filter)]

    def run(**values: object) -> R:
        chosen = Filter(**{name: values.pop(name) for name, _, _ in options})  # type: ignore[arg-type]
        return command(chosen=chosen, **values)

    parameters: list[inspect.Parameter] = []
    signature = inspect.signature(command, eval_str=True)
    for own in signature.parameters.values():
        if own.name != "chosen":
            parameters.append(own.replace(kind=inspect.Parameter.KEYWORD_ONLY))
            continue
        parameters += (
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)
            for name, default, hint in options
        )
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run


async def as_query(client: Client, chosen: Filter) -> JobQuery:
    """The options as the API's parameters: a brand's name becomes its id.

    Without `--queue` and `--all` only generators' jobs: what they set off (mails, thumbnails) is nobody's own doing.
    Raises NotFound for an unknown queue or brand, UsageProblem for a brand of others by its name.
    """
    if chosen.queue:
        from bmn.work.queue_names import known_queue

        known_queue(chosen.queue)  # a mistyped one would find nothing, which reads like an answer
    whose = scope(chosen.user, everyone=chosen.everyone)
    return {
        "queue": chosen.queue or (None if chosen.everything else [*KIND_OF]),
        "state": chosen.state,
        "cause": chosen.cause,
        "brand": await _brand_id(client, chosen),
        "groupId": await find_group(client, chosen.group) if chosen.group else None,
        "text": chosen.text,
        "since": chosen.since,
        "until": chosen.until,
        "minCost": chosen.min_cost,
        "user": whose.get("user"),
        "all": whose.get("all"),
    }


def scope(user: str | None, *, everyone: bool) -> Whose:
    """Whose jobs, as the API's parameters. Raises UsageProblem where both are given."""
    if user is not None and everyone:
        raise UsageProblem("--user and --everyone do not go together.", hint="Leave one of them out.")
    return {"user": user, "all": everyone or None}


async def _brand_id(client: Client, chosen: Filter) -> str | None:
    if not chosen.brand:
        return None
    if not chosen.of_others:
        return (await find_brand(client, chosen.brand)).id
    if not is_brand_id(chosen.brand):
        raise UsageProblem(
            f"--brand {chosen.brand}: several users may have a brand of this name.",
            hint="Beside --everyone and --user give the brand's id, as `bmn jobs list --json` shows it.",
        )
    return chosen.brand


async def all_jobs(client: Client, query: JobQuery, *, reveal: str | None = None) -> list[Job]:
    """Every job that a query finds, page by page. reveal: why what their users have said is looked at."""
    every_page = pages(lambda cursor: client.jobs(limit=_PAGE, cursor=cursor, reveal=reveal, **query))
    return [job async for page in every_page for job in page.jobs]
