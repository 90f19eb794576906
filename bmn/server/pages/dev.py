"""What the sandbox has taken in, mails and calls that would have been billed, and webhooks. Of a development server only."""

from email.utils import parseaddr
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, TypeAdapter

from bmn.db.accounts import credit_store
from bmn.db.engine import Connection
from bmn.db.hooks import deliveries, gone, webhook_store
from bmn.db.records import DeliveryRow, EndpointRow
from bmn.errors import NotAllowed, NotFound, TryLater
from bmn.identity.development import supabase_is_configured
from bmn.identity.rights import Right
from bmn.identity.tokens import Principal
from bmn.schemas.base import Id
from bmn.server.access.dependencies import Res
from bmn.server.access.permissions import ADMINS_ONLY
from bmn.server.pages.access import PageRoute, Visitor, VisitorWhoChanges
from bmn.server.pages.rendering import page
from bmn.server.state.resources import Resources

router = APIRouter(include_in_schema=False, route_class=PageRoute)


async def _developer(request: Request, visitor: Visitor) -> Principal:
    """Who may read everybody's prompts. Raises NotAllowed for the users of a real project."""
    if supabase_is_configured(request.app.state.resources.settings) and not visitor.may(Right.REVEAL):
        raise NotAllowed(ADMINS_ONLY)
    return visitor


Developer = Annotated[Principal, Depends(_developer)]
MailId = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9-]+$")]
_SHOWN = 200
# A mail is somebody else's page: no script, no form, no request but for its pictures, and framed by us alone.
_MAIL_POLICY = (
    "default-src 'none'; img-src data: https:; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox allow-popups"
)


@router.get("/dev/mail")
async def mailbox(request: Request, res: Res, visitor: Visitor) -> Response:
    """One's own mails; admins read everybody's."""
    mails = list(reversed(await _mails(res, visitor)))[:_SHOWN]
    address = None if visitor.may(Right.ADMINISTER) else await _address_of(res, visitor) or "you"
    return page(request, "mailbox.html", mails=mails, address=address)


@router.get("/dev/mail/{mail_id}")
async def mail(request: Request, mail_id: MailId, res: Res, visitor: Visitor) -> Response:
    return page(request, "mail.html", mail=await _find(res, mail_id, visitor))


@router.get("/dev/mail/{mail_id}/body")
async def mail_body(mail_id: MailId, res: Res, visitor: Visitor) -> Response:
    """The mail's own HTML, for the frame."""
    found = await _find(res, mail_id, visitor)
    return HTMLResponse(found.html, headers={"Content-Security-Policy": _MAIL_POLICY, "Cache-Control": "no-store"})


@router.get("/dev/sandbox")
async def sandbox(request: Request, res: Res, _developer: Developer) -> Response:
    state, calls = _State.model_validate(await _ask(res, "")), await _ask(res, "ledger")
    return page(
        request,
        "sandbox.html",
        address=res.settings.sandbox_address,
        billed=sorted(state.billed.items()),
        usd=sum(entry.usd for entry in state.billed.values()),
        faults=state.faults,
        calls=list(reversed(calls))[:_SHOWN],
    )


@router.get("/dev/webhooks")
async def sent_webhooks(request: Request, res: Res, developer: Developer) -> Response:
    if res.settings.is_production:
        raise NotFound("This page is for development.", hint="`bmn webhooks deliveries` lists your own.")

    def read(conn: Connection) -> tuple[list[EndpointRow], list[DeliveryRow]]:
        mine = webhook_store.endpoints(conn, developer.user_id)
        return mine, deliveries.listed(conn, developer.user_id, limit=_SHOWN)[0]

    endpoints, found = await res.core.db.read(read)
    return page(request, "webhooks.html", endpoints=endpoints, deliveries=found)


@router.post("/dev/webhooks/{endpoint_id}/enable")
async def enable_endpoint(endpoint_id: Id, res: Res, visitor: VisitorWhoChanges) -> Response:
    """A receiver that was disabled hears again."""
    if res.settings.is_production:
        raise NotFound("This page is for development.")
    await res.core.db.write(lambda conn: gone.enable(conn, endpoint_id, visitor.user_id))
    return RedirectResponse("/dev/webhooks", 303)


class _Mail(BaseModel):
    """A mail as the sandbox has taken it in; the pages show its other fields."""

    model_config = ConfigDict(extra="allow")
    id: str
    to: list[str]
    html: str | None = None


class _Charged(BaseModel):
    """What one provider would have charged."""

    calls: int
    usd: float


class _State(BaseModel):
    """The sandbox as it is. faults: shown as they are."""

    billed: dict[str, _Charged]
    faults: list[object]


async def _mails(res: Resources, visitor: Principal) -> list[_Mail]:
    """The mails that a visitor may read, oldest first: those to their address; an admin, all."""
    found = TypeAdapter(list[_Mail]).validate_python(await _ask(res, "mails"))
    if visitor.may(Right.ADMINISTER):
        return found
    address = await _address_of(res, visitor)
    return [each for each in found if address and address in {parseaddr(to)[1].casefold() for to in each.to}]


async def _address_of(res: Resources, visitor: Principal) -> str | None:
    """The mail address of a visitor, without its capitals; where their token names none, that of their account."""
    address = visitor.email or await res.core.db.read(lambda conn: credit_store.address_of(conn, visitor.user_id))
    return address.casefold() if address else None


async def _find(res: Resources, mail_id: str, visitor: Principal) -> _Mail:
    for found in await _mails(res, visitor):
        if found.id == mail_id:
            return found
    raise NotFound("There is no such mail.")


async def _ask(res: Resources, path: str) -> Any:
    """A control route of the sandbox. Raises NotFound in production and without one, TryLater where it is away."""
    address = res.settings.sandbox_address
    if res.settings.is_production or not address:
        raise NotFound("There is no sandbox here.", hint="`bmn serve` runs one where a provider has no key.")
    try:
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            answer = await client.get(f"{address}/_sandbox/{path}")
            return answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise TryLater("The sandbox does not answer.", hint=f"It should be at {address}.") from error
