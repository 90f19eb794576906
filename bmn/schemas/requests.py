"""HTTP bodies. Fields that a brand's record can supply may be left out of a generator's body."""

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from bmn.schemas.base import Email, Flag, FreeForm, HttpUrl, Id, Model, Name, Number, Palette, Text, Whole
from bmn.schemas.payloads import (
    CompositionStyle,
    CrmEvent,
    CrmSync,
    EmailSend,
    LogoStyle,
    MailTemplate,
    VideoStyle,
    WizardStep,
)

Vision = Annotated[Text, StringConstraints(max_length=2000)]


class LogosBody(Model):
    brand_id: Id
    brand_name: Name | None = None
    logo_style: LogoStyle | None = None
    color_palette: Palette | None = None
    brand_vision: Vision | None = None
    archetype: Annotated[Text, StringConstraints(max_length=200)] | None = None
    count: Whole = Field(4, ge=1, le=8)
    is_refinement: Flag = False
    previous_logo_url: HttpUrl | None = None
    refinement_notes: Annotated[Text, StringConstraints(max_length=1000)] | None = None


NEW_BRAND = "00000000-0000-4000-8000-000000000000"


class LogosEstimate(LogosBody):
    """The same for a dry run. Without `brandId` it is about a brand that is not made yet, and `brandName` its name."""

    brand_id: Id = NEW_BRAND

    @model_validator(mode="after")
    def _is_about_a_brand(self) -> "LogosEstimate":
        if self.brand_id == NEW_BRAND and self.brand_name is None:
            raise ValueError("brandId or brandName says which brand")
        return self


class MockupProduct(Model):
    product_id: Id
    product_name: Name
    product_category: Name
    mockup_template_url: HttpUrl | None = None
    mockup_instructions: Annotated[Text, StringConstraints(max_length=2000)] | None = None


class MockupsBody(Model):
    brand_id: Id
    products: Annotated[list[MockupProduct], Field(min_length=1, max_length=20)]
    logo_url: HttpUrl
    color_palette: Palette | None = None


class BundlesBody(Model):
    brand_id: Id
    bundle_name: Name
    product_mockup_urls: Annotated[list[HttpUrl], Field(min_length=2, max_length=10)]
    brand_name: Name | None = None
    color_palette: Palette | None = None
    composition_style: CompositionStyle = "showcase"


class VideosBody(Model):
    brand_id: Id
    product_name: Name
    product_mockup_url: HttpUrl
    logo_url: HttpUrl | None = None
    brand_name: Name | None = None
    color_palette: Palette | None = None
    video_style: VideoStyle = "showcase"
    duration_seconds: Whole = Field(8, ge=3, le=10)


class WizardBody(Model):
    brand_id: Id
    step: WizardStep
    input: FreeForm = Field(default_factory=dict)
    session_id: Id | None = None


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
    reason: Annotated[Text, StringConstraints(max_length=500)] | None = None


class PauseBody(Model):
    reason: Annotated[Text, StringConstraints(max_length=500)] = ""


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


class GrantBody(Model):
    amount: Whole = Field(ge=1, le=100_000)
    user_id: Id | None = None
    reason: Annotated[Text, StringConstraints(max_length=500)] | None = None


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
