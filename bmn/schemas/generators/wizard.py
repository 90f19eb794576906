"""The brand wizard: one step of a conversation."""

from typing import Literal

from pydantic import Field

from bmn.schemas.base import FreeForm, Id
from bmn.schemas.kind import BrandingBody, Kind
from bmn.schemas.look import LookChoice
from bmn.schemas.payloads import BrandPayload

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


class BrandWizard(BrandPayload):
    step: WizardStep
    session_id: Id | None = None
    input: FreeForm = Field(default_factory=dict)
    credit_cost: int = Field(1, ge=0, le=1000)
    look: LookChoice | None = None


class WizardBody(BrandingBody):
    step: WizardStep
    input: FreeForm = Field(default_factory=dict)
    session_id: Id | None = None
    look: LookChoice | None = None

    def accepted(self) -> str:
        """The sentence of the 202."""
        return f"Wizard step {self.step} started."


class WizardEstimate(WizardBody):
    """The same for a dry run: a brand that `newBrand` names is not made."""

    def imagined(self) -> str | None:
        """The name of a brand that is not made yet, where the dry run is about one."""
        return self.new_brand.name if self.new_brand else None


KIND = Kind(
    name="wizard",
    command="wizard",
    queue="brand-wizard",
    job_type="wizard",
    text="Runs one step of the brand wizard; `sessionId` goes on with an earlier conversation.",
    estimate_text="What a step of the wizard would ask for and usually costs; with `newBrand` for a brand that is not made.",
    label="Brand wizard",
    noun="wizard step",
    payload=BrandWizard,
    body=WizardBody,
    estimate=WizardEstimate,
    place=0,
)
