"""Entering and leaving the room of a brand or a group, which two namespaces have. Whose it is, is asked at the door."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bmn.db import job_store
from bmn.db.engine import Connection
from bmn.db.library import brand_store
from bmn.errors import NotFound
from bmn.events.audience import brand_room, group_room
from bmn.schemas.base import Model
from bmn.schemas.events import BrandRoom, Done, GroupRoom
from bmn.server.sockets.handlers import DONE, Handler, SocketContext
from bmn.server.sockets.session import Session


@dataclass(frozen=True, slots=True)
class Door:
    """What a room is named by. look: raises NotFound where no such thing is this user's."""

    model: type[Model]
    field: str
    name: Callable[[Any], str]
    room: Callable[[str], str]
    look: Callable[[Connection, str, str], object]


BRAND = Door(BrandRoom, "brandId", lambda ask: ask.brand_id, brand_room, brand_store.get)
GROUP = Door(GroupRoom, "groupId", lambda ask: ask.group_id, group_room, job_store.own_group)


def entering(door: Door, failed: str, unknown: str) -> Handler:
    """The handler that takes a socket into a room of its user's own. unknown: the words for any other one."""

    async def run(context: SocketContext, session: Session, ask: Model) -> Done:
        name = door.name(ask)
        try:
            await context.core.db.read(lambda conn: door.look(conn, name, session.user_id))
        except NotFound:
            raise NotFound(unknown) from None
        async with session.order:
            await context.enter(session, door.room(name))
        return DONE

    return Handler(door.model, run, door.field, failed, unknown)


def leaving(door: Door, failed: str, unknown: str) -> Handler:
    """The handler that takes it out again."""

    async def run(context: SocketContext, session: Session, ask: Model) -> Done:
        async with session.order:
            await context.leave(session, door.room(door.name(ask)))
        return DONE

    return Handler(door.model, run, door.field, failed, unknown)
