"""Actions on many jobs, and what became of each."""

from typing import Annotated, Any, Literal

from bmn.schemas.documents.document import INTERNAL, PERSONAL, PERSONAL_CHOICE, Document, Time, absent

BulkWord = Literal["retry", "cancel", "replay", "purge"]
BulkState = Literal["running", "paused", "done", "stopped", "aborted"]


class BulkEstimate(Document):
    """What an action would come to. credits: what a retry reserves, what a cancel gives back. usd: what providers charge.

    sandboxed: the sandbox answers, and nobody is charged. users_past_budget: how many users it takes past their budget of a
    day, which does not hold an operator's act. about: of many jobs; figures by a sample of a thousand.
    """

    jobs: int
    credits: int
    usd: float
    sandboxed: bool
    users_past_budget: int | None = absent()
    about: bool | None = absent()


class BulkAction(Document):
    """An action as it stands. total: jobs, each of which is done, refused, or left. selection: what was asked for.

    credits: reserved by what was brought back, or given back by what was cancelled. failed_again: of those brought back,
    counted where stop_at is set. rate: jobs a second. message: why it stopped. joined: it was there when this was asked for.
    """

    id: str
    action: BulkWord
    state: BulkState
    selection: Annotated[dict[str, Any], INTERNAL]
    user_id: str | None
    asked_by: str
    reason: Annotated[str | None, INTERNAL]
    total: int
    done: int
    refused: int
    left: int
    failed_again: int
    credits_estimated: int
    usd_estimated: float
    credits: int
    rate: float | None
    stop_at: float | None
    message: str | None
    created_at: Time
    ended_at: Time | None
    joined: bool | None = absent()


class OwnBulkAction(BulkAction):
    """One that a user began on their own jobs: what they looked for, and why, is in their own words."""

    selection: Annotated[dict[str, Any], INTERNAL, PERSONAL_CHOICE]
    reason: Annotated[str | None, PERSONAL]


class BulkPage(Document):
    """One page of actions, newest first."""

    bulk: list[BulkAction]
    next_cursor: str | None


class BulkItem(Document):
    """One job of an action. detail: what became of it, or why it was refused. new_job_id: the job that brought it back."""

    number: int
    job_id: str
    state: Literal["waiting", "done", "refused"]
    new_job_id: str | None
    credits: int
    detail: str | None
    at: Time | None


class BulkItems(Document):
    """Jobs of an action in their order. next_after: where the next page begins; null on the last."""

    items: list[BulkItem]
    next_after: int | None
