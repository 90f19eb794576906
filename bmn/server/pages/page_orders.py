"""What the pages' buttons order: logos, products, bundles, films, words. Each is a form of ours, with a key of its own."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from bmn.db.engine import Connection
from bmn.db.library import asset_store, brand_store, product_store
from bmn.db.records import BrandAssetRow
from bmn.errors import NotFound, UsageProblem
from bmn.identity.tokens import Principal
from bmn.schemas.base import Id, Text
from bmn.schemas.kind import NEW_BRAND, GeneratorBody
from bmn.schemas.look import BrandBody
from bmn.server.access.dependencies import AssetPath, BrandPath, Res
from bmn.server.pages import steps
from bmn.server.pages.access import PageRoute, PayingVisitor
from bmn.server.pages.brand_rooms import BUNDLES, FILMS, LOGOS, PRODUCTS, WORDS, PageRoom
from bmn.server.state.resources import Resources
from bmn.server.usecases.actions import generate

router = APIRouter(include_in_schema=False, route_class=PageRoute)

Words = Annotated[Text, Form(max_length=2000)]
Key = Annotated[Text, Form(min_length=8, max_length=100)]
Count = Annotated[int, Form(ge=1, le=8)]
Slugs = Annotated[list[Text], Form(max_length=20)]
Ids = Annotated[list[Id], Form(max_length=20)]
_MOST_IN_BUNDLE = 10


@router.post("/g/new")
async def new_brand(
    request: Request,
    res: Res,
    visitor: PayingVisitor,
    key: Key,
    name: Words,
    style: Words = "",
    vision: Words = "",
    count: Count = 4,
) -> Response:
    """Logos for a name. One that is known is that brand; another becomes one."""
    fields = {"name": name, "vision": vision.strip() or None, "logoStyle": style or None}
    body = BrandBody.model_validate({field: value for field, value in fields.items() if value is not None})
    return await _logos(request, res, visitor, key, {"brandId": NEW_BRAND, "newBrand": body, "count": count}, style)


@router.post("/g/{brand_id}/logos")
async def more_logos(
    request: Request,
    brand_id: BrandPath,
    res: Res,
    visitor: PayingVisitor,
    key: Key,
    style: Words = "",
    count: Count = 4,
    look: Words = "keep",
) -> Response:
    """Logos for a brand, from its page's form. look: `change` where their style is to be the brand's own."""
    asked = {"brandId": brand_id, "count": count, "look": look}
    return await _logos(request, res, visitor, f"{key}-{count}-{look}", asked, style)


@router.post("/g/asset/{asset_id}/refine")
async def refine(
    request: Request,
    asset_id: AssetPath,
    res: Res,
    visitor: PayingVisitor,
    key: Key,
    notes: Annotated[Text, Form(min_length=1, max_length=1000)],
    count: Count = 2,
) -> Response:
    """New logos out of one, changed as the notes say."""
    asset = await res.core.db.read(lambda conn: asset_store.get(conn, asset_id, visitor.user_id))
    if asset.asset_type != "logo":
        raise UsageProblem("Only logos can be refined.")
    asked = {"brandId": asset.brand_id, "count": count, "isRefinement": True, "previousLogoUrl": asset.url}
    return await _logos(request, res, visitor, f"{key}-{count}", {**asked, "refinementNotes": notes})


@router.post("/g/{brand_id}/products")
async def put_on_products(
    request: Request, brand_id: BrandPath, res: Res, visitor: PayingVisitor, key: Key, product: Slugs
) -> Response:
    """The brand's logo on products, by their words in the catalogue; one job each, all of them or none."""

    def read(conn: Connection) -> Mapping[str, object]:
        brand_store.get(conn, brand_id, visitor.user_id)
        logo = asset_store.logo_of(conn, brand_id)
        if logo is None:
            raise UsageProblem(
                "There is no logo yet that could go on a product.", hint="Make logos first, and pick one."
            )
        chosen = [row for row in product_store.catalogue(conn) if row.slug in product]
        if not chosen:
            raise NotFound("The catalogue has no such product.")
        entries = [
            {
                "productId": row.id,
                "productName": row.name,
                "productCategory": row.category,
                "mockupInstructions": row.instructions or None,
            }
            for row in chosen
        ]
        return {"brandId": brand_id, "logoUrl": logo.url, "products": entries}

    return await _order(request, res, visitor, PRODUCTS, await res.core.db.read(read), key)


@router.post("/g/{brand_id}/bundles")
async def put_together(
    request: Request,
    brand_id: BrandPath,
    res: Res,
    visitor: PayingVisitor,
    key: Key,
    style: Words,
    picture: Ids,
    name: Words = "",
) -> Response:
    """A bundle of products that have pictures."""
    if not 2 <= len(set(picture)) <= _MOST_IN_BUNDLE:
        raise UsageProblem("A bundle is made of two to ten products.", hint="Choose some more, or some less.")
    rows = await res.core.db.read(lambda conn: _products_of(conn, visitor, brand_id, picture))
    asked = {
        "brandId": brand_id,
        "bundleName": name.strip() or "Starter bundle",
        "productMockupUrls": [row.url for row in rows],
        "compositionStyle": style,
    }
    return await _order(request, res, visitor, BUNDLES, asked, key)


@router.post("/g/{brand_id}/films")
async def film(
    request: Request,
    brand_id: BrandPath,
    res: Res,
    visitor: PayingVisitor,
    key: Key,
    style: Words,
    picture: Annotated[Id, Form()],
    seconds: Annotated[int, Form(ge=3, le=10)] = 8,
) -> Response:
    """A film of one product that has a picture."""
    (row,) = await res.core.db.read(lambda conn: _products_of(conn, visitor, brand_id, [picture]))
    asked = {
        "brandId": brand_id,
        "productName": row.traits.product or "Product",
        "productMockupUrl": row.url,
        "videoStyle": style,
        "durationSeconds": seconds,
    }
    return await _order(request, res, visitor, FILMS, asked, key)


@router.post("/g/{brand_id}/words")
async def go_through_step(
    request: Request,
    brand_id: BrandPath,
    res: Res,
    visitor: PayingVisitor,
    key: Key,
    step: Words,
    wishes: Annotated[Text, Form(max_length=1000)] = "",
) -> Response:
    """One step of the brand's conversation, which goes on where the last one ended."""
    session = await res.core.db.read(lambda conn: steps.session_of(conn, brand_id))
    said = {"wishes": wishes.strip()} if wishes.strip() else {}
    asked = {"brandId": brand_id, "step": step, "input": said, **({"sessionId": session} if session else {})}
    return await _order(request, res, visitor, WORDS, asked, key)


def _products_of(conn: Connection, visitor: Principal, brand_id: str, wanted: list[str]) -> list[BrandAssetRow]:
    """The brand's product pictures of these ids. Raises NotFound where one is none of them."""
    brand_store.get(conn, brand_id, visitor.user_id)
    rows = [row for row in asset_store.some_of_brand(conn, brand_id, wanted) if row.asset_type == "mockup"]
    if len(rows) != len(set(wanted)):
        raise NotFound("There is no such picture of a product.")
    return rows


async def _logos(
    request: Request, res: Resources, visitor: Principal, key: str, asked: Mapping[str, object], style: str = ""
) -> Response:
    return await _order(request, res, visitor, LOGOS, {**asked, **({"logoStyle": style} if style else {})}, key)


async def _order(
    request: Request, res: Resources, visitor: Principal, room: PageRoom, asked: Mapping[str, object], key: str
) -> Response:
    """key: the form's own, so that pressing twice makes one job. Leads to the job, or to the room where it is several."""
    body: GeneratorBody = room.kind.body.model_validate(asked)
    made = await generate(res, visitor, room.kind, body, key=key, request=request)
    if len(made) == 1:
        return RedirectResponse(f"/g/job/{made[0].job_id}", 303)
    return RedirectResponse(room.path(body.brand_id), 303)
