"""A kit's page: its steps and their jobs, the logos that a pick is waited for, and the form that begins one."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from bmn.broker import redis_keys
from bmn.db.batches import kit_store
from bmn.db.engine import Connection
from bmn.db.library import asset_store
from bmn.db.lists.listing import JobFilter
from bmn.identity.rights import Right
from bmn.jobs.submission import Idempotent
from bmn.schemas.base import Id, Text
from bmn.schemas.documents import Kit
from bmn.schemas.kit_requests import KitBody
from bmn.server.access.dependencies import BrandPath, Res, acting, fresh_key, owner_filter, request_id
from bmn.server.access.revealing import Onlooker
from bmn.server.answers.kit_views import kit_documents
from bmn.server.pages import pieces
from bmn.server.pages.access import PageRoute, PayingVisitor, VisitorWhoChanges
from bmn.server.pages.gallery_pages import account, lines
from bmn.server.pages.rendering import page
from bmn.server.usecases.watched import note_watched
from bmn.work.kits import course

router = APIRouter(include_in_schema=False, route_class=PageRoute)

KitPath = Id
STEPS = {"logos": "Logos", "pick": "Your pick", "mockups": "Products", "bundle": "Bundle", "video": "Film"}
STATES = {
    "waiting": "Comes later",
    "running": "Being made",
    "picking": "Waits for you",
    "held": "Held",
    "done": "Done",
    "cancelled": "Cancelled",
}
# The chip of a step or kit is that of a job which stands likewise.
CHIPS = {
    "waiting": "queued",
    "running": "active",
    "picking": "retrying",
    "held": "failed",
    "done": "completed",
    "cancelled": "cancelled",
}


@router.get("/g/kit/{kit_id}")
async def kit_page(request: Request, kit_id: KitPath, res: Res, visitor: Onlooker) -> Response:
    """One kit: what is made, what it waits for, what it costs."""

    def read(conn: Connection) -> tuple[Kit, dict[str, Any]]:
        row = kit_store.get(conn, kit_id, owner_filter(visitor))
        (kit,) = kit_documents(conn, [row])
        name = kit.brand_name or ""
        made = [job.job_id for step in kit.steps if step.step == "logos" for job in step.jobs]
        logos = [
            each for job_id in made for each in pieces.in_order(asset_store.list_of_job(conn, job_id), res.signer, name)
        ]
        return kit, {
            "account": account(conn, visitor),
            "logos": logos if row.state == "picking" else [],
            "jobs": lines(conn, res, JobFilter(group_id=kit_id)),
        }

    kit, found = await res.core.db.read(read)
    await note_watched(res.core.redis, redis_keys.kit_at(kit_id, kit.state), visitor, kit.user_id)
    return page(
        request,
        "kit.html",
        words=STEPS,
        states=STATES,
        chips=CHIPS,
        back=f"/g/kit/{kit_id}",
        key=fresh_key(),
        kit=kit,
        **found,
    )


@router.post("/g/kit/{kit_id}/cancel")
async def stop(request: Request, kit_id: KitPath, res: Res, visitor: VisitorWhoChanges) -> Response:
    """Ends a kit."""
    owner = owner_filter(visitor, Right.OPERATE)
    await course.cancel(res.core, kit_id, acting(visitor, request), user_id=owner)
    return RedirectResponse(f"/g/kit/{kit_id}", 303)


@router.post("/g/{brand_id}/kit")
async def begin(
    request: Request,
    brand_id: BrandPath,
    res: Res,
    visitor: PayingVisitor,
    key: Annotated[Text, Form(min_length=8, max_length=100)],
) -> Response:
    """A whole brand, as its record says; it waits for a pick."""
    body = KitBody(brand_id=brand_id)
    idempotent = Idempotent.of(key, {"kit": body.dump()})
    kit, is_new = await course.start(
        res.core, visitor.user_id, body, idempotent=idempotent, request_id=request_id(request)
    )
    if not is_new:
        await res.limit.give_back(request.scope)
    return RedirectResponse(f"/g/kit/{kit.id}", 303)
