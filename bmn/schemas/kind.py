"""What a generator is called and what it takes: known to server, client and command line alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, model_validator

from bmn.schemas.base import Id
from bmn.schemas.look import BrandBody
from bmn.schemas.payloads import BrandPayload
from bmn.schemas.terms import SubmissionBody, without_terms

NEW_BRAND = "00000000-0000-4000-8000-000000000000"
"""The id of a brand that is not there yet: a dry run only imagines it, an order makes it."""

Order = Mapping[str, object]
"""What a request says of one job's payload, under the names of the wire."""


class GeneratorBody(SubmissionBody):
    """The body of a generator's route: the payload without what the server adds.

    Of a field that stands in the brand's record as well (`brand_name`, `logo_style`, `color_palette`, `brand_vision`,
    `archetype`), None is the record's value.
    """

    brand_id: Id

    def orders(self) -> list[Order]:
        """What it says of each job's payload: one job, unless a generator makes several of one request."""
        return [{name: value for name, value in without_terms(self).items() if name != "newBrand"}]

    def accepted(self) -> str:
        """The sentence of the 202."""
        return "Generation started."

    def imagined(self) -> str | None:
        """The name of a brand that is not made yet, where a dry run is about one."""
        return None


NewBrand = Annotated[
    BrandBody | None,
    Field(
        description=f"With `brandId` {NEW_BRAND}: the caller's newest brand of this name. Where there is none it is made"
        " together with what is ordered, or not at all."
    ),
]


class BrandingBody(GeneratorBody):
    """The body of a generator that also takes the name of a brand which may not be there yet."""

    new_brand: NewBrand = None

    @model_validator(mode="after")
    def _names_its_brand(self) -> "BrandingBody":
        check_named(self.brand_id, self.new_brand)
        return self


def check_named(brand_id: str, new_brand: BrandBody | None) -> None:
    """Raises ValueError where a body names two brands, or none."""
    if (brand_id == NEW_BRAND) != (new_brand is not None):
        raise ValueError(f"newBrand and a brandId of {NEW_BRAND} go together, or brandId names a brand that is there")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A generator, as everybody but its worker knows it.

    name: of its route, and of its module in `bmn.work.generators`. command: of `generate`. text: a sentence that says
    what it does, for the API. label: heads its jobs on pages. noun: one of what it makes. asset_type: of what it makes;
    empty where that is words. many: one request is several jobs, and the answer lists them. estimate: the body of a dry run,
    where it is another. place: in lists, among the others.
    """

    name: str
    command: str
    queue: str
    job_type: str
    text: str
    label: str
    noun: str
    payload: type[BrandPayload]
    body: type[GeneratorBody]
    estimate: type[GeneratorBody] | None = None
    estimate_text: str
    asset_type: str = ""
    many: bool = False
    place: int = 100

    @property
    def makes_brand(self) -> bool:
        """Whether a brand's name that is not there yet is made with the order."""
        return issubclass(self.body, BrandingBody)
