"""Actions on many jobs: `/api/v1/bulk` on one's own, `/api/v1/admin/bulk` on everybody's."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request

from bmn.db.accounts import audit_store
from bmn.db.batches import bulk_store
from bmn.db.batches.bulk_store import Bulk, State
from bmn.db.engine import Connection
from bmn.db.lists.paging import write_cursor
from bmn.errors import Conflict, NotAllowed, NotFound
from bmn.identity.rights import Right
from bmn.identity.tokens import Principal
from bmn.schemas import documents
from bmn.schemas.base import JobId
from bmn.schemas.requests import BulkBody, ReasonBody
from bmn.server.access.asking import AskingRoute
from bmn.server.access.dependencies import By, Caller, GenerationCaller, Res, acting
from bmn.server.access.permissions import require
from bmn.server.access.refusals import ANY_CALLER, refusals
from bmn.server.access.revealing import Looker, Reason, Reveal, looker
from bmn.server.access.scope import check_words, scope_of
from bmn.server.answers import views
from bmn.server.state.resources import Resources
from bmn.server.usecases import bulk_requests
from bmn.server.usecases.translation import check_files, strings_in

own = APIRouter(prefix="/api/v1", tags=["bulk"], responses=ANY_CALLER, route_class=AskingRoute)
operators = APIRouter(prefix="/api/v1/admin", tags=["admin"], responses=ANY_CALLER, route_class=AskingRoute)

Change = Literal["pause", "resume", "abort"]
_CHANGES: dict[Change, tuple[State, tuple[State, ...]]] = {
    "pause": ("paused", ("running",)),
    "resume": ("running", ("paused",)),
    "abort": ("aborted", ("running", "paused")),
}
_BEGUN = refusals(404, 409, 413)


async def owner_for_operators(res: Resources, principal: Principal, body: BulkBody | None) -> str | None:
    """Whose jobs alone an operator means; None for everybody's. Raises NotAllowed for what is for admins, and for words."""
    if body is not None and (body.action == "purge" or body.changes):
        require(principal, (Right.ADMINISTER,))
    if body is None:
        return None
    owner_id = await scope_of(res, principal, body.user, everyone=body.user is None)
    check_words(principal, body.text, owner_id)
    return owner_id


async def _owner_of_own(res: Resources, principal: Principal, body: BulkBody | None) -> str:
    """The caller. Raises NotAllowed for what is for operators."""
    if body is not None and (body.action in ("replay", "purge") or body.user is not None):
        raise NotAllowed("Only operators act on dead letters and on the jobs of others.")
    return principal.user_id


def _slowed(res: Resources, body: BulkBody) -> BulkBody:
    """No faster than a user may submit one by one."""
    most = res.settings.bmn_generations_per_minute / 60
    if not most or body.action != "retry":
        return body
    return body.model_copy(update={"rate": min(body.rate or most, most)})


OwnerOf = Callable[[Resources, Principal, BulkBody | None], Awaitable[str | None]]
"""Whose jobs alone a caller means; None for everybody's."""


def _add_beginning(router: APIRouter, owner_of: OwnerOf) -> None:
    # Not below /bulk: there it would be an action of that name for whoever asks with another method.
    @router.post("/bulk-estimate", responses=refusals(404, 413))
    async def estimate_bulk(body: BulkBody, res: Res, principal: Looker) -> documents.BulkEstimate:
        """What an action would come to; nothing is stored."""
        owner_id = await owner_of(res, principal, body)
        return (await bulk_requests.look(res, body, owner_id))[0]

    @router.post("/bulk", status_code=202, responses=_BEGUN)
    async def start_bulk(
        body: BulkBody,
        res: Res,
        principal: GenerationCaller,
        request: Request,
        reveal: Reveal = False,
        reason: Reason = None,
    ) -> documents.BulkAction:
        """Begins an action, whose jobs are chosen now; the same one that is open is joined. 404 where no job is left."""
        owner_id = await owner_of(res, await looker(request, principal, reveal, reason), body)
        await check_files(res, principal, strings_in(body.changes))
        asked = _slowed(res, body) if router is own else body
        found, joined = await bulk_requests.start(res, asked, owner_id, acting(principal, request))
        return views.shown(views.bulk_action(found, joined=joined), principal)


def _add_looking(router: APIRouter, owner_of: OwnerOf) -> None:
    @router.get("/bulk")
    async def list_bulk(
        res: Res,
        principal: Looker,
        limit: Annotated[int, Query(ge=1, le=200)] = 20,
        cursor: Annotated[str | None, Query(max_length=400)] = None,
    ) -> documents.BulkPage:
        """Newest first."""
        owner_id = await owner_of(res, principal, None)
        found = await res.core.db.read(lambda conn: bulk_store.listed(conn, owner_id, limit=limit + 1, cursor=cursor))
        last = found[limit - 1] if len(found) > limit else None
        page = documents.BulkPage(
            bulk=[views.bulk_action(row) for row in found[:limit]],
            next_cursor=write_cursor(last.created_at, last.id) if last else None,
        )
        return views.shown(page, principal)

    @router.get("/bulk/{bulk_id}", responses=refusals(404))
    async def show_bulk(bulk_id: JobId, res: Res, principal: Looker) -> documents.BulkAction:
        """How far it is."""
        owner_id = await owner_of(res, principal, None)
        found = await res.core.db.read(lambda conn: find_bulk(conn, bulk_id, owner_id))
        return views.shown(views.bulk_action(found), principal)


def _add_going_on(router: APIRouter, owner_of: OwnerOf) -> None:
    @router.get("/bulk/{bulk_id}/items", responses=refusals(404))
    async def list_bulk_items(
        bulk_id: JobId,
        res: Res,
        principal: Caller,
        state: bulk_store.ItemState | None = None,
        after: Annotated[int, Query(ge=0, le=bulk_store.MOST)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    ) -> documents.BulkItems:
        """Its jobs in their order, and what became of each."""
        owner_id = await owner_of(res, principal, None)

        def read(conn: Connection) -> list[bulk_store.BulkItemRow]:
            find_bulk(conn, bulk_id, owner_id)
            return bulk_store.items(conn, bulk_id, state=state, after=after, limit=limit + 1)

        found = await res.core.db.read(read)
        further = found[limit - 1].number if len(found) > limit else None
        shown = [views.bulk_item(row) for row in found[:limit]]
        return views.shown(documents.BulkItems(items=shown, next_after=further), principal)

    @router.post("/bulk/{bulk_id}/{change}", responses=_BEGUN)
    async def change_bulk(
        bulk_id: JobId, change: Change, res: Res, principal: Caller, by: By, body: ReasonBody | None = None
    ) -> documents.BulkAction:
        """pause: no further job. resume: it goes on. abort: it ends; what is done stays done. 409 where it has ended."""
        owner_id = await owner_of(res, principal, None)
        reason = (body or ReasonBody()).reason
        found = await res.core.db.write(lambda conn: change_state(conn, bulk_id, owner_id, change, by, reason))
        return views.shown(views.bulk_action(found), principal)


def find_bulk(conn: Connection, bulk_id: str, owner_id: str | None) -> Bulk:
    """Raises NotFound for one that is not there, or not theirs."""
    found = bulk_store.get(conn, bulk_id, owner_id)
    if found is None:
        raise NotFound("Bulk action not found", hint="The list of bulk actions shows what there is.")
    return found


def change_state(
    conn: Connection, bulk_id: str, owner_id: str | None, change: Change, by: str, reason: str | None
) -> Bulk:
    found = find_bulk(conn, bulk_id, owner_id)
    state, among = _CHANGES[change]
    if found.state == state:
        return found
    if not bulk_store.change_state(conn, bulk_id, state, among=among):
        raise Conflict(
            f"This bulk action is {found.state}.", hint="Start it again for what is left.", state=found.state
        )
    audit_store.note(conn, by, f"bulk.{change}", bulk_id, reason=reason, before={"state": found.state})
    return find_bulk(conn, bulk_id, owner_id)


for _add in (_add_beginning, _add_looking, _add_going_on):
    _add(own, _owner_of_own)
    _add(operators, owner_for_operators)
router = APIRouter()
router.routes += [*own.routes, *operators.routes]
