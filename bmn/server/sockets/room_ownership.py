"""Which rooms a user may sit in. Asked at every join, again when a session is resumed, and from time to time."""

from collections.abc import Iterable

from bmn.db import job_store
from bmn.db.engine import Connection
from bmn.db.library import brand_store
from bmn.errors import NotFound
from bmn.events.audience import ADMINS, VIEWERS, jobs_room, user_room
from bmn.identity.browser import BoundKind
from bmn.identity.rights import Right
from bmn.identity.tokens import Principal
from bmn.schemas.events import ADMIN
from bmn.server.access.bounds import check_within


def own_rooms(principal: Principal, namespace: str) -> set[str]:
    """The rooms that every socket sits in from the start."""
    if principal.bounds:
        return set()
    rooms = {user_room(principal.user_id)}
    if namespace == ADMIN:
        rooms.add(ADMINS if principal.may(Right.REVEAL) else VIEWERS)
    return rooms


def still_allowed(conn: Connection, principal: Principal, namespace: str, rooms: Iterable[str]) -> set[str]:
    """Of these rooms, the ones that the user may sit in, with those of `own_rooms`."""
    own = own_rooms(principal, namespace)
    return own | {room for room in rooms if room not in own and _is_theirs(conn, principal, room)}


def _is_theirs(conn: Connection, principal: Principal, room: str) -> bool:
    kind, _, name = room.partition(":")
    try:
        if kind == "brand":
            brand_store.get(conn, name, principal.user_id)
            check_within(conn, principal.bounds, BoundKind.BRAND, name)
        elif kind == "group":
            job_store.own_group(conn, name, principal.user_id)
            check_within(conn, principal.bounds, BoundKind.GROUP, name)
        elif kind == "job":
            job_store.get_job(conn, name, principal.user_id)
            check_within(conn, principal.bounds, BoundKind.JOB, name)
        else:
            return room == jobs_room(principal.user_id) and principal.bounds is None
    except NotFound:
        return False
    return True
