"""What the pages' other buttons do. Each is a form of ours: the session's request is refused where another site made it."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from bmn.db import job_store
from bmn.db.library import asset_store
from bmn.errors import UsageProblem
from bmn.identity.rights import Right
from bmn.jobs.cancellation import cancel
from bmn.jobs.replay import retry
from bmn.schemas.base import Text
from bmn.schemas.requests import BrandPatch
from bmn.server.access.dependencies import AssetPath, BrandPath, JobPath, Res, acting, owner_filter
from bmn.server.answers.share_links import share_job
from bmn.server.pages.access import LocalPath, PageRoute, PayingVisitor, VisitorWhoChanges
from bmn.server.pages.gallery_pages import show_job
from bmn.server.pages.steps import proposed_look
from bmn.server.usecases.actions import change_brand, choose_asset

router = APIRouter(include_in_schema=False, route_class=PageRoute)

SHARED_SECONDS = 7 * 86_400
Back = Annotated[LocalPath, Form()]


@router.post("/g/asset/{asset_id}/pick")
async def pick(asset_id: AssetPath, res: Res, visitor: VisitorWhoChanges, back: Back = "/") -> Response:
    """Chooses a logo."""
    await choose_asset(res, visitor, asset_id)
    return RedirectResponse(back, 303)


@router.post("/g/asset/{asset_id}/favorite")
async def favorite(
    asset_id: AssetPath,
    res: Res,
    visitor: VisitorWhoChanges,
    on: Annotated[bool, Form()] = True,
    back: Back = "/",
) -> Response:
    """Keeps a picture among the first of its room, or no longer."""
    await res.core.db.write(lambda conn: asset_store.set_favorite(conn, asset_id, visitor.user_id, on))
    return RedirectResponse(back, 303)


@router.post("/g/{brand_id}/look")
async def change_look(
    brand_id: BrandPath,
    res: Res,
    visitor: VisitorWhoChanges,
    style: Annotated[Text, Form(max_length=20)],
    color: Annotated[list[Text], Form(max_length=8)],
    vision: Annotated[Text, Form(max_length=2000)] = "",
    archetype: Annotated[Text, Form(max_length=200)] = "",
    back: Back = "/",
) -> Response:
    """What the next pictures of a brand start from; those that are there stay as they are."""
    words = {"vision": vision.strip() or None, "archetype": archetype.strip() or None}
    asked = {"logoStyle": style, "colorPalette": color, **words}
    await change_brand(res, visitor, brand_id, BrandPatch.model_validate(asked))
    return RedirectResponse(back, 303)


@router.post("/g/job/{job_id}/look")
async def take_look(job_id: JobPath, res: Res, visitor: VisitorWhoChanges, back: Back = "/") -> Response:
    """The brand's look becomes the one that a step of its conversation has suggested."""
    job = await res.core.db.read(lambda conn: job_store.get_job(conn, job_id, visitor.user_id))
    proposed = proposed_look(job)
    if not proposed or not job.brand_id:
        raise UsageProblem("This step suggests no other look.")
    await change_brand(res, visitor, job.brand_id, BrandPatch.model_validate(proposed))
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
    link = await share_job(res, visitor, job_id, SHARED_SECONDS)
    return await show_job(request, res, visitor, job_id, link=link.url)
