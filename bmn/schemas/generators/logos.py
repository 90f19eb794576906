"""Logos: one to eight pictures a job, or changes to one that is there."""

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from bmn.format import count
from bmn.schemas.base import Flag, HttpUrl, Id, Name, Palette, Text, Vision, Whole
from bmn.schemas.kind import NEW_BRAND, BrandingBody, Kind, Order
from bmn.schemas.look import LogoStyle, LookChoice
from bmn.schemas.payloads import BrandPayload
from bmn.schemas.terms import without_terms


class LogoGeneration(BrandPayload):
    brand_name: Name
    logo_style: LogoStyle
    color_palette: Palette
    brand_vision: Vision
    archetype: Annotated[Text, StringConstraints(max_length=200)] | None = None
    count: int = Field(4, ge=1, le=8)
    is_refinement: bool = False
    previous_logo_url: HttpUrl | None = None
    refinement_notes: Annotated[Text, StringConstraints(max_length=1000)] | None = None

    @property
    def units(self) -> int:
        """Each logo is paid for by itself."""
        return self.count

    def look(self) -> dict[str, object]:
        """What a brand that has no look yet gets from it, by the names of its record."""
        return {"logo_style": self.logo_style, "color_palette": self.color_palette, "archetype": self.archetype}

    @model_validator(mode="after")
    def _refinement_is_whole(self) -> "LogoGeneration":
        if self.is_refinement and not self.previous_logo_url:
            raise ValueError("a refinement needs previousLogoUrl")
        return self


class LogosBody(BrandingBody):
    brand_name: Name | None = None
    logo_style: LogoStyle | None = None
    color_palette: Palette | None = None
    brand_vision: Vision | None = None
    archetype: Annotated[Text, StringConstraints(max_length=200)] | None = None
    count: Whole = Field(4, ge=1, le=8)
    is_refinement: Flag = False
    previous_logo_url: HttpUrl | None = None
    refinement_notes: Annotated[Text, StringConstraints(max_length=1000)] | None = None
    look: LookChoice | None = None

    def orders(self) -> list[Order]:
        """Whoever names a logo wants it changed. What becomes of the brand is not the logos' business."""
        asked = {name: value for name, value in without_terms(self).items() if name not in ("look", "newBrand")}
        return [{**asked, "isRefinement": self.is_refinement or self.previous_logo_url is not None}]

    def new_look(self) -> dict[str, object]:
        """What the brand's record is to say from now on, by its own names; nothing where the brand keeps its look."""
        if self.look != "change":
            return {}
        given = {
            "logo_style": self.logo_style,
            "color_palette": self.color_palette,
            "vision": self.brand_vision,
            "archetype": self.archetype,
        }
        return {name: value for name, value in given.items() if value is not None}

    def accepted(self) -> str:
        """The sentence of the 202."""
        return f"Logo generation started. Generating {count(self.count, 'logo')}."


class LogosEstimate(LogosBody):
    """The same for a dry run. Without `brandId` it is about a brand that is not made yet, and `brandName` its name."""

    brand_id: Id = NEW_BRAND

    @model_validator(mode="after")
    def _names_its_brand(self) -> "LogosEstimate":
        if self.brand_id == NEW_BRAND and self.brand_name is None and self.new_brand is None:
            raise ValueError("brandId or brandName says which brand")
        return self

    def imagined(self) -> str | None:
        """The name of a brand that is not made yet, where the dry run is about one."""
        if self.brand_id != NEW_BRAND:
            return None
        return self.brand_name or (self.new_brand.name if self.new_brand else None)


KIND = Kind(
    name="logos",
    command="logos",
    queue="logo-generation",
    job_type="logo",
    text="Makes one to eight logos, or changes one that is there; what is left out comes from the brand's record.",
    estimate_text="What logos would ask for and cost; without `brandId` for a brand that is not made yet.",
    label="Logos",
    noun="logo",
    payload=LogoGeneration,
    body=LogosBody,
    estimate=LogosEstimate,
    asset_type="logo",
    place=1,
)
