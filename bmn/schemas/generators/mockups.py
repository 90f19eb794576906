"""Mockups: the brand's logo on products, one job a product."""

from typing import Annotated

from pydantic import Field, StringConstraints

from bmn.format import count
from bmn.schemas.base import HttpUrl, Id, Model, Name, Palette, Text
from bmn.schemas.kind import GeneratorBody, Kind, Order
from bmn.schemas.payloads import BrandPayload
from bmn.schemas.terms import without_terms


class MockupGeneration(BrandPayload):
    product_id: Id
    product_name: Name
    product_category: Name
    logo_url: HttpUrl
    color_palette: Palette
    mockup_template_url: HttpUrl | None = None
    mockup_instructions: Annotated[Text, StringConstraints(max_length=2000)] | None = None


class MockupProduct(Model):
    product_id: Id
    product_name: Name
    product_category: Name
    mockup_template_url: HttpUrl | None = None
    mockup_instructions: Annotated[Text, StringConstraints(max_length=2000)] | None = None


class MockupsBody(GeneratorBody):
    products: Annotated[list[MockupProduct], Field(min_length=1, max_length=20)]
    logo_url: HttpUrl
    color_palette: Palette | None = None

    def orders(self) -> list[Order]:
        """One a product, with what all have in common."""
        shared = {name: value for name, value in without_terms(self).items() if name != "products"}
        return [{**shared, **product.dump()} for product in self.products]

    def accepted(self) -> str:
        """The sentence of the 202."""
        return f"Started mockup generation for {count(len(self.products), 'product')}."


KIND = Kind(
    name="mockups",
    command="mockups",
    queue="mockup-generation",
    job_type="mockup",
    text="One job a product; all of them or none.",
    estimate_text="What mockups would ask for and cost.",
    label="Mockup",
    noun="mockup",
    payload=MockupGeneration,
    body=MockupsBody,
    asset_type="mockup",
    many=True,
    place=2,
)
