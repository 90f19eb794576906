"""Dry runs: a generator's body is checked and priced, and nothing is stored."""

from collections.abc import Sequence

from fastapi import APIRouter

from bmn.db import job_store
from bmn.db.accounts import credit_store
from bmn.db.engine import Connection
from bmn.db.library import brand_store
from bmn.db.operators import queue_store
from bmn.errors import NotFound
from bmn.identity.tokens import Principal
from bmn.jobs import budgets
from bmn.jobs.outages import in_service
from bmn.jobs.submission import warning
from bmn.schemas import documents
from bmn.schemas.generators import KINDS
from bmn.schemas.kind import GeneratorBody, Kind
from bmn.schemas.payloads import WAITING_STATES, Payload
from bmn.server.access.asking import AskingRoute
from bmn.server.access.dependencies import Caller, Res
from bmn.server.access.refusals import ANY_CALLER, refusals
from bmn.server.answers import views
from bmn.server.state.resources import Resources
from bmn.server.usecases.translation import payloads_of, terms_of
from bmn.work.estimates import estimate

router = APIRouter(prefix="/api/v1/generation", tags=["generation"], route_class=AskingRoute)

_REFUSALS = ANY_CALLER | refusals(403, 404, 413)


def add_route(kind: Kind) -> None:
    """`POST /generation/{name}/estimate`, which takes what the generator takes."""

    async def estimated(body: GeneratorBody, res: Res, principal: Caller) -> documents.Estimate:
        return await _estimate(res, principal, kind, body)

    estimated.__name__, estimated.__doc__ = kind.name, kind.estimate_text
    estimated.__annotations__["body"] = kind.estimate or kind.body
    router.post(f"/{kind.name}/estimate", responses=_REFUSALS)(estimated)


async def _estimate(res: Resources, principal: Principal, kind: Kind, body: GeneratorBody) -> documents.Estimate:
    queue = kind.queue
    terms_of(res.settings, principal, kind, body)
    asked = await payloads_of(res, principal, kind, body)

    def read(conn: Connection) -> tuple[Sequence[Payload], int, int, list[float], str | None, str | None]:
        if body.imagined() is None and not brand_store.owns(conn, principal.user_id, body.brand_id):
            raise NotFound("Brand not found")
        waiting = sum(queue_store.counts(conn).get(queue, {}).get(state, 0) for state in WAITING_STATES)
        available = credit_store.balance(conn, principal.user_id).remaining
        payloads = asked(conn) if callable(asked) else asked
        maker = in_service(conn, res.settings, res.core.queue(queue))
        return payloads, available, waiting, job_store.durations(conn, queue), warning(conn, queue), maker

    payloads, available, waiting, durations, paused, maker = await res.core.db.read(read)
    found = estimate(res.settings, queue, payloads, maker)
    if body.imagined() is not None:  # who asks is about to make the brand, and an order that is refused would leave it
        await res.limit.check_room(principal.user_id)
        await res.core.db.read(lambda conn: budgets.check(conn, res.core, principal.user_id, found.credits, found.usd))
    return documents.Estimate(
        prompts=found.prompts,
        credits=found.credits,
        credits_available=available,
        usd=found.usd,
        sandboxed=found.sandboxed,
        waiting=waiting,
        warning=paused,
        expected=views.expected(durations),
        attempt_seconds=res.core.queue(queue).timeout * res.settings.bmn_timeout_scale,
    )


for each in KINDS.values():
    add_route(each)
