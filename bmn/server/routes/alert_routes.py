"""Alerts and incidents: what is wrong, who has it, whom it hurt, what mends it."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from bmn.db.engine import Connection
from bmn.db.operators import alert_store, incidents
from bmn.errors import NotFound, suggest
from bmn.jobs.alert_finders import NEXT_STEPS
from bmn.schemas import documents
from bmn.schemas.base import Text
from bmn.schemas.requests import MuteBody, ReasonBody, UnmuteBody
from bmn.server.access.asking import AskingRoute
from bmn.server.access.dependencies import By, Caller, Res
from bmn.server.access.refusals import ANY_CALLER, refusals
from bmn.server.answers import incident_views, operator_views, views

router = APIRouter(prefix="/api/v1/admin", tags=["admin"], responses=ANY_CALLER, route_class=AskingRoute)

Words = Annotated[Text | None, Query(max_length=200)]
AlertId = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/alerts")
async def list_alerts(
    res: Res,
    principal: Caller,
    kind: Words = None,
    ended: Annotated[bool, Query(description="those over, too")] = False,
) -> documents.Alerts:
    """What is wrong now, the newest first; a hundred at most; and the kinds that are muted."""
    found, muted = await res.core.db.read(
        lambda conn: (alert_store.listed(conn, ended=ended, kind=kind), alert_store.mutes(conn))
    )
    shown = documents.Alerts(
        alerts=[operator_views.alert(row) for row in found], mutes=[operator_views.alert_mute(mute) for mute in muted]
    )
    return views.shown(shown, principal)


@router.post("/alerts/{alert_id}/ack", responses=refusals(404, 409, 413))
async def acknowledge(alert_id: AlertId, res: Res, by: By, body: ReasonBody | None = None) -> documents.AlertRecord:
    """The caller has taken it up. 409 for one that is over, or that somebody else has."""
    reason = (body or ReasonBody()).reason
    row = await res.core.db.write(lambda conn: alert_store.acknowledge(conn, alert_id, by=by, reason=reason))
    return operator_views.alert(row)


@router.post("/alerts/mute", responses=refusals(404, 413))
async def mute(body: MuteBody, res: Res, by: By) -> documents.AlertMutes:
    """Nobody is told of a kind for so long; what lasts until then is told then."""
    _check_kind(body.kind)

    def act(conn: Connection) -> list[alert_store.Mute]:
        alert_store.mute(conn, body.kind, seconds=body.seconds, by=by, reason=body.reason)
        return alert_store.mutes(conn)

    return _mutes(await res.core.db.write(act))


@router.post("/alerts/unmute", responses=refusals(404, 413))
async def unmute(body: UnmuteBody, res: Res, by: By) -> documents.AlertMutes:
    """What lasts is told at once."""
    _check_kind(body.kind)

    def act(conn: Connection) -> list[alert_store.Mute]:
        alert_store.unmute(conn, body.kind, by=by, reason=body.reason)
        return alert_store.mutes(conn)

    return _mutes(await res.core.db.write(act))


@router.get("/incidents")
async def list_incidents(res: Res, principal: Caller) -> documents.Incidents:
    """What is going on: the open alerts, and the causes that end more jobs this hour than they usually do."""
    found, surges = await res.core.db.read(lambda conn: (alert_store.listed(conn), incidents.surges(conn)))
    return views.shown(incident_views.incidents(found, surges), principal)


@router.get("/incidents/{name}", responses=refusals(404))
async def show_incident(
    name: Annotated[Text, Path(max_length=32)],
    res: Res,
    principal: Caller,
    since: Annotated[
        float | None, Query(gt=0, le=30 * 86_400, description="seconds ago; a day where none is given")
    ] = None,
) -> documents.Incident:
    """name: a cause, or the number of an alert. Whom it hurt, what is healed, and the one command that mends the rest."""
    account = await res.core.db.read(lambda conn: incidents.account(conn, name, since=since or incidents.DAY))
    return views.shown(incident_views.incident(account), principal)


def _check_kind(kind: str) -> None:
    """Raises NotFound."""
    if kind not in NEXT_STEPS:
        raise NotFound(f"There is no kind of alert called {kind}.", hint=suggest(kind, "kinds", NEXT_STEPS))


def _mutes(found: list[alert_store.Mute]) -> documents.AlertMutes:
    return documents.AlertMutes(mutes=[operator_views.alert_mute(mute) for mute in found])
