"""The wizard's tools that start a generator: with the user's credits, a few a step, and never twice for the same call."""

from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import NAMESPACE_URL, uuid5

from pydantic import Field

from bmn.db.library import product_store
from bmn.db.records import BrandAssetRow
from bmn.jobs.submission import submit
from bmn.schemas.base import Id
from bmn.schemas.generators.bundles import CompositionStyle
from bmn.schemas.look import LogoStyle
from bmn.work.defaults import BrandDefaults, as_made
from bmn.work.looks import Settling, logo_look
from bmn.work.registry import get_queue
from bmn.work.wizard.desk import Answer, Arguments, Desk, Line, Paragraph, refused
from bmn.work.wizard.profit import find_product

_MOST_STARTS = 4  # jobs that one step may start


class Logos(Arguments):
    count: int = Field(4, ge=1, le=8)
    style: LogoStyle | None = None
    vision: Paragraph | None = None


class Refinement(Arguments):
    """logo_id: of the brand's pictures; the selected or newest logo where none is given."""

    notes: Paragraph
    logo_id: Id | None = None


class Mockups(Arguments):
    products: Annotated[list[Line], Field(min_length=1, max_length=3)]


class Bundle(Arguments):
    name: Line
    style: CompositionStyle = "showcase"


async def start_logos(desk: Desk, arguments: Logos, call_id: str) -> Answer:
    """Orders logos."""
    known = await desk.look()
    fields = {**_logo_fields(known), "count": arguments.count}
    fields["logoStyle"] = arguments.style or known.style
    fields["brandVision"] = arguments.vision or known.vision
    return await _start(desk, call_id, "logo-generation", [fields])


async def start_refinement(desk: Desk, arguments: Refinement, call_id: str) -> Answer:
    """Orders a change to a logo."""
    logo = await _picture(desk, "logo", arguments.logo_id)
    made = await desk.ctx.db.read(lambda conn: logo_look(conn, logo))
    fields = _logo_fields(as_made(await desk.look(), made)) | {"count": 1, "isRefinement": True}
    fields |= {"previousLogoUrl": logo.url, "refinementNotes": arguments.notes[:1000]}
    return await _start(desk, call_id, "logo-generation", [fields])


async def start_mockups(desk: Desk, arguments: Mockups, call_id: str) -> Answer:
    """Orders mockups of products."""
    logo = await _picture(desk, "logo", None)
    palette = (await desk.look()).palette
    catalogue = await desk.ctx.db.read(product_store.catalogue)
    found = {wanted: find_product(catalogue, wanted) for wanted in arguments.products}
    if unknown := [wanted for wanted, product in found.items() if product is None]:
        raise refused(f"The catalogue does not have {', '.join(unknown)}.")
    chosen = {product.id: product for product in found.values() if product}
    orders = [
        {
            "productId": product.id,
            "productName": product.name,
            "productCategory": product.category,
            "mockupInstructions": product.instructions or None,
            "logoUrl": logo.url,
            "colorPalette": palette,
        }
        for product in chosen.values()
    ]
    return await _start(desk, call_id, "mockup-generation", orders)


async def start_bundle(desk: Desk, arguments: Bundle, call_id: str) -> Answer:
    """Orders a bundle of the newest mockups."""
    mockups = await desk.pictures("mockup")
    if len(mockups) < 2:
        raise refused("A bundle needs two mockups, and the brand has fewer.")
    known = await desk.look()
    fields = {
        "bundleName": arguments.name,
        "productMockupUrls": [row.url for row in mockups[:6]],
        "brandName": known.name,
        "colorPalette": known.palette,
        "compositionStyle": arguments.style,
    }
    return await _start(desk, call_id, "bundle-composition", [fields])


def _logo_fields(known: BrandDefaults) -> dict[str, object]:
    return {
        "brandName": known.name,
        "logoStyle": known.style,
        "colorPalette": known.palette,
        "brandVision": known.vision,
        "archetype": known.archetype,
    }


async def _picture(desk: Desk, kind: str, wanted: str | None) -> BrandAssetRow:
    """One of the brand's own pictures: the wanted one, else the selected, else the newest."""
    pictures = await desk.pictures(kind)
    fitting = [row for row in pictures if wanted in (None, row.id)]
    if not fitting:
        raise refused(f"The brand has no such {kind}.")
    return fitting[0]


async def _start(desk: Desk, call_id: str, queue: str, orders: Sequence[Mapping[str, object]]) -> Answer:
    """Submits jobs under ids that the call decides, so that a call which is made again finds them."""
    ctx = desk.ctx
    ids = [f"{queue}-{uuid5(NAMESPACE_URL, f'{desk.session_id}/{call_id}/{n}')}" for n in range(len(orders))]
    started = desk.state.started
    if len({*started, *ids}) > _MOST_STARTS:
        raise refused("This step has started enough already.")
    owner = {"userId": desk.user_id, "brandId": desk.brand_id}
    schema = get_queue(queue).payload
    payloads = [schema.model_validate({**owner, **order}) for order in orders]
    for job_id, payload in zip(ids, payloads, strict=True):
        look = Settling(ctx.core, desk.user_id, desk.brand_id)
        plan = look.plan([payload])
        await submit(ctx.core, desk.user_id, queue, plan, request_id=ctx.job.request_id, job_id=job_id)
        await look.tell()
        if job_id not in started:
            started.append(job_id)
    return {"started": ids}
