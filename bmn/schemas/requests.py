"""HTTP bodies. A generator's stands beside its payload, in `bmn.schemas.generators`."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from bmn.schemas.base import (
    Email,
    Flag,
    FreeForm,
    Id,
    JobId,
    Model,
    Name,
    Number,
    Palette,
    Reason,
    Role,
    Text,
    Vision,
    Whole,
)
from bmn.schemas.look import LogoStyle
from bmn.schemas.payloads import CrmEvent, CrmSync, EmailSend, JobState, MailTemplate

MOST_SECONDS = 86_400  # that a browser's token lives


class BrandPatch(Model):
    name: Name | None = None
    vision: Vision | None = None
    archetype: Annotated[Text, StringConstraints(max_length=200)] | None = None
    color_palette: Palette | None = None
    logo_style: LogoStyle | None = None
    status: Annotated[str, StringConstraints(pattern=r"^(draft|active|complete)$")] | None = None


class RetryBody(Model):
    """changes: payload fields to set before the replay, validated against today's schema."""

    changes: FreeForm = Field(default_factory=dict)
    reason: Reason | None = None


class ReasonBody(Model):
    """reason: why, for the audit log."""

    reason: Reason | None = None


class PickBody(Model):
    """asset_id: the logo that a kit goes on with."""

    asset_id: Id


class KeyBody(Model):
    """role: what the key may do. user_id: whom it acts as; the caller where none is named. expires_in: seconds."""

    name: Name
    role: Role
    user_id: Id | None = None
    expires_in: Whole | None = Field(None, ge=60, le=10 * 366 * 86_400)
    reason: Reason | None = None


class MuteBody(Model):
    """kind: of alerts. seconds: for how long nobody is told of it."""

    kind: Annotated[Text, StringConstraints(max_length=32)]
    seconds: Number = Field(ge=1, le=30 * 86_400)
    reason: Reason | None = None


class UnmuteBody(Model):
    kind: Annotated[Text, StringConstraints(max_length=32)]
    reason: Reason | None = None


class PauseBody(Model):
    reason: Reason = ""


class DrainBody(Model):
    """name: of a worker or its beginning, its process id, a queue, or `all`. seconds: that running jobs have to finish."""

    name: Annotated[Text, StringConstraints(min_length=1, max_length=200)]
    host: Annotated[Text, StringConstraints(min_length=1, max_length=255)] | None = None
    seconds: Number = Field(120, ge=0, le=3600)
    reason: Reason | None = None


class ScaleBody(Model):
    """count: workers of the queue that each supervisor is to keep. host: only supervisors there."""

    queue: Annotated[Text, StringConstraints(max_length=32)]
    count: Whole = Field(ge=1, le=16)
    host: Annotated[Text, StringConstraints(min_length=1, max_length=255)] | None = None
    reason: Reason | None = None


class DlqSelection(Model):
    """Which dead letters: ids, or a filter. since: how long ago at most, in seconds. Nothing given selects nothing."""

    ids: Annotated[list[Text], Field(max_length=1000)] = Field(default_factory=list)
    everything: Flag = Field(False, alias="all")
    queue: Text | None = None
    cause: Text | None = None
    text: Annotated[Text, StringConstraints(max_length=200)] | None = None
    since: Number | None = Field(None, gt=0)
    dry_run: Flag = False
    limit: Whole = Field(1000, ge=1, le=1000)
    reason: Reason | None = None


BulkWord = Literal["retry", "cancel", "replay", "purge"]


class BulkBody(Model):
    """Which jobs, and what to do with them. since, until: seconds ago. changes: of the payload, before a retry.

    ids: only these jobs. rate: jobs a second at most. stop_at: the share of failures at which it stops. Whose: the
    caller's, or for operators everybody's, or a user's by id or mail address. Without any choice nothing is chosen.
    """

    action: BulkWord
    ids: Annotated[list[JobId], Field(max_length=1000)] = Field(default_factory=list)
    everything: Flag = Field(False, alias="all")
    queue: Annotated[list[Text], Field(max_length=20)] = Field(default_factory=list)
    state: Annotated[list[JobState], Field(max_length=7)] = Field(default_factory=list)
    cause: Annotated[Text, StringConstraints(max_length=64)] | None = None
    brand: Id | None = None
    group_id: Id | None = None
    text: Annotated[Text, StringConstraints(max_length=200)] | None = None
    since: Number | None = Field(None, gt=0)
    until: Number | None = Field(None, gt=0)
    min_cost: Number | None = Field(None, ge=0, le=1e6)
    user: Annotated[Text, StringConstraints(min_length=1, max_length=254)] | None = None
    changes: FreeForm = Field(default_factory=dict)
    rate: Number | None = Field(None, gt=0, le=1000)
    stop_at: Number | None = Field(None, gt=0, le=1)
    reason: Reason | None = None

    def selection(self) -> dict[str, object]:
        """What was chosen, without how it is carried out: the same selection is the same action."""
        return {name: value for name, value in self.dump().items() if name not in _HOW and value not in ([], {}, False)}

    def is_choice(self) -> bool:
        """Whether anything says which jobs; of whom alone is no choice."""
        return bool(self.selection().keys() - {"action", "user", "changes"}) or self.user is not None


_HOW = frozenset({"rate", "stopAt", "reason"})


class GrantBody(Model):
    amount: Whole = Field(ge=1, le=100_000)
    user_id: Id | None = None
    reason: Reason | None = None


class MailRequest(Model):
    to: Email
    template: MailTemplate
    data: FreeForm = Field(default_factory=dict)
    user_id: Id | None = None


class CrmRequest(Model):
    user_id: Id
    event_type: CrmEvent
    data: FreeForm = Field(default_factory=dict)


class EventBody(Model):
    """A CRM event or a mail; exactly the payload of its queue."""

    crm: CrmRequest | None = None
    email: MailRequest | None = None

    def payload(self) -> tuple[str, CrmSync | EmailSend]:
        """The queue and its payload. Raises ValueError unless exactly one is given."""
        if (self.crm is None) == (self.email is None):
            raise ValueError("give either crm or email")
        if self.crm is not None:
            return "crm-sync", CrmSync.model_validate(self.crm.dump())
        assert self.email is not None
        return "email-send", EmailSend.model_validate(self.email.dump())


LocalPath = Annotated[str, StringConstraints(max_length=500, pattern=r"^/([^/\\\s][^\\\s]*)?$")]
"""A path of our own pages, never another host's address."""


class SessionBody(Model):
    """path: the page that the sign-in link leads to."""

    path: LocalPath = "/"


class TokenBody(Model):
    """What a browser is to read and follow: one job, one brand, or one group of jobs. expires_in: seconds."""

    job_id: JobId | None = None
    brand_id: Id | None = None
    group_id: Id | None = None
    expires_in: Whole = Field(900, ge=30, le=MOST_SECONDS)


class ShareBody(Model):
    """hours: how long the link works."""

    hours: Whole = Field(168, ge=1, le=720)
