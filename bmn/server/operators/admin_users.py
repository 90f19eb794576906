"""`/admin/users/{id}`: one user as support needs them: what they have, what moved it, what they ask for."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from bmn.db.accounts import credit_store
from bmn.db.lists.listing import JobFilter
from bmn.schemas.base import JobId
from bmn.schemas.requests import GrantBody
from bmn.server.access.dependencies import By, Res
from bmn.server.access.revealing import Onlooker
from bmn.server.access.scope import UserName, named_user
from bmn.server.operators.frame import Why, show
from bmn.server.pages.access import PageRoute, Visitor, VisitorWhoChanges
from bmn.server.routes import admin_routes, job_routes, record_routes

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_JOBS = 20


@router.get("/admin/users")
async def find_user(res: Res, visitor: Visitor, name: Annotated[UserName, Query()]) -> Response:
    """To the page of the user whom an id or a mail address names. Raises NotFound, UsageProblem where several have it."""
    found = await named_user(res, visitor, name)
    return RedirectResponse(f"/admin/users/{quote(found, safe='')}", 303)


@router.get("/admin/users/{user_id}")
async def show_user(request: Request, user_id: JobId, res: Res, visitor: Onlooker) -> Response:
    """Raises NotFound for somebody who was never seen."""
    account = await record_routes.account(res, user_id)
    chosen = JobFilter(user_id=user_id)
    return show(
        request,
        visitor,
        "user.html",
        "jobs",
        account=None,
        credits=account,
        email=await res.core.db.read(lambda conn: credit_store.address_of(conn, user_id)) if visitor.reveals else None,
        found=await job_routes.list_jobs(res, visitor, chosen, limit=_JOBS),
        groups=(await job_routes.group_jobs(res, visitor, chosen, "cause")).groups,
        costs=await record_routes.show_costs(res, visitor, user=user_id),
    )


@router.post("/admin/users/{user_id}/grant")
async def grant(
    user_id: JobId,
    res: Res,
    visitor: VisitorWhoChanges,
    by: By,
    amount: Annotated[int, Form(ge=1, le=100_000)],
    reason: Why,
) -> Response:
    """Gives a user credits."""
    await admin_routes.grant_credits(GrantBody(amount=amount, user_id=user_id, reason=reason), res, by)
    return RedirectResponse(f"/admin/users/{user_id}", 303)
