"""What the steps of a kit order, and what they come to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bmn.db.engine import Connection
from bmn.db.library import asset_store, brand_store, product_store
from bmn.db.records import BrandAssetRow, BrandRow, Hook, JobRow, ProductRow
from bmn.errors import NotFound, suggest
from bmn.jobs.outages import in_service
from bmn.jobs.queue import Queue, Terms
from bmn.schemas.generators.mockups import KIND as MOCKUPS
from bmn.schemas.kit_requests import QUEUE_OF, KitBody, KitPlan, PlannedProduct, Step
from bmn.schemas.payloads import Payload
from bmn.schemas.webhook_payloads import ENDS
from bmn.settings import Settings
from bmn.work.defaults import BrandDefaults, as_made, name_defaults
from bmn.work.estimates import CostEstimate, estimate
from bmn.work.looks import look_of
from bmn.work.registry import get_queue

_IMAGINED = "https://example.com/picture.png"
"""Stands for pictures that are not made yet, where a step is only priced."""

_UNKNOWN: Mapping[Step, str | None] = {
    "logos": None,
    "mockups": "which logo is picked",
    "bundle": "how the mockups look",
    "video": "how its mockup looks",
}

_NOBODY = "00000000-0000-4000-8000-000000000001"


@dataclass(frozen=True, slots=True)
class Material:
    """What a step's payloads are made of. logo, mockups: addresses, these in the order of the products."""

    user_id: str
    brand_id: str
    look: BrandDefaults
    logo: str
    mockups: Sequence[str]


def plan_of(conn: Connection, body: KitBody) -> KitPlan:
    """The plan that a request stands for. Raises NotFound for a product that is not in the catalogue."""
    catalogue = product_store.catalogue(conn)
    look = {
        "logoStyle": body.logo_style,
        "colorPalette": body.color_palette,
        "brandVision": body.brand_vision,
        "archetype": body.archetype,
    }
    return KitPlan(
        count=body.count,
        pick=body.pick,
        products=[_planned(_find(catalogue, name)) for name in dict.fromkeys(body.products)],
        without=body.without,
        look={name: value for name, value in look.items() if value is not None},
        bundle_name=body.bundle_name,
        composition_style=body.composition_style,
        video_style=body.video_style,
        duration_seconds=body.duration_seconds,
        webhook_url=body.webhook_url,
        webhook_events=list(body.webhook_events or ENDS) if body.webhook_url else [],
    )


def _find(catalogue: Sequence[ProductRow], name: str) -> ProductRow:
    found = next((each for each in catalogue if name in (each.slug, each.id)), None)
    if found is None:
        raise NotFound(
            f"There is no product {name!r}.", hint=suggest(name, "Products", [each.slug for each in catalogue])
        )
    return found


def _planned(product: ProductRow) -> PlannedProduct:
    return PlannedProduct(
        product_id=product.id,
        product_name=product.name,
        product_category=product.category,
        mockup_instructions=product.instructions or None,
    )


def terms_of(plan: KitPlan) -> Terms:
    """When the jobs of a kit are to be done: at once; and who hears of them."""
    return Terms(webhook=Hook(plan.webhook_url, tuple(plan.webhook_events)) if plan.webhook_url else None)


# --- payloads --------------------------------------------------------------------------------------------------------------


def payloads_of(step: Step, plan: KitPlan, material: Material) -> list[Payload]:
    """What a step orders: a payload a job."""
    schema = get_queue(QUEUE_OF[step]).payload
    shared = {"userId": material.user_id, "brandId": material.brand_id, "colorPalette": material.look.palette}
    return [schema.model_validate({**shared, **order}) for order in _ORDERS[step](plan, material)]


def _logos(plan: KitPlan, of: Material) -> list[Mapping[str, object]]:
    look = of.look
    words = {"brandName": look.name, "logoStyle": look.style, "brandVision": look.vision, "archetype": look.archetype}
    return [{**words, "count": plan.count}]


def _mockups(plan: KitPlan, of: Material) -> list[Mapping[str, object]]:
    return [{**product.dump(), "logoUrl": of.logo} for product in plan.products]


def _bundle(plan: KitPlan, of: Material) -> list[Mapping[str, object]]:
    words = {"bundleName": plan.bundle_name, "compositionStyle": plan.composition_style, "brandName": of.look.name}
    return [{**words, "productMockupUrls": list(of.mockups)}]


def _video(plan: KitPlan, of: Material) -> list[Mapping[str, object]]:
    words = {"videoStyle": plan.video_style, "durationSeconds": plan.duration_seconds, "brandName": of.look.name}
    shown = {"productName": plan.products[0].product_name, "productMockupUrl": of.mockups[0], "logoUrl": of.logo}
    return [{**words, **shown}]


_ORDERS: dict[Step, Callable[[KitPlan, Material], list[Mapping[str, object]]]] = {
    "logos": _logos,
    "mockups": _mockups,
    "bundle": _bundle,
    "video": _video,
}


def _look(conn: Connection, brand: BrandRow, plan: KitPlan) -> BrandDefaults:
    """What the request says of the look, and for the rest what the brand looks like now."""
    return as_made(look_of(conn, brand), plan.look)


def material_of(
    conn: Connection, user_id: str, brand_id: str, logo_id: str | None, plan: KitPlan, made: Sequence[JobRow]
) -> Material:
    """What a kit's next step is made of. made: the jobs of the kit as they are."""
    brand = brand_store.get(conn, brand_id)
    logo = asset_store.get(conn, logo_id).url if logo_id else ""
    by_product: dict[str, BrandAssetRow] = {}
    for job in made:
        if job.queue == MOCKUPS.queue:
            for asset in asset_store.list_of_job(conn, job.id):
                by_product[job.traits.product_id] = asset
    found = [by_product[each.product_id].url for each in plan.products if each.product_id in by_product]
    return Material(user_id, brand_id, _look(conn, brand, plan), logo, found)


# --- prices ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StepCost:
    """What a step comes to. jobs: how many it orders. unknown: what an earlier one has to bring first."""

    step: Step
    jobs: int
    found: CostEstimate
    unknown: str | None


def prices(conn: Connection, settings: Settings, plan: KitPlan, brand: BrandRow | None) -> list[StepCost]:
    """What each step that orders something comes to. brand: None for one that is not made yet."""
    look = as_made(name_defaults("New brand"), plan.look) if brand is None else _look(conn, brand, plan)
    owner = brand.user_id if brand else _NOBODY
    material = Material(owner, brand.id if brand else _NOBODY, look, _IMAGINED, [_IMAGINED] * len(plan.products))
    found = []
    for step in (step for step in plan.steps() if step in QUEUE_OF):
        payloads = payloads_of(step, plan, material)
        maker = in_service(conn, settings, queue_of(step))
        found.append(StepCost(step, len(payloads), estimate(settings, QUEUE_OF[step], payloads, maker), _UNKNOWN[step]))
    return found


def queue_of(step: Step) -> Queue:
    """The queue of a step's jobs."""
    return get_queue(QUEUE_OF[step])
