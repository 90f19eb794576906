"""Which right each route and each message of a socket asks for: one table, looked at by the door that all of them share.

A route that is in no row here is for admins only, so that one which was forgotten lets nobody in.
"""

from starlette.requests import HTTPConnection

from bmn.errors import NotAllowed
from bmn.identity.rights import Right, roles_with
from bmn.identity.tokens import Principal
from bmn.schemas.events import ADMIN, DASHBOARD, WIZARD
from bmn.schemas.generators import KINDS
from bmn.server.edge.asgi import method_of, route_path_of

Needs = tuple[Right, ...]
"""Any one of these is enough; what a caller sees of it is the route's business."""

ADMINS_ONLY = "Admin access required"
_BOUNDED = "A browser's token reads and follows what it was made for, and does nothing else"

_OWN: Needs = (Right.OWN,)
_LOOK: Needs = (Right.OWN, Right.SEE)
_FOLLOW: Needs = (Right.FOLLOW, Right.OWN)
_FOLLOW_OR_SEE: Needs = (Right.FOLLOW, Right.OWN, Right.SEE)
_SEE: Needs = (Right.SEE,)
_REVEAL: Needs = (Right.REVEAL,)
_OPERATE: Needs = (Right.OPERATE,)
_ADMINISTER: Needs = (Right.ADMINISTER,)
_ACT_FOR: Needs = (Right.ACT_FOR,)

ROUTES: dict[str, Needs] = {
    **{f"POST /api/v1/generation/{name}": _OWN for name in KINDS},
    **{f"POST /api/v1/generation/{name}/estimate": _OWN for name in KINDS},
    "GET /api/v1/jobs": _FOLLOW_OR_SEE,
    "GET /api/v1/jobs/groups": _LOOK,
    "GET /api/v1/jobs/{job_id}": _FOLLOW_OR_SEE,
    "GET /api/v1/jobs/{job_id}/why": _FOLLOW_OR_SEE,
    "GET /api/v1/jobs/{job_id}/logs": _LOOK,
    "GET /api/v1/jobs/{job_id}/events": _FOLLOW,
    "GET /api/v1/events": _FOLLOW,
    "POST /api/v1/jobs/{job_id}/cancel": _OWN,
    "POST /api/v1/jobs/{job_id}/retry": _OWN,
    "POST /api/v1/jobs/{job_id}/share": _OWN,
    "POST /api/v1/bulk": _OWN,
    "POST /api/v1/bulk-estimate": _OWN,
    "GET /api/v1/bulk": _OWN,
    "GET /api/v1/bulk/{bulk_id}": _OWN,
    "GET /api/v1/bulk/{bulk_id}/items": _OWN,
    "POST /api/v1/bulk/{bulk_id}/{change}": _OWN,
    "POST /api/v1/generation/kits": _OWN,
    "POST /api/v1/generation/kits/estimate": _OWN,
    "GET /api/v1/kits": _OWN,
    "GET /api/v1/kits/{kit_id}": _FOLLOW,
    "POST /api/v1/kits/{kit_id}/pick": _OWN,
    "POST /api/v1/kits/{kit_id}/cancel": _OWN,
    "POST /api/v1/brands": _OWN,
    "GET /api/v1/brands": _OWN,
    "GET /api/v1/brands/{brand_id}": _FOLLOW,
    "PATCH /api/v1/brands/{brand_id}": _OWN,
    "GET /api/v1/brands/{brand_id}/assets": _FOLLOW,
    "GET /api/v1/assets/{asset_id}": _FOLLOW,
    "POST /api/v1/assets/{asset_id}/select": _OWN,
    "GET /api/v1/products": _LOOK,
    "GET /api/v1/credits": _OWN,
    "GET /api/v1/costs": _LOOK,
    "GET /files/{key:path}": _OWN,
    "GET /api/v1/webhooks/default/secret": _OWN,
    "GET /api/v1/webhooks/endpoints": _OWN,
    "POST /api/v1/webhooks/endpoints": _OWN,
    "DELETE /api/v1/webhooks/endpoints/{endpoint_id}": _OWN,
    "POST /api/v1/webhooks/endpoints/{endpoint_id}/enable": _OWN,
    "GET /api/v1/webhooks/endpoints/{endpoint_id}/secret": _OWN,
    "POST /api/v1/webhooks/test": _OWN,
    "GET /api/v1/webhooks/deliveries": _OWN,
    "GET /api/v1/webhooks/deliveries/{delivery_id}": _OWN,
    "POST /api/v1/webhooks/deliveries/{delivery_id}/replay": _OWN,
    "POST /api/v1/webhooks/listen": _OWN,
    "POST /api/v1/webhooks/listen/{endpoint_id}": _OWN,
    "POST /api/v1/webhooks/listen/{endpoint_id}/{delivery_id}": _OWN,
    "POST /api/v1/session": _LOOK,
    "GET /api/v1/me": _LOOK,
    "POST /api/v1/events": _ACT_FOR,
    "POST /api/v1/tokens": _OWN,
    "GET /api/v1/shares": _OWN,
    "POST /api/v1/shares/{share_id}/revoke": _OWN,
    # operators
    "GET /api/v1/admin/queues": _SEE,
    "POST /api/v1/admin/queues/{queue}/pause": _OPERATE,
    "POST /api/v1/admin/queues/{queue}/resume": _OPERATE,
    "GET /api/v1/admin/workers": _SEE,
    "GET /api/v1/admin/overview": _SEE,
    "GET /api/v1/admin/jobs/{job_id}/calls": _SEE,
    "POST /api/v1/admin/probes": _OPERATE,
    "POST /api/v1/admin/workers/drain": _OPERATE,
    "POST /api/v1/admin/workers/scale": _OPERATE,
    "GET /api/v1/admin/alerts": _SEE,
    "POST /api/v1/admin/alerts/{alert_id}/ack": _OPERATE,
    "POST /api/v1/admin/alerts/mute": _OPERATE,
    "POST /api/v1/admin/alerts/unmute": _OPERATE,
    "GET /api/v1/admin/incidents": _SEE,
    "GET /api/v1/admin/incidents/{name}": _REVEAL,
    "GET /api/v1/admin/dlq": _SEE,
    "POST /api/v1/admin/dlq/replay": _OPERATE,
    "POST /api/v1/admin/dlq/purge": _ADMINISTER,
    "POST /api/v1/admin/credits": _ADMINISTER,
    "POST /api/v1/admin/bulk": _OPERATE,
    "POST /api/v1/admin/bulk-estimate": _OPERATE,
    "GET /api/v1/admin/bulk": _SEE,
    "GET /api/v1/admin/bulk/{bulk_id}": _SEE,
    "GET /api/v1/admin/bulk/{bulk_id}/items": _SEE,
    "POST /api/v1/admin/bulk/{bulk_id}/{change}": _OPERATE,
    "POST /api/v1/admin/keys": _ADMINISTER,
    "GET /api/v1/admin/keys": _ADMINISTER,
    "POST /api/v1/admin/keys/{key}/revoke": _ADMINISTER,
    "GET /api/v1/admin/audit": _REVEAL,
    # operators' pages
    "GET /admin": _SEE,
    "GET /admin/events": _SEE,
    "GET /admin/jobs": _SEE,
    "GET /admin/jobs/{job_id}": _SEE,
    "POST /admin/jobs/{job_id}/cancel": _OPERATE,
    "POST /admin/jobs/{job_id}/retry": _OPERATE,
    "GET /admin/dlq": _SEE,
    "GET /admin/bulk": _SEE,
    "GET /admin/bulk/new": _OPERATE,
    "POST /admin/bulk": _OPERATE,
    "GET /admin/bulk/{bulk_id}": _SEE,
    "POST /admin/bulk/{bulk_id}/{change}": _OPERATE,
    "POST /admin/queue/{queue}/{change}": _OPERATE,
    "POST /admin/alerts/{alert_id}/ack": _OPERATE,
    "POST /admin/alerts/mute": _OPERATE,
    "POST /admin/alerts/unmute": _OPERATE,
    "GET /admin/users": _REVEAL,
    "GET /admin/users/{user_id}": _REVEAL,
    "POST /admin/users/{user_id}/grant": _ADMINISTER,
    "GET /admin/audit": _REVEAL,
    # pages
    "GET /": _OWN,
    "GET /g/{brand_id}": _OWN,
    "GET /g/{brand_id}/{room}": _OWN,
    "GET /g/{brand_id}/compare": _OWN,
    "GET /g/{brand_id}/pictures.zip": _OWN,
    "POST /g/{brand_id}/look": _OWN,
    "POST /g/{brand_id}/products": _OWN,
    "POST /g/{brand_id}/bundles": _OWN,
    "POST /g/{brand_id}/films": _OWN,
    "POST /g/{brand_id}/words": _OWN,
    "POST /g/{brand_id}/share": _OWN,
    "POST /g/asset/{asset_id}/favorite": _OWN,
    "GET /g/job/{job_id}": _OWN,
    "GET /g/kit/{kit_id}": _OWN,
    "POST /g/kit/{kit_id}/cancel": _OWN,
    "POST /g/{brand_id}/kit": _OWN,
    "POST /g/new": _OWN,
    "POST /g/{brand_id}/logos": _OWN,
    "POST /g/asset/{asset_id}/refine": _OWN,
    "POST /g/asset/{asset_id}/pick": _OWN,
    "POST /g/job/{job_id}/cancel": _OWN,
    "POST /g/job/{job_id}/retry": _OWN,
    "POST /g/job/{job_id}/look": _OWN,
    "POST /g/job/{job_id}/share": _OWN,
    "GET /dev/mail": _OWN,
    "GET /dev/mail/{mail_id}": _OWN,
    "GET /dev/mail/{mail_id}/body": _OWN,
    "GET /dev/sandbox": _OWN,
    "GET /dev/webhooks": _OWN,
    "POST /dev/webhooks/{endpoint_id}/enable": _OWN,
    "GET /admin/queues": _REVEAL,  # rq-dashboard, below this path
}

NAMESPACES: dict[str, Needs] = {WIZARD: _FOLLOW, DASHBOARD: _FOLLOW, ADMIN: _SEE}

EVENTS: dict[tuple[str, str], Needs] = {
    (WIZARD, "brand:join"): _FOLLOW,
    (WIZARD, "brand:leave"): _FOLLOW,
    (WIZARD, "group:join"): _FOLLOW,
    (WIZARD, "group:leave"): _FOLLOW,
    (WIZARD, "user:join"): _OWN,
    (WIZARD, "user:leave"): _OWN,
    (WIZARD, "job:join"): _FOLLOW,
    (WIZARD, "job:leave"): _FOLLOW,
    (WIZARD, "job:status"): _FOLLOW,
    (WIZARD, "job:cancel"): _OWN,
    (DASHBOARD, "brand:watch"): _FOLLOW,
    (DASHBOARD, "brand:unwatch"): _FOLLOW,
    (DASHBOARD, "group:watch"): _FOLLOW,
    (DASHBOARD, "group:unwatch"): _FOLLOW,
    (ADMIN, "queues:stats"): _SEE,
    (ADMIN, "job:retry"): _OPERATE,
}

_REFUSED = {
    Right.OWN: "This belongs to users, and your role has nothing of its own",
    Right.ACT_FOR: "Service or admin access required",
}


def require(principal: Principal, needs: Needs) -> None:
    """Raises NotAllowed for a caller who has none of these rights."""
    if any(principal.may(right) for right in needs):
        return
    if principal.bounds:
        raise NotAllowed(_BOUNDED, hint="Ask with a token of its user, from your back end.")
    *others, last = roles_with(needs[-1])
    roles = f"{', '.join(others)} or {last}" if others else last
    raise NotAllowed(
        _REFUSED.get(needs[-1], ADMINS_ONLY), hint=f"It takes the role {roles}; yours is {principal.role.value}."
    )


def require_route(principal: Principal, request: HTTPConnection) -> None:
    """The same for the route that a request has found."""
    name = f"{method_of(request.scope)} {route_path_of(request.scope)}"
    require(principal, ROUTES.get(name, _ADMINISTER))


def may_join(principal: Principal, namespace: str) -> bool:
    """Whether a socket may be in a namespace."""
    return any(principal.may(right) for right in NAMESPACES.get(namespace, _ADMINISTER))


def require_event(principal: Principal, namespace: str, event: str) -> None:
    """Raises NotAllowed for a message that is not the caller's to send."""
    require(principal, EVENTS.get((namespace, event), _ADMINISTER))
