"""`/admin`: what runs, waits, fails and costs; what is wrong and who has it; who works; and the switches of the queues."""

import time
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import StringConstraints

from bmn.format import count, usd
from bmn.schemas.base import Text
from bmn.schemas.documents import Costs
from bmn.schemas.requests import MuteBody, PauseBody, ReasonBody, UnmuteBody
from bmn.server.access.dependencies import By, Res
from bmn.server.operators import plots
from bmn.server.operators.frame import Why, show
from bmn.server.operators.plots import REACHES, Span
from bmn.server.pages.access import PageRoute, Visitor
from bmn.server.routes import admin_routes, alert_routes, fleet_routes, record_routes
from bmn.server.routes.alert_routes import AlertId

router = APIRouter(include_in_schema=False, route_class=PageRoute)


def in_relation(costs: Costs) -> str:
    """What users were charged for what providers cost, in a line: `for 16 credits charged to users: $0.02 each; …`."""
    price, credits = costs.total_usd + costs.sandboxed_usd, costs.credits_charged
    parts = [f"for {count(credits, 'credit')} charged to users"] if price or credits else []
    if price and credits:
        parts = [f"{parts[0]}: {usd(price / credits)} each"]
    if costs.sandboxed_usd:
        whole = "all" if not costs.total_usd else usd(costs.sandboxed_usd)
        parts.append(f"{whole} of it the sandbox's, which nobody pays")
    if costs.usd_estimated:
        parts.append(f"{usd(costs.usd_estimated)} was expected")
    return "; ".join(parts)


Kind = Annotated[Text, StringConstraints(max_length=32), Form()]
Seconds = Annotated[int, Form(ge=1, le=30 * 86_400)]
_CLOCKS: dict[Span, str] = {"hour": "%H:%M", "day": "%H:%M", "week": "%a %H:%M"}


@router.get("/admin")
async def desk(request: Request, res: Res, visitor: Visitor, span: Span = "hour") -> Response:
    """What one looks at first, at three in the morning."""
    now, reach = time.time(), REACHES[span]
    past = await res.core.db.read(lambda conn: plots.read(conn, span, now))
    found = await alert_routes.list_alerts(res, visitor)
    working = await fleet_routes.list_workers(res, visitor)
    costs = await record_routes.show_costs(res, visitor, since=float(reach.seconds), everyone=True)
    return show(
        request,
        visitor,
        "desk.html",
        "desk",
        span=span,
        spans=list(REACHES),
        seconds=reach.seconds,
        now=now,
        past=past,
        plots=plots.drawn(past, lambda at: datetime.fromtimestamp(at, UTC).strftime(_CLOCKS[span])),
        size=(plots.WIDTH, plots.HEIGHT),
        alerts=found.alerts,
        mutes=found.mutes,
        queues=(await admin_routes.list_queues(res, visitor)).queues,
        workers=working,
        releases=sorted({worker.release for worker in working.workers if worker.release and worker.state != "lost"}),
        price=usd(costs.total_usd + costs.sandboxed_usd),
        relation=in_relation(costs),
    )


@router.post("/admin/queue/{queue}/{change}")
async def switch(queue: str, change: Literal["pause", "resume"], res: Res, by: By, reason: Why) -> Response:
    """Pauses a queue, or lets it go on."""
    if change == "pause":
        await admin_routes.pause_queue(queue, res, by, PauseBody(reason=reason))
    else:
        await admin_routes.resume_queue(queue, res, by, ReasonBody(reason=reason))
    return RedirectResponse("/admin", 303)


@router.post("/admin/alerts/{alert_id}/ack")
async def take_up(alert_id: AlertId, res: Res, by: By, reason: Why) -> Response:
    """The visitor has it."""
    await alert_routes.acknowledge(alert_id, res, by, ReasonBody(reason=reason))
    return RedirectResponse("/admin", 303)


@router.post("/admin/alerts/mute")
async def mute(res: Res, by: By, kind: Kind, reason: Why, seconds: Seconds = 3600) -> Response:
    """Nobody is told of a kind for a while."""
    await alert_routes.mute(MuteBody(kind=kind, seconds=float(seconds), reason=reason), res, by)
    return RedirectResponse("/admin", 303)


@router.post("/admin/alerts/unmute")
async def unmute(res: Res, by: By, kind: Kind, reason: Why) -> Response:
    """What lasts of a kind is told again."""
    await alert_routes.unmute(UnmuteBody(kind=kind, reason=reason), res, by)
    return RedirectResponse("/admin", 303)
