"""The nine job payloads. A payload is validated before anything is stored, and again when a worker takes it up."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints, model_validator

from bmn.schemas.base import Email, FreeForm, HttpUrl, Id, Model, Name, Palette, Text


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

LogoStyle = Literal["minimal", "bold", "vintage", "modern", "playful"]
CompositionStyle = Literal["grid", "lifestyle", "flatlay", "showcase"]
VideoStyle = Literal["showcase", "unboxing", "lifestyle", "minimal"]
WizardStep = Literal[
    "social-analysis",
    "brand-identity",
    "customization",
    "logo-generation",
    "logo-refinement",
    "product-selection",
    "mockup-review",
    "bundle-builder",
    "profit-calculator",
]
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
    "support-ticket",
]
# Ours alone: nobody outside can ask for it, so a failing mail can never make another one.
OPS_TEMPLATE = "ops-alert"
AssetType = Literal["logo", "mockup", "bundle", "social_asset", "video_thumbnail", "video"]
CleanupType = Literal["expired-jobs", "orphaned-assets", "stale-sessions", "temp-files"]
CLEANUP_TYPES: tuple[CleanupType, ...] = ("expired-jobs", "orphaned-assets", "stale-sessions", "temp-files")


class Payload(Model):
    """Base of the nine. VERSION is stored beside the payload; raise it when an old one no longer validates."""

    VERSION: ClassVar[int] = 1

    @property
    def units(self) -> int:
        """How many paid units it asks for."""
        return 1


class BrandPayload(Payload):
    """Of the jobs that belong to a user's brand."""

    user_id: Id
    brand_id: Id


class BrandWizard(BrandPayload):
    step: WizardStep
    session_id: Id | None = None
    input: FreeForm = Field(default_factory=dict)
    credit_cost: int = Field(1, ge=0, le=1000)


class LogoGeneration(BrandPayload):
    brand_name: Name
    logo_style: LogoStyle
    color_palette: Palette
    brand_vision: Annotated[Text, StringConstraints(max_length=2000)]
    archetype: Annotated[Text, StringConstraints(max_length=200)] | None = None
    count: int = Field(4, ge=1, le=8)
    is_refinement: bool = False
    previous_logo_url: HttpUrl | None = None
    refinement_notes: Annotated[Text, StringConstraints(max_length=1000)] | None = None

    @property
    def units(self) -> int:
        """Each logo is paid for by itself."""
        return self.count

    @model_validator(mode="after")
    def _refinement_is_whole(self) -> "LogoGeneration":
        if self.is_refinement and not self.previous_logo_url:
            raise ValueError("a refinement needs previousLogoUrl")
        return self


class MockupGeneration(BrandPayload):
    product_id: Id
    product_name: Name
    product_category: Name
    logo_url: HttpUrl
    color_palette: Palette
    mockup_template_url: HttpUrl | None = None
    mockup_instructions: Annotated[Text, StringConstraints(max_length=2000)] | None = None


class BundleComposition(BrandPayload):
    bundle_name: Name
    product_mockup_urls: Annotated[list[HttpUrl], Field(min_length=2, max_length=10)]
    brand_name: Name
    color_palette: Palette
    composition_style: CompositionStyle = "showcase"


class VideoGeneration(BrandPayload):
    """duration_seconds: what the models of today accept (3 to 10); the specification's 5 to 30 exists nowhere."""

    product_name: Name
    product_mockup_url: HttpUrl
    logo_url: HttpUrl | None = None
    brand_name: Name
    color_palette: Palette
    video_style: VideoStyle = "showcase"
    duration_seconds: int = Field(8, ge=3, le=10)


class CrmSync(Payload):
    user_id: Id
    event_type: CrmEvent
    data: FreeForm = Field(default_factory=dict)


class EmailSend(Payload):
    to: Email
    template: MailTemplate | Literal["ops-alert"]
    data: FreeForm = Field(default_factory=dict)
    user_id: Id | None = None


class ImageUpload(BrandPayload):
    """source_url: an allowed https URL; storage_key: an object that is already ours. Exactly one of them.

    asset_id: the row whose thumbnail is made.
    """

    asset_type: AssetType
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


class Cleanup(Payload):
    type: CleanupType
