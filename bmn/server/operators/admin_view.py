"""The address is the view: what a list of jobs is filtered by, under the API's own names, so that it can be handed on."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import Request
from pydantic import Field, StringConstraints
from starlette.datastructures import FormData, QueryParams

from bmn.db.lists.groups import GroupBy
from bmn.db.lists.listing import JobFilter
from bmn.errors import UsageProblem
from bmn.identity.tokens import Principal
from bmn.schemas.base import GivenReason, Id, JobId, Model, Text
from bmn.schemas.payloads import JobState
from bmn.schemas.requests import BulkBody, BulkWord
from bmn.server.routes.job_routes import chosen_jobs
from bmn.server.state.resources import Resources

_LISTS = ("state", "queue", "ids")
_Words = Annotated[Text, StringConstraints(max_length=200)]


class View(Model):
    """since, until: seconds ago. Empty fields of a form are no fields."""

    state: Annotated[list[JobState], Field(max_length=7)] = Field(default_factory=list)
    queue: Annotated[list[_Words], Field(max_length=20)] = Field(default_factory=list)
    cause: Annotated[Text, StringConstraints(max_length=64)] | None = None
    user: Annotated[Text, StringConstraints(max_length=254)] | None = None
    text: _Words | None = None
    brand: Id | None = None
    prefix: Annotated[str, StringConstraints(max_length=128, pattern=r"^[A-Za-z0-9_-]+$")] | None = None
    since: float | None = Field(None, gt=0)
    until: float | None = Field(None, gt=0)
    min_cost: float | None = Field(None, ge=0, le=1e6)
    by: GroupBy = "cause"
    cursor: Annotated[str, StringConstraints(max_length=400)] | None = None

    def query(self, **changes: object) -> str:
        """The address's query with some fields changed; None takes one out. It begins on the first page."""
        fields = {**self.dump(), "cursor": None, **changes}
        fields = {name: value for name, value in fields.items() if value not in (None, [], "")}
        if fields.get("by") == "cause":
            del fields["by"]
        return urlencode(fields, doseq=True)

    def fields(self) -> list[tuple[str, str]]:
        """The same, for the hidden fields of a form that leads to it again."""
        return parse_qsl(self.query())

    async def chosen(self, res: Resources, visitor: Principal) -> JobFilter:
        """The jobs it shows. Raises NotAllowed, NotFound."""
        return await chosen_jobs(
            res,
            visitor,
            queue=list(self.queue),
            state=list(self.state),
            cause=self.cause,
            brand=self.brand,
            text=self.text,
            since=self.since,
            until=self.until,
            min_cost=self.min_cost,
            user=self.user,
            everyone=self.user is None,
        )


class Act(View):
    """What is asked of a bulk action: a view, or ticked jobs, and how it is carried out."""

    action: BulkWord
    ids: Annotated[list[JobId], Field(max_length=1000)] = Field(default_factory=list)
    everything: bool = Field(False, alias="all")
    rate: float | None = Field(None, gt=0, le=1000)
    stop_at: float | None = Field(None, gt=0, le=1)
    reason: GivenReason | None = None

    def body(self) -> BulkBody:
        """The same as the API has it. Ticked jobs are these alone, whatever else the view shows. Raises UsageProblem."""
        if self.prefix and not self.ids:
            raise UsageProblem("Jobs are not acted on by the beginning of their ids.", hint="Tick them.")
        if self.ids:
            chosen: dict[str, Any] = {"ids": self.ids}
        else:
            names = ("state", "queue", "cause", "user", "text", "brand", "since", "until", "min_cost", "everything")
            chosen = {name: getattr(self, name) for name in names}
        how = {"action": self.action, "rate": self.rate, "stop_at": self.stop_at, "reason": self.reason}
        return BulkBody.model_validate({**chosen, **how})


def view_of(request: Request) -> View:
    """Raises ValidationError."""
    fields = _fields(request.query_params)
    return View.model_validate({name: value for name, value in fields.items() if name not in ("reveal", "reason")})


def act_of(given: QueryParams | FormData) -> Act:
    """Raises ValidationError."""
    return Act.model_validate({name: value for name, value in _fields(given).items() if name != "reveal"})


def _fields(given: QueryParams | FormData) -> dict[str, object]:
    found: dict[str, object] = {}
    for name in dict(given):
        values = [value for value in given.getlist(name) if value != ""]
        if values:
            found[name] = values if name in _LISTS else values[-1]
    return found


@dataclass(frozen=True, slots=True)
class Choice:
    """An entry of a field: what the address says, and what people read."""

    value: str
    text: str


SPANS = tuple(
    Choice(value, text)
    for value, text in (
        ("900", "15 minutes"),
        ("3600", "hour"),
        ("21600", "6 hours"),
        ("86400", "day"),
        ("604800", "week"),
        ("2592000", "30 days"),
    )
)
