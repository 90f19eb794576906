"""What the tools answer: the documents of the API, less what an agent does not need and would pay to read."""

from typing import Any

from pydantic import ConfigDict, Field

from bmn.cli.lookup.asset_lookup import numbered
from bmn.schemas import documents
from bmn.schemas.documents.document import Document, Time
from bmn.schemas.generators import KIND_OF
from bmn.schemas.payloads import TERMINAL_STATES, JobState


class Picture(Document):
    """A picture or film of a job. name: what `look` and `refine` take. url: signed, and good for an hour or two."""

    name: str
    id: str
    type: str
    url: str
    is_selected: bool


class JobAnswer(Document):
    """A job. kind: of what was ordered, or the queue's name. progress: percent. ended: nothing more will change.

    cost_usd: what providers charged; with sandboxed, what they would have. result: the words of a step of the wizard.
    """

    job_id: str
    kind: str
    state: JobState
    ended: bool
    progress: int
    message: str | None
    error: str | None
    cause: str | None
    brand_name: str | None
    credits_charged: int
    credits_refunded: int
    cost_usd: float
    sandboxed: bool
    pictures: list[Picture]
    result: dict[str, Any] | None = None


class JobAnswers(Document):
    """Jobs in the order in which they were named. all_ended: false where the time was too short; ask again."""

    jobs: list[JobAnswer]
    all_ended: bool


class JobLine(Document):
    """A job of a list."""

    job_id: str
    kind: str
    state: JobState
    brand_name: str | None
    cause: str | None
    credits_charged: int
    created_at: Time


class JobLines(Document):
    """A page of jobs, newest first."""

    jobs: list[JobLine]
    next_cursor: str | None


class BrandLine(Document):
    """A brand and its look."""

    id: str
    name: str
    vision: str | None
    archetype: str | None
    color_palette: list[str] | None
    logo_style: str | None
    status: str


class BrandLines(Document):
    """A page of brands, newest first."""

    brands: list[BrandLine]
    next_cursor: str | None


class PictureLines(Document):
    """A page of a brand's pictures, newest first; each is named by its id."""

    pictures: list[Picture]
    next_cursor: str | None


class ProductLine(Document):
    """Something that a logo is put on. name: what orders call it."""

    name: str
    title: str
    category: str


class ProductLines(Document):
    """The whole catalogue."""

    products: list[ProductLine]


class StepPrice(Document):
    """What a step of a kit comes to."""

    step: str
    jobs: int
    credits: int
    usd: float


class PriceAnswer(Document):
    """What an order would come to; nothing was submitted. usd: what providers charge with their keys.

    credits_available: of a kit, without those that one's other open kits are going to need.
    sandboxed: the sandbox answers, and nobody is charged. usual_seconds: how long such jobs take, in the median. waiting:
    how many jobs are before it. prompts: what models would be asked. steps: of a kit. brand_is_new: submitting makes it.
    budget_left: what this server may still spend, where it was started with a budget.
    """

    credits: int
    credits_available: int
    usd: float
    sandboxed: bool
    waiting: int | None = None
    usual_seconds: float | None = None
    warning: str | None = None
    prompts: list[str] = Field(default_factory=list)
    steps: list[StepPrice] = Field(default_factory=list)
    brand_is_new: bool = False
    budget_left: str | None = None


class OrderAnswer(Document):
    """What was submitted. kit: of a whole brand. credits, usd: what it was estimated at.

    key: the same key and order are one submission, however often they are sent. ended: the key belongs to a job that ended
    so, and nothing new was started.
    """

    model_config = ConfigDict(title="Accepted")  # as the tools have described it since their first release

    job_ids: list[str]
    kit: str | None
    message: str
    credits: int
    usd: float
    sandboxed: bool
    warning: str | None
    ended: JobState | None
    key: str | None
    budget_left: str | None


class Balance(Document):
    """Credits of the account. writes: whether this server submits anything. spent: by this server so far, as estimated.

    budget, budget_left: of this server, where it was started with one.
    """

    credits_remaining: int
    credits_reserved: int
    writes: bool
    spent: str
    budget: str | None
    budget_left: str | None


def job_answer(job: documents.JobRecord) -> JobAnswer:
    """A record as an agent reads it."""
    pictures = [picture(asset, f"{job.job_id}/{number}") for number, asset in enumerate(numbered(job.assets), start=1)]
    return JobAnswer(
        job_id=job.job_id,
        kind=_kind(job),
        state=job.state,
        ended=job.state in TERMINAL_STATES,
        progress=job.progress,
        message=job.message,
        error=job.error,
        cause=job.cause,
        brand_name=job.brand_name,
        credits_charged=job.credits_charged,
        credits_refunded=job.credits_refunded,
        cost_usd=job.cost_usd,
        sandboxed=job.sandboxed,
        pictures=pictures,
        result=None if pictures else job.result,
    )


def job_line(job: documents.Job) -> JobLine:
    """The same in a list."""
    return JobLine(
        job_id=job.job_id,
        kind=_kind(job),
        state=job.state,
        brand_name=job.brand_name,
        cause=job.cause,
        credits_charged=job.credits_charged,
        created_at=job.created_at,
    )


def picture(asset: documents.Asset, name: str) -> Picture:
    """An asset under the name that it is called by."""
    return Picture(name=name, id=asset.id, type=asset.type, url=asset.url, is_selected=asset.is_selected)


def brand_line(brand: documents.Brand) -> BrandLine:
    """A brand without what the wizard's steps wrote down."""
    return BrandLine.model_validate(brand.model_dump())


def _kind(job: documents.Job) -> str:
    kind = KIND_OF.get(job.queue_name)
    return kind.name if kind else job.queue_name
