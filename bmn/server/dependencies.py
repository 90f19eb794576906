"""What routes ask for: the process's resources, and who is calling."""

from typing import Annotated
from uuid import uuid4

from fastapi import Depends, Header, Request

from bmn.errors import NotAllowed, NotSignedIn
from bmn.identity.tokens import NO_TOKEN, Principal
from bmn.schemas.base import Id, JobId
from bmn.server.resources import Resources
from bmn.work.welcome import ensure_known

_BY_SESSION = "bmn.by_session"
ADMINS_ONLY = "Admin access required"


async def resources(request: Request) -> Resources:
    """What the app holds while it runs."""
    found: Resources = request.app.state.resources
    return found


async def identify(request: Request) -> Principal:
    """The signed-in caller, by token or by browser session, not yet counted. Raises NotSignedIn, NotAllowed."""
    found: Resources = request.app.state.resources
    shown = request.headers.get("authorization")
    scheme, _, token = (shown or "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        principal = await found.auth.verify(token.strip())
    elif shown is not None or (session := await found.sessions.find_for(request)) is None:
        raise NotSignedIn(NO_TOKEN)
    else:
        principal = session
        request.scope[_BY_SESSION] = True
    if principal.user_id not in found.known_users:
        await ensure_known(found.core, principal.user_id, principal.email)
        found.remember_user(principal.user_id)
    return principal


def by_session(request: Request) -> bool:
    """Whether it was a browser's session that said who is calling, and no token."""
    return _BY_SESSION in request.scope


async def viewer(request: Request) -> Principal:
    """The signed-in caller of what is only looked at, which pages do by themselves. Raises NotSignedIn, RateLimited."""
    principal = await identify(request)
    await request.app.state.resources.limit.check_view(principal.user_id, request.scope)
    return principal


async def caller(request: Request) -> Principal:
    """The signed-in caller of an ordinary request. Raises NotSignedIn, RateLimited."""
    principal = await identify(request)
    await request.app.state.resources.limit.check(principal.user_id, request.scope)
    return principal


async def generation_caller(request: Request) -> Principal:
    """The same for requests that cost money. Raises NotSignedIn, RateLimited."""
    principal = await identify(request)
    await request.app.state.resources.limit.check(principal.user_id, request.scope, generation=True)
    return principal


async def admin(principal: Annotated[Principal, Depends(caller)]) -> Principal:
    """Raises NotAllowed for everybody else."""
    if not principal.is_admin:
        raise NotAllowed(ADMINS_ONLY)
    return principal


async def service(principal: Annotated[Principal, Depends(caller)]) -> Principal:
    """Other systems of ours, and admins. Raises NotAllowed for users."""
    if principal.role not in ("service", "admin"):
        raise NotAllowed("Service or admin access required")
    return principal


Res = Annotated[Resources, Depends(resources)]
Caller = Annotated[Principal, Depends(caller)]
GenerationCaller = Annotated[Principal, Depends(generation_caller)]
Admin = Annotated[Principal, Depends(admin)]
Service = Annotated[Principal, Depends(service)]

BrandPath = Id
AssetPath = Id
JobPath = JobId
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="The same key and body give the same answer and one job, for 24 hours.",
    ),
]


def fresh_key() -> str:
    """An idempotency key for a form, so that pressing twice does a thing once."""
    return uuid4().hex


def request_id(request: Request) -> str:
    """The id that the edge gave this request."""
    found: str = request.scope["request_id"]
    return found


def owner_filter(principal: Principal) -> str | None:
    """Whose rows a caller may see: their own; an admin everybody's."""
    return None if principal.is_admin else principal.user_id


def is_operator(res: Resources, principal: Principal) -> bool:
    """Whether a caller runs this: an admin, or whoever uses a development server that signs its own tokens."""
    return principal.is_admin or not (res.settings.is_production or res.settings.supabase_url)
