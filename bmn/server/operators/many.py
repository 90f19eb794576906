"""`/admin/bulk`: actions on many jobs: what one would come to, its beginning, how far it is, and what became of each job."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from bmn.db import job_store
from bmn.db.batches import bulk_store
from bmn.db.engine import Connection
from bmn.errors import UsageProblem
from bmn.schemas.base import JobId
from bmn.schemas.payloads import TERMINAL_STATES, JobState
from bmn.schemas.requests import ReasonBody
from bmn.server.access.dependencies import By, Res, acting
from bmn.server.access.revealing import Onlooker, Reason, Reveal, onlooker
from bmn.server.answers import views
from bmn.server.operators.admin_view import act_of
from bmn.server.operators.frame import Why, show
from bmn.server.pages import page_words
from bmn.server.pages.access import PageRoute, PayingVisitor
from bmn.server.routes.bulk_routes import Change, change_state, find_bulk, owner_for_operators
from bmn.server.usecases import bulk_requests

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_SHOWN = 200
_LISTED = 50


@router.get("/admin/bulk")
async def list_actions(request: Request, res: Res, visitor: Onlooker) -> Response:
    """The newest actions."""
    found = await res.core.db.read(lambda conn: bulk_store.listed(conn, None, limit=_LISTED))
    shown = [views.shown(views.bulk_action(row), visitor) for row in found]
    return show(request, visitor, "bulk_list.html", "bulk", actions=shown)


@router.get("/admin/bulk/new")
async def ask(request: Request, res: Res, visitor: Onlooker) -> Response:
    """What an action would come to, before anything is done."""
    asked = act_of(request.query_params)
    body = asked.body()
    owner_id = await owner_for_operators(res, visitor, body)
    expected, chosen = await bulk_requests.look(res, body, owner_id)
    fields = [
        (name, each)
        for name, value in body.dump().items()
        if name not in ("rate", "stopAt", "reason", "changes") and value
        for each in (value if isinstance(value, list) else [value])
    ]
    return show(
        request, visitor, "bulk_new.html", "bulk", asked=asked, body=body, expected=expected, fields=fields,
        sample=[each.job_id for each in chosen[:5]],
    )  # fmt: skip


@router.post("/admin/bulk")
async def begin(
    request: Request, res: Res, visitor: PayingVisitor, reveal: Reveal = False, reason: Reason = None
) -> Response:
    """Begins an action, or joins the same one that is open."""
    asked = act_of(await request.form())
    if not asked.reason:
        raise UsageProblem("Say why.", hint="The reason stands in the audit log.")
    body = asked.body()
    owner_id = await owner_for_operators(res, await onlooker(request, visitor, reveal, reason), body)
    begun, _ = await bulk_requests.start(res, body, owner_id, acting(visitor, request))
    return RedirectResponse(f"/admin/bulk/{begun.id}", 303)


@router.get("/admin/bulk/{bulk_id}")
async def show_action(request: Request, bulk_id: JobId, res: Res, visitor: Onlooker) -> Response:
    """How far it is, and how those that it brought back are."""

    def read(conn: Connection) -> tuple[bulk_store.Bulk, list[bulk_store.BulkItemRow], dict[str, JobState]]:
        found = find_bulk(conn, bulk_id, None)
        items = bulk_store.items(conn, bulk_id, state=None, after=0, limit=_SHOWN)
        return found, items, job_store.states(conn, [item.new_job_id or item.job_id for item in items])

    found, items, states = await res.core.db.read(read)
    brought = [states[item.new_job_id] for item in items if item.new_job_id in states]
    return show(
        request,
        visitor,
        "bulk.html",
        "bulk",
        action=views.shown(views.bulk_action(found), visitor),
        items=[views.shown(views.bulk_item(item), visitor) for item in items],
        states=states,
        brought=[(state, brought.count(state)) for state in JobState if state in brought],
        live=found.ended_at is None or any(state not in TERMINAL_STATES for state in brought),
        state_words=page_words.STATES,
    )


@router.post("/admin/bulk/{bulk_id}/{change}")
async def change_action(bulk_id: JobId, change: Change, res: Res, by: By, reason: Why) -> Response:
    """Pauses an action, lets it go on, or ends it."""
    why = ReasonBody(reason=reason).reason
    await res.core.db.write(lambda conn: change_state(conn, bulk_id, None, change, by, why))
    return RedirectResponse(f"/admin/bulk/{bulk_id}", 303)
