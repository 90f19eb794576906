"""`/admin/dlq`: what died and can be mended, by cause: how much, an example, what bringing it back takes."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from bmn.db import dead_letters, records
from bmn.errors import CAUSES
from bmn.identity.tokens import Principal
from bmn.schemas.documents import BulkEstimate, DeadLetter
from bmn.schemas.requests import BulkBody
from bmn.server.access.dependencies import Res
from bmn.server.access.revealing import Onlooker
from bmn.server.answers import operator_views, views
from bmn.server.operators.frame import may_operate, show
from bmn.server.pages.access import PageRoute
from bmn.server.routes import admin_routes
from bmn.server.routes.admin_routes import Words
from bmn.server.usecases import bulk_requests

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_SHOWN = 50
_AT_ONCE = 500  # letters whose estimate is worth the time it takes


@dataclass(frozen=True, slots=True)
class Pile:
    """The open letters of one cause. example: the newest. estimate: None where there are too many to tell at once."""

    cause: str
    number: int
    example: DeadLetter
    estimate: BulkEstimate | None
    meaning: str
    advice: str


@router.get("/admin/dlq")
async def show_dlq(
    request: Request,
    res: Res,
    visitor: Onlooker,
    cause: Words = None,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
) -> Response:
    """The piles, and the letters of one of them, or of all."""
    piles = [await _pile(res, visitor, *each) for each in await res.core.db.read(dead_letters.piles)]
    letters = await admin_routes.list_dlq(res, visitor, cause=cause, limit=_SHOWN, cursor=cursor)
    return show(request, visitor, "dlq.html", "dlq", piles=piles, letters=letters, cause=cause)


async def _pile(res: Res, visitor: Principal, newest: records.DeadLetterRow, number: int) -> Pile:
    cause, found = newest.cause, CAUSES[newest.cause]
    estimate = None
    if may_operate(visitor) and number <= _AT_ONCE:
        body = BulkBody(action="replay", cause=cause)
        estimate = await bulk_requests.estimate(res, body, await bulk_requests.choose(res, body, None), None)
    return Pile(
        cause, number, views.shown(operator_views.dead_letter(newest), visitor), estimate, found.user_text, found.advice
    )
