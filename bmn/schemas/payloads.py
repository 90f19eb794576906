"""What all payloads have in common, and those of the queues that work behind the generators (`bmn.schemas.generators`).

A payload is validated before anything is stored, and again when a worker takes it up.
"""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints, model_validator

from bmn.schemas.base import Email, FreeForm, HttpUrl, Id, Model, Text


class JobState(StrEnum):
    QUEUED = "queued"
    ACTIVE = "active"
    RETRYING = "retrying"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


TERMINAL_STATES = frozenset({JobState.COMPLETED, JobState.PARTIAL, JobState.FAILED, JobState.CANCELLED})
WAITING_STATES = frozenset({JobState.QUEUED, JobState.RETRYING})
REPLAYABLE_STATES = frozenset({JobState.FAILED, JobState.PARTIAL, JobState.CANCELLED})

CrmEvent = Literal[
    "user.created",
    "wizard.started",
    "wizard.step-completed",
    "wizard.abandoned",
    "brand.completed",
    "subscription.created",
    "subscription.cancelled",
]
MailTemplate = Literal[
    "welcome",
    "brand-complete",
    "wizard-abandoned",
    "password-reset",
    "subscription-confirmed",
    "subscription-cancelled",
    "generation-failed",
    "generation-ready",
    "kit-waiting",
    "support-ticket",
]
# Ours alone: nobody outside can ask for them, so a failing mail can never make another one.
OPS_TEMPLATE = "ops-alert"
ALERT_TEMPLATE = "alert"
CleanupType = Literal["expired-jobs", "orphaned-assets", "stale-sessions", "temp-files"]
CLEANUP_TYPES: tuple[CleanupType, ...] = ("expired-jobs", "orphaned-assets", "stale-sessions", "temp-files")


class Payload(Model):
    """Base of all. VERSION is stored beside the payload; raise it when an old one no longer validates."""

    VERSION: ClassVar[int] = 1

    @property
    def units(self) -> int:
        """How many paid units it asks for."""
        return 1


class BrandPayload(Payload):
    """Of the jobs that belong to a user's brand."""

    user_id: Id
    brand_id: Id


class CrmSync(Payload):
    user_id: Id
    event_type: CrmEvent
    data: FreeForm = Field(default_factory=dict)


class EmailSend(Payload):
    to: Email
    template: MailTemplate | Literal["ops-alert", "alert"]
    data: FreeForm = Field(default_factory=dict)
    user_id: Id | None = None


class ImageUpload(BrandPayload):
    """source_url: an allowed https URL; storage_key: an object that is already ours. Exactly one of them.

    asset_id: the row whose thumbnail is made.
    """

    asset_type: Annotated[Text, StringConstraints(max_length=32, pattern="^[a-z_]+$")]
    source_url: HttpUrl | None = None
    storage_key: Annotated[Text, StringConstraints(max_length=512)] | None = None
    asset_id: Id | None = None
    file_name: Annotated[Text, StringConstraints(min_length=1, max_length=255)]
    mime_type: Annotated[str, StringConstraints(max_length=100, pattern=r"^[a-z]+/[a-z0-9.+-]+$")] = "image/png"
    metadata: FreeForm | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "ImageUpload":
        if (self.source_url is None) == (self.storage_key is None):
            raise ValueError("give either sourceUrl or storageKey")
        return self


class Probe(Payload):
    """Of no queue alone: a job that asks nobody anything, to see whether a queue and a worker of it carry one to its end.

    worker: by whose hands; any other puts it back in line.
    """

    probe: Literal[True] = True
    worker: Annotated[Text, StringConstraints(max_length=200)]


class Cleanup(Payload):
    type: CleanupType
