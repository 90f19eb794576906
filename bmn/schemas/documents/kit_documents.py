"""Kits: whole brands, and how far each of their steps is."""

from typing import Annotated, Literal

from bmn.schemas.documents.document import PERSONAL, Document, Time, absent
from bmn.schemas.documents.job_documents import Expected
from bmn.schemas.kit_requests import Step
from bmn.schemas.payloads import JobState

KitState = Literal["running", "picking", "held", "done", "cancelled"]
StepState = Literal["waiting", "running", "picking", "held", "done", "cancelled"]


class KitJob(Document):
    """A job of a step. name: of the product, where it is about one."""

    job_id: str
    state: JobState
    progress: int
    name: Annotated[str | None, PERSONAL]
    message: Annotated[str | None, PERSONAL]


class KitStep(Document):
    """A step of a kit and its jobs, without those that a retry has taken the place of."""

    step: Step
    state: StepState
    jobs: list[KitJob]


class Kit(Document):
    """A whole brand as one group of jobs. group_id: of its jobs, and its own name. step: the one it is at.

    state: `running`; `picking`, until its owner has picked a logo; `held`, where a step lacks something, which `message`
    and `cause` say; `done`; `cancelled`. pick: the rule, where there is one. logo_id: the logo that was picked.
    credits_reserved, credits_charged, credits_refunded, cost_usd: of all of its jobs so far. credits_left: of the estimate,
    what no step has reserved yet.
    """

    group_id: str
    brand_id: str
    brand_name: Annotated[str | None, PERSONAL]
    user_id: str
    state: KitState
    step: Step
    message: str
    cause: str | None
    pick: int | None
    logo_id: str | None
    steps: list[KitStep]
    credits_estimated: int
    usd_estimated: float
    credits_left: int
    credits_reserved: int
    credits_charged: int
    credits_refunded: int
    cost_usd: float
    created_at: Time
    ended_at: Time | None


class KitPage(Document):
    """One page of kits, newest first."""

    kits: list[Kit]
    next_cursor: str | None


class KitStepPrice(Document):
    """What a step would order and come to. prompts: what models would be asked.

    usd, sandboxed: as a first attempt would cost at today's prices, and whether the sandbox answers instead. unknown: what
    an earlier step has to bring before this one is certain in its words; null where nothing is missing. expected: how long a
    job of it took lately; those of a step run side by side.
    """

    step: Step
    jobs: int
    credits: int
    usd: float
    prompts: list[str]
    sandboxed: bool
    unknown: str | None
    expected: Expected | None = absent()


class KitPrice(Document):
    """What a whole kit would come to; nothing is stored. credits_promised: what one's other open kits are going to need.

    usd_sandboxed: of usd, what the sandbox stands in for, and nobody is charged. sandboxed: that is so for all of it.
    """

    steps: list[KitStepPrice]
    credits: int
    credits_available: int
    credits_promised: int
    usd: float
    usd_sandboxed: float
    sandboxed: bool
    warning: str | None = absent()
