"""Receivers of webhooks that have said that they are gone (HTTP 410): they get nothing more, as Standard Webhooks asks.

An endpoint of an account is disabled until its owner enables it. An address that a submission named is taken out of what
that submission has made: its job, the other jobs of its group, and what its kit is still to order.
"""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, and_, or_, select, update

from bmn.db.hooks.webhook_store import drop_where, get_endpoint
from bmn.db.records import DeliveryRow, EndpointRow, Hook
from bmn.db.tables import db_now, jobs, kits, webhook_deliveries, webhook_endpoints
from bmn.errors import Conflict

GONE = 410
WHY = f"The receiver answered HTTP {GONE} (Gone)."

_OF = webhook_deliveries.c


def forget(conn: Connection, delivery: DeliveryRow) -> None:
    """Stops whatever else would go to a delivery's receiver, which has answered that it is gone."""
    if delivery.endpoint_id is not None:
        _disable(conn, delivery.endpoint_id)
    else:
        _forget_address(conn, delivery)


def enable(conn: Connection, endpoint_id: str, user_id: str) -> EndpointRow:
    """The endpoint gets events again, from the next one on. Raises NotFound."""
    get_endpoint(conn, endpoint_id, user_id)
    again = update(webhook_endpoints).where(webhook_endpoints.c.id == endpoint_id)
    conn.execute(again.values(disabled_at=None, disabled_reason=None))
    return get_endpoint(conn, endpoint_id, user_id)


def check_hears(endpoint: EndpointRow) -> None:
    """Raises Conflict for an endpoint that is disabled."""
    if endpoint.disabled_at is not None:
        raise Conflict(
            f"The webhook endpoint {endpoint.id} is disabled: {endpoint.disabled_reason}",
            hint=f"`bmn webhooks enable {endpoint.id}` enables it again.",
        )


def _disable(conn: Connection, endpoint_id: str) -> None:
    first = and_(webhook_endpoints.c.id == endpoint_id, webhook_endpoints.c.disabled_at.is_(None))
    conn.execute(update(webhook_endpoints).where(first).values(disabled_at=db_now(), disabled_reason=WHY))
    drop_where(conn, f"Its endpoint is disabled: {WHY}", _OF.endpoint_id == endpoint_id)


def _forget_address(conn: Connection, delivery: DeliveryRow) -> None:
    group = conn.execute(select(jobs.c.group_id).where(jobs.c.id == delivery.job_id)).scalar()
    same = or_(jobs.c.id == delivery.job_id, jobs.c.group_id == group) if group else jobs.c.id == delivery.job_id
    query = select(jobs.c.id, jobs.c.webhooks).where(same).order_by(jobs.c.id).with_for_update()
    found = conn.execute(query).all()
    for row in found:
        hooks = Hook.read(row.webhooks)
        kept = [asdict(hook) for hook in hooks if hook.endpoint_id or hook.url != delivery.url]
        if len(kept) < len(hooks):
            conn.execute(update(jobs).where(jobs.c.id == row.id).values(webhooks=kept or None))
    if group:
        _forget_in_kit(conn, group, delivery.url)
    to_it = (_OF.endpoint_id.is_(None), _OF.url == delivery.url, _OF.user_id == delivery.user_id)
    drop_where(conn, f"Nothing more is sent there: {WHY}", *to_it, _OF.job_id.in_([row.id for row in found]))


def _forget_in_kit(conn: Connection, kit_id: str, url: str) -> None:
    query = select(kits.c.plan).where(kits.c.id == kit_id).with_for_update()
    plan: dict[str, Any] = conn.execute(query).scalar() or {}
    if plan.get("webhookUrl") == url:
        kept = {name: value for name, value in plan.items() if name not in ("webhookUrl", "webhookEvents")}
        conn.execute(update(kits).where(kits.c.id == kit_id).values(plan=kept))
