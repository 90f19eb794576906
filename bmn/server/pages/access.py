"""Who sees a page, and what somebody reads who may not, or when something goes wrong."""

import ipaddress
from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from urllib.parse import urlsplit

import redis
from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from bmn.errors import BmnError, NotSignedIn
from bmn.identity.development import supabase_is_configured
from bmn.identity.tokens import Principal
from bmn.logs import get_logger
from bmn.schemas.requests import LocalPath
from bmn.schemas.wording import flaws
from bmn.server.access.asking import AskingRoute
from bmn.server.access.dependencies import caller, generation_caller, viewer
from bmn.server.edge.error_handlers import give_back
from bmn.server.pages.rendering import unsigned
from bmn.settings import Settings

log = get_logger(__name__)

__all__ = ["LocalPath", "PageRoute", "PayingVisitor", "Visitor", "VisitorWhoChanges", "may_sign_in_locally"]

Visitor = Annotated[Principal, Depends(viewer)]  # counted widely: a page looks again by itself
VisitorWhoChanges = Annotated[Principal, Depends(caller)]
PayingVisitor = Annotated[Principal, Depends(generation_caller)]

_OF_PROXIES = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
_AWAY = "A part of this service is away. Nothing is lost; try again in a moment."


class PageRoute(AskingRoute):
    """A route for people: what goes wrong is a page, and somebody unknown is asked to sign in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await answer(request)
            except NotSignedIn as error:
                return sign_in_page(request, error)
            except BmnError as error:
                await give_back(request, error.http_status)
                return _problem(request, error.http_status, error.message, error.hint)
            except (RequestValidationError, ValidationError) as error:
                await give_back(request, 400)
                flaw = flaws(error)[0]
                if flaw.field == "path":
                    return _problem(request, 404, "There is nothing here.", None)
                return _problem(request, 400, "That cannot be used.", f"{flaw.place[-1]} {flaw.words}")
            except (redis.RedisError, OSError) as error:
                log.warning("a page cannot be shown", path=request.url.path, error=str(error))
                return _problem(request, 503, _AWAY, None)

        return handler


def sign_in_page(request: Request, error: NotSignedIn | None = None) -> Response:
    """error: said only where a sign-in was tried."""
    settings: Settings = request.app.state.resources.settings
    path = request.url.path
    tried, admin = path == "/signin", "admin" in path.lower()
    local = not admin and may_sign_in_locally(request, settings)
    return unsigned(
        settings,
        "signin.html",
        401,
        problem=error.message if error and tried else None,
        back=path if local and not tried and request.method == "GET" else "/",
        local=local,
        command="bmn admin open" if admin else "bmn open" if local or not settings.is_production else "",
    )


def _problem(request: Request, status: int, message: str, hint: str | None) -> Response:
    if hint and "`bmn " in hint:  # for a terminal; who reads a page may never have seen one
        hint = None
    settings: Settings = request.app.state.resources.settings
    return unsigned(settings, "problem.html", status, number=status, message=message, hint=hint)


def may_sign_in_locally(request: Request, settings: Settings) -> bool:
    """Whether everybody who can ask is this machine's own developer: a development server, reached by a loopback name.

    The name counts as well as the address, since a foreign name can be made to point here.
    """
    if settings.is_production or supabase_is_configured(settings) or not is_loopback(settings.bmn_host):
        return False
    if any(name in request.headers for name in _OF_PROXIES):  # whoever asked is somewhere else
        return False
    asked, client = _name_of(request.headers.get("host", "")), request.client
    return is_loopback(asked) and client is not None and is_loopback(client.host)


def _name_of(host: str) -> str:
    """The name in a Host header, without its port; empty for what is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether a visitor sits at this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
