"""What the pages' buttons do. Each is a form of ours: the session's request is refused where another site made it."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from bmn.db import assets, brands
from bmn.db.engine import Connection
from bmn.errors import UsageProblem
from bmn.identity.rights import Right
from bmn.identity.tokens import Principal
from bmn.jobs.cancellation import cancel
from bmn.jobs.replay import retry
from bmn.schemas.base import Text
from bmn.schemas.generators import logos
from bmn.schemas.requests import BrandBody
from bmn.server.actions import choose_asset, generate, share_job
from bmn.server.dependencies import AssetPath, BrandPath, JobPath, Res, acting, owner_filter, request_id
from bmn.server.pages.access import LocalPath, PageRoute, PayingVisitor, VisitorWhoChanges
from bmn.server.pages.gallery import show_job
from bmn.server.resources import Resources

router = APIRouter(include_in_schema=False, route_class=PageRoute)

Words = Annotated[Text, Form(max_length=2000)]
Key = Annotated[Text, Form(min_length=8, max_length=100)]
_SHARED_SECONDS = 7 * 86_400


@router.post("/g/new")
async def new_brand(
    request: Request,
    res: Res,
    visitor: PayingVisitor,
    key: Key,
    name: Words,
    style: Words = "",
    vision: Words = "",
    count: Annotated[int, Form(ge=1, le=8)] = 4,
) -> Response:
    """Logos for a name. One that is known is that brand; another becomes one."""
    fields = {"name": name, "vision": vision.strip() or None, "logoStyle": style or None}
    body = BrandBody.model_validate({field: value for field, value in fields.items() if value is not None})

    def find_or_make(conn: Connection) -> str:
        found, _ = brands.list_of_user(conn, visitor.user_id, name=body.name, limit=1)
        brand = found[0] if found else brands.create(conn, visitor.user_id, body.model_dump(exclude_none=True))
        return str(brand.id)

    asked: dict[str, object] = {"brandId": await res.core.db.write(find_or_make), "count": count}
    if style:
        asked["logoStyle"] = style
    return await _make_logos(request, res, visitor, key, asked)


@router.post("/g/{brand_id}/logos")
async def more_logos(
    request: Request,
    brand_id: BrandPath,
    res: Res,
    visitor: PayingVisitor,
    key: Key,
    style: Words = "",
    count: Annotated[int, Form(ge=1, le=8)] = 4,
) -> Response:
    """Orders logos for a brand, from its page's form."""
    asked: dict[str, object] = {"brandId": brand_id, "count": count}
    if style:
        asked["logoStyle"] = style
    return await _make_logos(request, res, visitor, key, asked)


@router.post("/g/asset/{asset_id}/refine")
async def refine(
    request: Request,
    asset_id: AssetPath,
    res: Res,
    visitor: PayingVisitor,
    key: Key,
    notes: Annotated[Text, Form(min_length=1, max_length=1000)],
    count: Annotated[int, Form(ge=1, le=8)] = 2,
) -> Response:
    """New logos out of one, changed as the notes say."""
    asset = await res.core.db.read(lambda conn: assets.get(conn, asset_id, visitor.user_id))
    if asset.asset_type != "logo":
        raise UsageProblem("Only logos can be refined.")
    asked = {
        "brandId": asset.brand_id,
        "count": count,
        "isRefinement": True,
        "previousLogoUrl": asset.url,
        "refinementNotes": notes,
    }
    return await _make_logos(request, res, visitor, key, asked)


@router.post("/g/asset/{asset_id}/pick")
async def pick(
    asset_id: AssetPath, res: Res, visitor: VisitorWhoChanges, back: Annotated[LocalPath, Form()] = "/"
) -> Response:
    """Chooses a logo."""
    await choose_asset(res, visitor, asset_id)
    return RedirectResponse(back, 303)


@router.post("/g/job/{job_id}/cancel")
async def stop(request: Request, job_id: JobPath, res: Res, visitor: VisitorWhoChanges) -> Response:
    """Cancels a job."""
    await cancel(res.core, job_id, acting(visitor, request), user_id=owner_filter(visitor, Right.OPERATE))
    return RedirectResponse(f"/g/job/{job_id}", 303)


@router.post("/g/job/{job_id}/retry")
async def try_again(request: Request, job_id: JobPath, res: Res, visitor: PayingVisitor) -> Response:
    """Replays a job that has ended."""
    again = await retry(res.core, job_id, acting(visitor, request), user_id=owner_filter(visitor, Right.OPERATE))
    return RedirectResponse(f"/g/job/{again.job_id}", 303)


@router.post("/g/job/{job_id}/share")
async def share(request: Request, job_id: JobPath, res: Res, visitor: VisitorWhoChanges) -> Response:
    """The job's page, with a link on it that shows the pictures to anybody for a week."""
    link = await share_job(res, visitor, job_id, _SHARED_SECONDS)
    return await show_job(request, res, visitor, job_id, link=link.url)


async def _make_logos(
    request: Request, res: Resources, visitor: Principal, key: str, asked: Mapping[str, object]
) -> Response:
    """key: the form's own, so that pressing twice makes one job."""
    body = logos.LogosBody.model_validate(asked)
    (job,) = await generate(res, visitor, logos.KIND, body, key=key, request_id=request_id(request))
    return RedirectResponse(f"/g/job/{job.job_id}", 303)
