"""Bundles: two to ten mockups arranged in one picture."""

from typing import Annotated, Literal

from pydantic import Field

from bmn.schemas.base import HttpUrl, Name, Palette
from bmn.schemas.kind import GeneratorBody, Kind
from bmn.schemas.payloads import BrandPayload

CompositionStyle = Literal["grid", "lifestyle", "flatlay", "showcase"]


class BundleComposition(BrandPayload):
    bundle_name: Name
    product_mockup_urls: Annotated[list[HttpUrl], Field(min_length=2, max_length=10)]
    brand_name: Name
    color_palette: Palette
    composition_style: CompositionStyle = "showcase"


class BundlesBody(GeneratorBody):
    bundle_name: Name
    product_mockup_urls: Annotated[list[HttpUrl], Field(min_length=2, max_length=10)]
    brand_name: Name | None = None
    color_palette: Palette | None = None
    composition_style: CompositionStyle = "showcase"

    def accepted(self) -> str:
        """The sentence of the 202."""
        return f"Bundle composition started with {len(self.product_mockup_urls)} products."


KIND = Kind(
    name="bundles",
    command="bundle",
    queue="bundle-composition",
    job_type="bundle",
    text="Arranges two to ten mockups in one picture.",
    estimate_text="What a bundle would ask for and cost.",
    label="Bundle",
    noun="bundle",
    payload=BundleComposition,
    body=BundlesBody,
    asset_type="bundle",
    place=3,
)
