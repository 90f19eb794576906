"""Receivers of webhooks and what is delivered to them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from bmn.db.records.base import Record


class DeliveryState(StrEnum):
    """What became of a webhook. DROPPED: nobody is to hear it any more."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Hook:
    """A receiver that hears of a job. endpoint_id: the account's; None for one that the submission names itself."""

    url: str
    events: tuple[str, ...]
    endpoint_id: str | None = None

    @classmethod
    def read(cls, stored: list[dict[str, Any]] | None) -> "tuple[Hook, ...]":
        """As a job's row keeps them."""
        return tuple(cls(each["url"], tuple(each["events"]), each["endpoint_id"]) for each in stored or ())


@dataclass(frozen=True, slots=True)
class EndpointRow(Record):
    """A receiver of an account. listening_until: until when one counts as there that asks for its messages.

    disabled_at: since when it gets nothing, for disabled_reason; None while it hears.
    """

    CONVERTED: ClassVar = {"events": tuple}

    id: str
    user_id: str
    url: str
    secret: str
    events: tuple[str, ...]
    listening_until: float | None
    created_at: float
    disabled_at: float | None
    disabled_reason: str | None


@dataclass(frozen=True, slots=True)
class DeliveryRow(Record):
    """One event for one receiver. id: its `webhook-id`. delivery_job: the job that delivers it, once there is one.

    status: of the last answer. error: why the last attempt failed, or why it was dropped.
    """

    CONVERTED: ClassVar = {"state": DeliveryState}

    id: str
    user_id: str
    job_id: str
    endpoint_id: str | None
    url: str
    event: str
    payload: dict[str, Any]
    state: DeliveryState
    attempts: int
    status: int | None
    error: str | None
    delivery_job: str | None
    created_at: float
    attempted_at: float | None
    ended_at: float | None
