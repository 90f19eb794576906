"""`/admin/audit`: who did what, when, why and from where."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import Field, StringConstraints

from bmn.schemas.base import Model, Text
from bmn.server.access.dependencies import Res
from bmn.server.access.revealing import Onlooker
from bmn.server.operators.admin_view import SPANS
from bmn.server.operators.frame import show
from bmn.server.pages.access import PageRoute
from bmn.server.routes import key_routes

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_Words = Annotated[Text, StringConstraints(max_length=256)]


class Search(Model):
    """What the bar asks for; an empty field asks for nothing. since: seconds ago."""

    actor: _Words | None = None
    action: _Words | None = None
    subject: _Words | None = None
    since: float | None = Field(None, gt=0)
    cursor: Annotated[str, StringConstraints(max_length=18, pattern=r"^[0-9]+$")] | None = None

    def fields(self) -> list[tuple[str, str]]:
        """The same, for the hidden fields of a form that leads to it again."""
        return [(name, str(value)) for name, value in self.dump().items() if name != "cursor"]

    def query(self, cursor: str | None) -> str:
        """The address's query for the page that begins there."""
        return urlencode({**self.dump(), "cursor": cursor})


@router.get("/admin/audit")
async def show_audit(request: Request, res: Res, visitor: Onlooker) -> Response:
    """The newest acts that fit."""
    given = [(name, value) for name, value in request.query_params.items() if name not in ("reveal", "reason")]
    search = Search.model_validate({name: value for name, value in given if value})
    found = await key_routes.list_audit(
        res,
        visitor,
        actor=search.actor,
        action=search.action,
        subject=search.subject,
        since=search.since,
        cursor=search.cursor,
    )
    return show(request, visitor, "audit.html", "audit", search=search, found=found, spans=SPANS)
