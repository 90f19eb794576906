"""Signing in and out in a browser. `bmn open` prints a link with a ticket; a local server needs one click."""

import time
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from bmn.broker import redis_keys
from bmn.errors import NotAllowed
from bmn.identity.rights import Role
from bmn.identity.tokens import Principal
from bmn.schemas.base import when
from bmn.schemas.documents import SignInLink
from bmn.schemas.requests import LocalPath, SessionBody
from bmn.server.access.asking import AskingRoute
from bmn.server.access.dependencies import Caller, Res, by_session
from bmn.server.access.refusals import ANY_CALLER, refusals
from bmn.server.edge.head import is_head
from bmn.server.pages.access import PageRoute, may_sign_in_locally, sign_in_page
from bmn.server.pages.rendering import page
from bmn.server.state.sessions import TICKET_SECONDS, require_same_origin
from bmn.settings import DEV_USER_EMAIL, DEV_USER_ID

router = APIRouter(include_in_schema=False, route_class=PageRoute)
api = APIRouter(prefix="/api/v1", tags=["sessions"], route_class=AskingRoute)

Ticket = Annotated[str, Query(max_length=100)]
Back = Annotated[LocalPath, Form()]


@api.post("/session", status_code=201, responses=ANY_CALLER | refusals(413))
async def ticket(body: SessionBody, request: Request, res: Res, principal: Caller) -> SignInLink:
    """A link that signs a browser in as the caller, once, within two minutes.

    For a token only: a session that could make another one would outlast its day, and the role it began with.
    """
    if by_session(request):
        raise NotAllowed("A sign-in link is given for a token, not for a browser's session.", hint="Run `bmn open`.")
    issued = await res.sessions.issue_ticket(principal, body.path)
    url = f"{res.settings.public_address}/signin?ticket={issued}"
    return SignInLink(url=url, expires_at=when(time.time() + TICKET_SECONDS))


@router.get("/signin")
async def follow_link(request: Request, res: Res, ticket: Ticket = "") -> Response:
    """Signs in at once where the reader opened the link; where another page or a prefetch did, it asks first."""
    if not ticket or is_head(request):
        return sign_in_page(request)
    foreign = request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    if foreign or "prefetch" in request.headers.get("sec-purpose", ""):
        return page(request, "confirm.html", ticket=ticket)
    return await _redeem(request, res, ticket)


@router.post("/signin")
async def confirm(request: Request, res: Res, ticket: Annotated[str, Form(max_length=100)]) -> Response:
    """Signs a browser in, after its click."""
    require_same_origin(request)
    return await _redeem(request, res, ticket)


@router.post("/signin/local")
async def sign_in_locally(request: Request, res: Res, back: Back = "/") -> Response:
    """As this machine's developer. Raises NotAllowed anywhere else."""
    require_same_origin(request)
    if not may_sign_in_locally(request, res.settings):
        raise NotAllowed("Only a local development server signs in like this.", hint="Run `bmn open`.")
    developer = Principal(DEV_USER_ID, DEV_USER_EMAIL, Role.USER, time.time() + redis_keys.SESSION_SECONDS)
    answer = RedirectResponse(back, 303)
    await res.sessions.begin(request, answer, developer)
    return answer


@router.post("/signout")
async def sign_out(request: Request, res: Res) -> Response:
    """Ends the session."""
    require_same_origin(request)
    answer = RedirectResponse("/signin", 303)
    await res.sessions.end(request, answer)
    return answer


async def _redeem(request: Request, res: Res, ticket: str) -> Response:
    principal, path = await res.sessions.redeem(ticket)
    answer = RedirectResponse(path, 303)
    await res.sessions.begin(request, answer, principal)
    return answer
