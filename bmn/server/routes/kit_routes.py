"""Kits: a whole brand out of one request; begun here, carried on by the workers."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request

from bmn.broker import redis_keys
from bmn.db import job_store
from bmn.db.accounts import credit_store
from bmn.db.batches import kit_store
from bmn.db.engine import Connection
from bmn.db.library import brand_store
from bmn.db.lists.paging import write_cursor
from bmn.errors import NotFound
from bmn.identity.rights import Right
from bmn.jobs import budgets
from bmn.jobs.submission import Idempotent, warning
from bmn.schemas import documents
from bmn.schemas.base import Id
from bmn.schemas.kind import NEW_BRAND
from bmn.schemas.kit_requests import KitBody, KitEstimate
from bmn.schemas.requests import PickBody, ReasonBody
from bmn.server.access.asking import AskingRoute
from bmn.server.access.dependencies import By, Caller, GenerationCaller, IdempotencyKey, Res, owner_filter, request_id
from bmn.server.access.refusals import ANY_CALLER, refusals
from bmn.server.access.revealing import Looker
from bmn.server.answers import views
from bmn.server.answers.kit_views import kit_documents
from bmn.server.state.resources import Resources
from bmn.server.usecases.translation import receiver
from bmn.server.usecases.watched import note_watched
from bmn.work.kits import course
from bmn.work.kits.plan import StepCost, plan_of, prices, queue_of

router = APIRouter(prefix="/api/v1", tags=["kits"], responses=ANY_CALLER, route_class=AskingRoute)

KitPath = Id
KitState = Literal["running", "picking", "held", "done", "cancelled"]


@router.post("/generation/kits", status_code=202, responses=refusals(402, 404, 409, 413))
async def start_kit(
    body: KitBody, request: Request, res: Res, principal: GenerationCaller, key: IdempotencyKey = None
) -> documents.Kit:
    """A whole brand: logos, a pick, mockups, a bundle, a video, each ordered when the one before is there.

    402 where the balance does not cover all of it. Without `pick` it waits until a logo of the brand is selected.
    """
    if body.webhook_url:
        receiver(res.settings, body.webhook_url)
    idempotent = Idempotent.of(key, {"kit": body.dump()}) if key else None
    kit, is_new = await course.start(
        res.core, principal.user_id, body, idempotent=idempotent, request_id=request_id(request)
    )
    if not is_new:
        await res.limit.give_back(request.scope)
    return await _shown(res, kit.id)


@router.post("/generation/kits/estimate", responses=refusals(404, 413))
async def estimate_kit(body: KitEstimate, res: Res, principal: Caller) -> documents.KitPrice:
    """What a kit would come to, step by step; nothing is stored. Without `brandId` for a brand that is not made yet."""

    if body.webhook_url:
        receiver(res.settings, body.webhook_url)
    if body.brand_id == NEW_BRAND:
        await res.limit.check_room(principal.user_id)

    def read(conn: Connection) -> documents.KitPrice:
        brand = None if body.brand_id == NEW_BRAND else brand_store.get(conn, body.brand_id, principal.user_id)
        priced = prices(conn, res.settings, plan_of(conn, body), brand)
        if brand is None and priced:  # who asks is about to make it: an order that is refused would leave it behind
            budgets.check(conn, res.core, principal.user_id, priced[0].found.credits, priced[0].found.usd)
        paused = next(filter(None, (warning(conn, queue_of(each.step).name) for each in priced)), None)
        return documents.KitPrice(
            steps=[_step_price(conn, each) for each in priced],
            credits=sum(each.found.credits for each in priced),
            credits_available=credit_store.balance(conn, principal.user_id).remaining,
            credits_promised=kit_store.promised(conn, principal.user_id),
            usd=round(sum(each.found.usd for each in priced), 6),
            usd_sandboxed=round(sum(each.found.usd for each in priced if each.found.sandboxed), 6),
            sandboxed=all(each.found.sandboxed for each in priced),
            warning=paused,
        )

    return await res.core.db.read(read)


def _step_price(conn: Connection, each: StepCost) -> documents.KitStepPrice:
    found = each.found
    return documents.KitStepPrice(
        step=each.step,
        jobs=each.jobs,
        credits=found.credits,
        usd=found.usd,
        prompts=found.prompts,
        sandboxed=found.sandboxed,
        unknown=each.unknown,
        expected=views.expected(job_store.durations(conn, queue_of(each.step).name)),
    )


@router.get("/kits")
async def list_kits(
    res: Res,
    principal: Caller,
    brand: Annotated[Id | None, Query()] = None,
    state: Annotated[KitState | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
) -> documents.KitPage:
    """The caller's kits, newest first."""

    def read(conn: Connection) -> documents.KitPage:
        rows = kit_store.listed(conn, principal.user_id, brand_id=brand, state=state, limit=limit + 1, cursor=cursor)
        last = rows[limit - 1] if len(rows) > limit else None
        return documents.KitPage(
            kits=kit_documents(conn, rows[:limit]),
            next_cursor=write_cursor(last.created_at, last.id) if last else None,
        )

    return await res.core.db.read(read)


@router.get("/kits/{kit_id}", responses=refusals(404))
async def show_kit(kit_id: KitPath, res: Res, principal: Looker) -> documents.Kit:
    """A kit, its steps and their jobs."""
    owner = owner_filter(principal, Right.OPERATE)
    shown = await _shown(res, kit_id, owner)
    await note_watched(res.core.redis, redis_keys.kit_at(shown.group_id, shown.state), principal, shown.user_id)
    return views.shown(shown, principal)


@router.post("/kits/{kit_id}/pick", responses=refusals(404, 409, 413))
async def pick_logo(kit_id: KitPath, body: PickBody, res: Res, principal: Caller) -> documents.Kit:
    """Picks the logo that a kit waits for; selecting a logo of the brand does the same. 409 where it waits for none."""
    await course.pick(res.core, kit_id, body.asset_id, principal.user_id)
    return await _shown(res, kit_id)


@router.post("/kits/{kit_id}/cancel", responses=refusals(404, 409, 413))
async def cancel_kit(
    kit_id: KitPath, res: Res, principal: Caller, by: By, body: ReasonBody | None = None
) -> documents.Kit:
    """Ends a kit: nothing more is ordered, its open jobs are cancelled. 409 for one that has ended."""
    owner = owner_filter(principal, Right.OPERATE)
    await course.cancel(res.core, kit_id, by, user_id=owner, reason=(body or ReasonBody()).reason)
    return views.shown(await _shown(res, kit_id), principal)


async def _shown(res: Resources, kit_id: str, owner: str | None = None) -> documents.Kit:
    found = await res.core.db.read(lambda conn: kit_documents(conn, [kit_store.get(conn, kit_id, owner)]))
    if not found:
        raise NotFound("Kit not found")
    return found[0]
