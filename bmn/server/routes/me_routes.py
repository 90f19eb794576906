"""Who is calling, as the server sees them."""

import math

from fastapi import APIRouter

from bmn.schemas import documents
from bmn.schemas.base import when
from bmn.server.access.asking import AskingRoute
from bmn.server.access.dependencies import Caller
from bmn.server.access.refusals import ANY_CALLER

router = APIRouter(prefix="/api/v1", tags=["sessions"], responses=ANY_CALLER, route_class=AskingRoute)


@router.get("/me")
async def show_me(principal: Caller) -> documents.Me:
    """The caller's id, role and, where they have one, the end of their token or key."""
    ends = principal.expires_at if math.isfinite(principal.expires_at) else None
    return documents.Me(
        user_id=principal.user_id, role=principal.role.value, key_id=principal.key_id, expires_at=when(ends)
    )
