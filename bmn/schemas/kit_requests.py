"""Kits: a whole brand out of one request. Which steps there are, what a request says, and the plan that is kept of it."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from bmn.schemas.base import HttpUrl, Id, Model, Name, Palette, Text, Vision, Whole
from bmn.schemas.generators.bundles import CompositionStyle
from bmn.schemas.generators.videos import VideoStyle
from bmn.schemas.kind import NEW_BRAND, NewBrand, check_named
from bmn.schemas.look import LogoStyle
from bmn.schemas.webhook_payloads import SubscribedList

Step = Literal["logos", "pick", "mockups", "bundle", "video"]
Part = Literal["bundle", "video"]
"""What a kit can do without."""

PICK: Step = "pick"
QUEUE_OF: dict[Step, str] = {
    "logos": "logo-generation",
    "mockups": "mockup-generation",
    "bundle": "bundle-composition",
    "video": "video-generation",
}
"""The steps that order something, and the queue of their jobs, in their order but for the pick after the logos."""

FIRST_PRODUCTS = ("mug", "t-shirt", "tote-bag")
ProductName = Annotated[Text, StringConstraints(min_length=1, max_length=64)]


class KitBody(Model):
    """A whole brand: logos, a pick, mockups, a bundle, a film. Of the look, what is left out comes from the brand's record.

    pick: which of the logos goes on, counted from 1, as far as it came; without it the kit waits until somebody picks one.
    products: by their `slug` or id. without: what is not made. webhook_url: who is told of each of its jobs.
    """

    brand_id: Id
    count: Whole = Field(4, ge=1, le=8)
    pick: Whole | None = Field(None, ge=1, le=8)
    products: Annotated[list[ProductName], Field(min_length=1, max_length=10)] = Field(
        default_factory=lambda: list(FIRST_PRODUCTS)
    )
    without: Annotated[list[Part], Field(max_length=2)] = Field(default_factory=list)
    logo_style: LogoStyle | None = None
    color_palette: Palette | None = None
    brand_vision: Vision | None = None
    archetype: Annotated[Text, StringConstraints(max_length=200)] | None = None
    bundle_name: Name = "Starter bundle"
    composition_style: CompositionStyle = "showcase"
    video_style: VideoStyle = "showcase"
    duration_seconds: Whole = Field(8, ge=3, le=10)
    webhook_url: HttpUrl | None = None
    webhook_events: SubscribedList | None = None
    new_brand: NewBrand = None

    @model_validator(mode="after")
    def _names_its_brand(self) -> "KitBody":
        check_named(self.brand_id, self.new_brand)
        return self

    @model_validator(mode="after")
    def _agree(self) -> "KitBody":
        if self.pick is not None and self.pick > self.count:
            raise ValueError(f"pick is {self.pick}, and there are {self.count} logos")
        if "bundle" not in self.without and len(set(self.products)) < 2:
            raise ValueError("a bundle needs two products: name another one, or leave the bundle out")
        if self.webhook_events is not None and self.webhook_url is None:
            raise ValueError("webhookEvents needs webhookUrl")
        return self


class KitEstimate(KitBody):
    """The same for a dry run; without `brandId` it is about a brand that is not made yet."""

    brand_id: Id = NEW_BRAND

    @model_validator(mode="after")
    def _names_its_brand(self) -> "KitEstimate":
        return self


class PlannedProduct(Model):
    """A product of the catalogue, as the mockup's job is told of it."""

    product_id: Id
    product_name: Name
    product_category: Name
    mockup_instructions: str | None = None


class KitPlan(Model):
    """What a kit is to be, as its row keeps it: the request, with products from the catalogue."""

    count: int
    pick: int | None = None
    products: list[PlannedProduct]
    without: list[Part]
    look: dict[str, Any] = Field(default_factory=dict)
    bundle_name: Name
    composition_style: CompositionStyle
    video_style: VideoStyle
    duration_seconds: int
    webhook_url: str | None = None
    webhook_events: list[str] = Field(default_factory=list)

    def steps(self) -> list[Step]:
        """Its steps in their order."""
        return ["logos", PICK, "mockups", *(part for part in ("bundle", "video") if part not in self.without)]

    def after(self, step: Step) -> Step | None:
        """The step that follows; None after the last."""
        steps = self.steps()
        place = steps.index(step) + 1
        return steps[place] if place < len(steps) else None
