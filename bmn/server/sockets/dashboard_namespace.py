"""/dashboard: brands and kits of the caller, and credits. Their own room is joined from the start."""

from bmn.server.sockets.handlers import Handlers
from bmn.server.sockets.rooms import BRAND, GROUP, entering, leaving

_NOT_YOURS = "Not authorized"

HANDLERS: Handlers = {
    "brand:watch": entering(BRAND, "Watch failed", _NOT_YOURS),
    "brand:unwatch": leaving(BRAND, "Unwatch failed", _NOT_YOURS),
    "group:watch": entering(GROUP, "Watch failed", _NOT_YOURS),
    "group:unwatch": leaving(GROUP, "Unwatch failed", _NOT_YOURS),
}
