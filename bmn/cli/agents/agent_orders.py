"""What an agent can order: one model a generator and one for a whole brand, in the words of the command line."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

from pydantic import Field, StringConstraints, create_model

from bmn.cli.lookup.body_lookup import bundle_body, mockups_body, video_body
from bmn.cli.lookup.product_lookup import find_products
from bmn.cli.order import Body, BrandTarget
from bmn.client import Client
from bmn.schemas.base import FreeForm, Id, Model, Name, Palette, Text, Vision, Whole
from bmn.schemas.generators import KINDS
from bmn.schemas.generators.bundles import CompositionStyle
from bmn.schemas.generators.videos import VideoStyle
from bmn.schemas.generators.wizard import WizardStep
from bmn.schemas.kind import GeneratorBody, Kind
from bmn.schemas.kit_requests import FIRST_PRODUCTS, Part, ProductName
from bmn.schemas.look import LogoStyle, LookChoice

Archetype = Annotated[Text, StringConstraints(max_length=200)]
Reference = Annotated[Text, StringConstraints(min_length=1, max_length=200)]
Notes = Annotated[Text, StringConstraints(max_length=1000)]


class Order(Model):
    """Base of all orders. A field that is left out is the brand's own, or the usual one."""

    kind: str

    async def body(self, client: Client, brand: BrandTarget) -> Body:
        """The request, but for what names the brand where that is not made yet. Raises NotFound for a name in it."""
        return self.fields()

    def fields(self) -> Body:
        """What it says itself, under the names of the wire."""
        return {name: value for name, value in self.dump().items() if name != "kind"}

    def record(self) -> Mapping[str, object]:
        """What a new brand is made of, beside its name."""
        return {}


class _LookOrder(Order):
    logo_style: LogoStyle | None = None
    color_palette: Palette | None = Field(None, description="Colors such as #5A3825; up to 8.")
    brand_vision: Vision | None = Field(None, description="What the brand stands for.")
    archetype: Archetype | None = Field(None, description="Its character: explorer, sage, jester, ...")

    def record(self) -> Mapping[str, object]:
        given = {
            "logoStyle": self.logo_style,
            "colorPalette": self.color_palette,
            "vision": self.brand_vision,
            "archetype": self.archetype,
        }
        return {name: value for name, value in given.items() if value is not None}


class LogosOrder(_LookOrder):
    """One to eight logos. `refine` changes one that is there."""

    kind: Literal["logos"]
    count: Whole = Field(4, ge=1, le=8)
    look: LookChoice | None = None


class MockupsOrder(Order):
    """The brand's logo on products, one job a product."""

    kind: Literal["mockups"]
    products: Annotated[list[ProductName], Field(min_length=1, max_length=20)] = Field(
        default_factory=lambda: ["mug"], description="By their names in list_products."
    )
    logo: Reference | None = Field(None, description="JOB/2 or an id; the selected or newest logo, if not given.")
    notes: Notes | None = Field(None, description="How they should look.")

    async def body(self, client: Client, brand: BrandTarget) -> Body:
        return await mockups_body(client, brand, products=self.products, logo=self.logo, notes=self.notes)


class BundlesOrder(Order):
    """Two to ten mockups in one picture."""

    kind: Literal["bundles"]
    bundle_name: Name = "Starter bundle"
    mockups: Annotated[list[Reference], Field(max_length=10)] = Field(
        default_factory=list, description="JOB/1 or ids; the newest ten, if none are given."
    )
    composition_style: CompositionStyle = "showcase"

    async def body(self, client: Client, brand: BrandTarget) -> Body:
        return await bundle_body(
            client, brand, name=self.bundle_name, mockups=self.mockups, style=self.composition_style
        )


class VideosOrder(Order):
    """A short film of a product."""

    kind: Literal["videos"]
    product: ProductName = "mug"
    mockup: Reference | None = Field(None, description="JOB/1 or an id; the newest mockup of it, if not given.")
    video_style: VideoStyle = "showcase"
    duration_seconds: Whole = Field(8, ge=3, le=10)

    async def body(self, client: Client, brand: BrandTarget) -> Body:
        return await video_body(
            client,
            brand,
            product=self.product,
            mockup=self.mockup,
            style=self.video_style,
            seconds=self.duration_seconds,
        )


class WizardOrder(Order):
    """One step of the brand wizard; its answer is words."""

    kind: Literal["wizard"]
    step: WizardStep
    input: FreeForm = Field(default_factory=dict, description="What the step should know.")
    session_id: Id | None = Field(None, description="Goes on with an earlier conversation.")
    look: LookChoice | None = None


class KitOrder(_LookOrder):
    """A whole brand: logos, a pick, mockups, a bundle, a film."""

    kind: Literal["kit"]
    count: Whole = Field(4, ge=1, le=8, description="How many logos.")
    pick: Whole | None = Field(None, ge=1, le=8, description="Goes on with this logo; without it, waits for `pick`.")
    products: Annotated[list[ProductName], Field(min_length=1, max_length=10)] = Field(
        default_factory=lambda: list(FIRST_PRODUCTS), description="By their names in list_products."
    )
    without: Annotated[list[Part], Field(max_length=2)] = Field(default_factory=list)
    bundle_name: Name = "Starter bundle"
    composition_style: CompositionStyle = "showcase"
    video_style: VideoStyle = "showcase"
    duration_seconds: Whole = Field(8, ge=3, le=10)

    async def body(self, client: Client, brand: BrandTarget) -> Body:
        found = await find_products(client, self.products)
        return {**self.fields(), "products": [product.slug for product in found]}


def _derived(kind: Kind) -> type[Order]:
    """The order of a generator that needs nothing but its fields: no picture or product has to be looked up."""
    own: dict[str, Any] = {
        name: (field.annotation, field)
        for name, field in kind.body.model_fields.items()
        if name not in GeneratorBody.model_fields
    }
    own["kind"] = (Literal[kind.name], ...)
    made: type[Order] = create_model(f"{kind.name.capitalize()}Order", __base__=Order, __doc__=kind.text, **own)
    return made


_WRITTEN: tuple[type[Order], ...] = (LogosOrder, MockupsOrder, BundlesOrder, VideosOrder, WizardOrder, KitOrder)
_NAMED = {str(word) for order in _WRITTEN for word in order.model_fields["kind"].annotation.__args__}  # type: ignore[union-attr]

if TYPE_CHECKING:
    AnyOrder = Order
else:
    AnyOrder = Annotated[
        Union[(*_WRITTEN, *(_derived(kind) for kind in KINDS.values() if kind.name not in _NAMED))],
        Field(discriminator="kind"),
    ]
"""Any of them, told apart by `kind`."""
