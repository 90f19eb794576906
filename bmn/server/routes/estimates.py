"""Dry runs: a generator's body is checked and priced, and nothing is stored."""

from collections.abc import Sequence

from fastapi import APIRouter

from bmn.db import brands, credits, jobs, queues
from bmn.db.engine import Connection
from bmn.errors import NotFound
from bmn.identity.tokens import Principal
from bmn.jobs.submission import warning
from bmn.schemas import documents, requests
from bmn.schemas.payloads import WAITING_STATES, Payload
from bmn.server import views
from bmn.server.dependencies import Caller, Res
from bmn.server.refusals import ANY_CALLER, refusals
from bmn.server.resources import Resources
from bmn.server.submissions import GeneratorBody, payloads_of
from bmn.work.estimates import estimate

router = APIRouter(prefix="/api/v1/generation", tags=["generation"])

_REFUSALS = ANY_CALLER | refusals(404, 413)


@router.post("/logos/estimate", responses=_REFUSALS)
async def logos(body: requests.LogosEstimate, res: Res, principal: Caller) -> documents.Estimate:
    """What logos would ask for and cost; without `brandId` for a brand that is not made yet."""
    return await _estimate(res, principal, "logo-generation", body)


@router.post("/mockups/estimate", responses=_REFUSALS)
async def mockups(body: requests.MockupsBody, res: Res, principal: Caller) -> documents.Estimate:
    """What mockups would ask for and cost."""
    return await _estimate(res, principal, "mockup-generation", body)


@router.post("/bundles/estimate", responses=_REFUSALS)
async def bundles(body: requests.BundlesBody, res: Res, principal: Caller) -> documents.Estimate:
    """What a bundle would ask for and cost."""
    return await _estimate(res, principal, "bundle-composition", body)


@router.post("/videos/estimate", responses=_REFUSALS)
async def videos(body: requests.VideosBody, res: Res, principal: Caller) -> documents.Estimate:
    """What a video would ask for and cost."""
    return await _estimate(res, principal, "video-generation", body)


@router.post("/wizard/estimate", responses=_REFUSALS)
async def wizard(body: requests.WizardBody, res: Res, principal: Caller) -> documents.Estimate:
    """What a step of the wizard would ask for and usually costs."""
    return await _estimate(res, principal, "brand-wizard", body)


async def _estimate(res: Resources, principal: Principal, queue: str, body: GeneratorBody) -> documents.Estimate:
    asked = await payloads_of(res, principal, body)

    def read(conn: Connection) -> tuple[Sequence[Payload], int, int, list[float], str | None]:
        if body.brand_id != requests.NEW_BRAND and not brands.owns(conn, principal.user_id, body.brand_id):
            raise NotFound("Brand not found")
        waiting = sum(queues.counts(conn).get(queue, {}).get(state, 0) for state in WAITING_STATES)
        available = credits.balance(conn, principal.user_id).remaining
        payloads = asked(conn) if callable(asked) else asked
        return payloads, available, waiting, jobs.durations(conn, queue), warning(conn, queue)

    payloads, available, waiting, durations, paused = await res.core.db.read(read)
    found = estimate(res.settings, queue, payloads)
    return documents.Estimate(
        prompts=found.prompts,
        credits=found.credits,
        credits_available=available,
        usd=found.usd,
        sandboxed=found.sandboxed,
        waiting=waiting,
        warning=paused,
        expected=views.expected(durations),
    )
