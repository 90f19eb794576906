"""What routes ask for: the process's resources, and who is calling."""

from dataclasses import replace
from functools import partial
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Depends, Header, Query, Request
from fastapi.requests import HTTPConnection

from bmn.db.accounts import credit_store
from bmn.db.accounts.audit_store import Actor
from bmn.errors import NotAllowed, NotFound, NotSignedIn, UsageProblem
from bmn.identity.browser import is_browser_token
from bmn.identity.rights import Right, Role
from bmn.identity.tokens import NO_TOKEN, Principal
from bmn.jobs.submission import has_answer
from bmn.schemas.base import Id, JobId
from bmn.server.access.bounds import keep_within, named_by
from bmn.server.access.permissions import require, require_route
from bmn.server.edge.addresses import counted_of
from bmn.server.edge.asgi import request_id_of, route_path_of
from bmn.server.edge.queries import check_headers, check_query
from bmn.server.state.resources import Resources
from bmn.work.welcome import ensure_known

_BY_SESSION = "bmn.by_session"
_COUNTED = "bmn.counted"
_IDENTIFIED = "bmn.identified"
_FOR = "x-on-behalf-of"
_STREAMS = frozenset({"/api/v1/jobs/{job_id}/events", "/api/v1/events"})


async def resources(request: Request) -> Resources:
    """What the app holds while it runs."""
    found: Resources = request.app.state.resources
    return found


async def identify(request: Request) -> Principal:
    """The signed-in caller, by token, API key or browser session, not yet counted; looked for once a request.

    Raises NotSignedIn, NotAllowed where the route is not for their role, UsageProblem for its headers and query.
    """
    known: Principal | None = request.scope.get(_IDENTIFIED)
    if known is None:
        check_headers(request)
        known = request.scope[_IDENTIFIED] = await _identify(request)
        check_query(request)
    return known


async def _identify(request: Request) -> Principal:
    found: Resources = request.app.state.resources
    shown = request.headers.get("authorization")
    scheme, _, token = (shown or "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        principal = await found.auth.verify(token.strip(), address=counted_of(request.scope))
    elif shown is None and (asked := _token_in_address(request)):
        principal = await found.auth.verify(asked, address=counted_of(request.scope))
    elif shown is not None or (session := await found.sessions.find_for(request)) is None:
        raise NotSignedIn(NO_TOKEN)
    else:
        principal = session
        request.scope[_BY_SESSION] = True
    if (user_id := request.headers.get(_FOR)) is not None:
        principal = await _on_behalf_of(found, principal, user_id)
    require_route(principal, request)
    if principal.bounds:
        await keep_within(found.core.db, principal, named_by(request))
        return principal
    if principal.user_id not in found.known_users and principal.may(Right.OWN):
        await ensure_known(found.core, principal.user_id, principal.email)
        found.remember_user(principal.user_id)
    return principal


def _token_in_address(request: Request) -> str | None:
    """A browser's token in the address of an event stream: an EventSource sends no header. No other token is read there."""
    asked = request.query_params.get("token", "")
    return asked if route_path_of(request.scope) in _STREAMS and is_browser_token(asked) else None


async def _on_behalf_of(found: Resources, principal: Principal, user_id: str) -> Principal:
    """One of our users, for whom a service of ours asks. Raises NotAllowed, UsageProblem, NotFound."""
    require(principal, (Right.ACT_FOR,))
    if principal.may(Right.REVEAL):
        raise NotAllowed(
            "X-On-Behalf-Of is for services.",
            hint="People look at what is another's with reveal=true and a reason, and act on it by its id.",
        )
    try:
        user_id = str(UUID(user_id))
    except ValueError:
        raise UsageProblem("X-On-Behalf-Of is not the id of a user.", hint="It takes a UUID.") from None
    if user_id not in found.known_users and not await found.core.db.read(
        lambda conn: credit_store.is_known(conn, user_id)
    ):
        raise NotFound("User not found", hint="A user is known from their first request on.")
    return replace(principal, user_id=user_id, email=None, role=Role.USER, behind=principal.user_id)


def by_session(request: Request) -> bool:
    """Whether it was a browser's session that said who is calling, and no token."""
    return _BY_SESSION in request.scope


async def viewer(request: Request) -> Principal:
    """The signed-in caller of what is only looked at, which pages do by themselves. Raises NotSignedIn, RateLimited."""
    principal = await identify(request)
    if _first_time(request, viewer.__name__):
        await request.app.state.resources.limit.check_view(principal.counted_as, request.scope)
    return principal


async def caller(request: Request) -> Principal:
    """The signed-in caller of an ordinary request. Raises NotSignedIn, RateLimited."""
    principal = await identify(request)
    if _first_time(request, caller.__name__):
        await request.app.state.resources.limit.check(principal.counted_as, request.scope)
    return principal


async def generation_caller(request: Request) -> Principal:
    """The same for requests that cost money, asked and counted once a request. Raises NotSignedIn, RateLimited."""
    return await submitting_caller(request, None)


async def submitting_caller(request: Request, key: str | None) -> Principal:
    """The same for a route that answers a used key as before: such a repetition passes where a minute's limit is reached."""
    principal = await identify(request)
    if _first_time(request, generation_caller.__name__):
        res: Resources = request.app.state.resources
        is_repeat = partial(has_answer, res.core, principal.user_id, key) if key else None
        await res.limit.check(principal.user_id, request.scope, generation=True, is_repeat=is_repeat)
    return principal


def _first_time(request: Request, counter: str) -> bool:
    """Whether a request is still to be counted so: routes with a body count before it comes, and ask again after it."""
    counted_by: set[str] = request.scope.setdefault(_COUNTED, set())
    if counter in counted_by:
        return False
    counted_by.add(counter)
    return True


async def acting_caller(request: Request, principal: Annotated[Principal, Depends(caller)]) -> Actor:
    """The caller, for what is written down about what they do."""
    return acting(principal, request)


def acting(principal: Principal, connection: HTTPConnection) -> Actor:
    """The same for who knows the caller already."""
    return principal.actor(connection.client.host if connection.client else None)


Res = Annotated[Resources, Depends(resources)]
Caller = Annotated[Principal, Depends(caller)]
GenerationCaller = Annotated[Principal, Depends(generation_caller)]
By = Annotated[Actor, Depends(acting_caller)]

ByAddress = Annotated[
    str | None, Query(alias="token", max_length=1000, description="a browser's token, for who can send no header")
]
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
    return request_id_of(request.scope) or ""


def owner_filter(principal: Principal, right: Right = Right.REVEAL) -> str | None:
    """Whose rows a caller may see or change: their own; everybody's for who has this right, and, to reveal, has said why."""
    everybody = principal.reveals is not None if right is Right.REVEAL else principal.may(right)
    return None if everybody else principal.user_id


def is_operator(res: Resources, principal: Principal) -> bool:
    """Whether a caller runs this: an operator, or whoever uses a development server that signs its own tokens."""
    if not principal.may(Right.OWN):
        return False
    return principal.may(Right.REVEAL) or not (res.settings.is_production or res.settings.supabase_url)
