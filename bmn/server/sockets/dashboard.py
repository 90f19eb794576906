"""/dashboard: brands and credits of the caller. Their own room is joined from the start."""

from bmn.db.library import brands
from bmn.errors import NotAllowed, NotFound
from bmn.events.audience import brand_room
from bmn.schemas.events import BrandRoom, Done
from bmn.server.sockets.handlers import DONE, Context, Handler, Handlers
from bmn.server.sockets.session import Session

_NOT_YOURS = "Not authorized"


async def watch_brand(context: Context, session: Session, ask: BrandRoom) -> Done:
    """Joins the room of a brand of one's own."""
    try:
        await context.core.db.read(lambda conn: brands.get(conn, ask.brand_id, session.user_id))
    except NotFound:
        raise NotAllowed(_NOT_YOURS) from None
    async with session.order:
        await context.enter(session, brand_room(ask.brand_id))
    return DONE


async def unwatch_brand(context: Context, session: Session, ask: BrandRoom) -> Done:
    """Leaves it."""
    async with session.order:
        await context.leave(session, brand_room(ask.brand_id))
    return DONE


HANDLERS: Handlers = {
    "brand:watch": Handler(BrandRoom, watch_brand, "brandId", "Watch failed", _NOT_YOURS),
    "brand:unwatch": Handler(BrandRoom, unwatch_brand, "brandId", "Unwatch failed", _NOT_YOURS),
}
