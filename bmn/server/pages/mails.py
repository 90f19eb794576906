"""Mails about jobs: whether a user gets them, for whoever follows the link in one."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from bmn.db.wizard import journeys
from bmn.server.access.dependencies import Res
from bmn.server.pages.access import PageRoute
from bmn.server.pages.rendering import page

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/mails/{token}")
async def show_mails(request: Request, token: str, res: Res) -> Response:
    """Whether they are on. Looking changes nothing: mail readers open links by themselves."""
    user_id = await _user(request, res, token)
    wanted = await res.core.db.read(lambda conn: journeys.wants_job_mails(conn, user_id))
    return page(request, "mails.html", wanted=wanted, token=token)


@router.post("/mails/{token}")
async def change_mails(request: Request, token: str, res: Res, wanted: Annotated[bool, Form()] = False) -> Response:
    """Turns them off, or on again."""
    user_id = await _user(request, res, token)
    await res.core.db.write(partial(journeys.set_job_mails, user_id=user_id, wanted=wanted))
    return RedirectResponse(f"/mails/{token}", 303)


async def _user(request: Request, res: Res, token: str) -> str:
    """Whose mails a link is about; counted by the link, as nobody signs in here. Raises NotFound, RateLimited."""
    user_id = res.signer.user_of_mails(token)
    await res.limit.check_view(f"mails of {user_id}", request.scope)
    return user_id
