"""HTTP bodies. A generator's stands beside its payload, in `bmn.schemas.generators`."""

from typing import Annotated

from pydantic import Field, StringConstraints

from bmn.schemas.base import Email, Flag, FreeForm, Id, Model, Name, Number, Palette, Role, Text, Vision, Whole
from bmn.schemas.generators.logos import LogoStyle
from bmn.schemas.payloads import CrmEvent, CrmSync, EmailSend, MailTemplate

Reason = Annotated[Text, StringConstraints(max_length=500)]


class BrandBody(Model):
    name: Name
    vision: Vision | None = None
    archetype: Annotated[Text, StringConstraints(max_length=200)] | None = None
    color_palette: Palette | None = None
    logo_style: LogoStyle | None = None


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


class ShareBody(Model):
    """hours: how long the link works."""

    hours: Whole = Field(168, ge=1, le=720)
