"""What is to be delivered to the receivers of webhooks, and what became of it: the outbox, and the log that people read.

    pending ──> delivered | failed | dropped (nobody is to hear it any more)

The queue `webhook-delivery` has a job for each (`bmn.work.webhooks`).
"""

from typing import Any

from sqlalchemy import Connection, and_, or_, select, update

from bmn.db.hooks.gone import check_hears
from bmn.db.lists.paging import read_cursor, write_cursor
from bmn.db.records import DeliveryRow, DeliveryState, EndpointRow
from bmn.db.tables import db_now, jobs, webhook_deliveries, webhook_endpoints
from bmn.errors import Conflict, NotFound

_OF = webhook_deliveries.c


def waiting(conn: Connection, limit: int) -> list[DeliveryRow]:
    """Deliveries that no job has been made for, oldest first; until the transaction ends nobody else gets them."""
    listeners = select(webhook_endpoints.c.id).where(webhook_endpoints.c.listening_until.is_not(None))
    mine = or_(_OF.endpoint_id.is_(None), _OF.endpoint_id.not_in(listeners))
    query = select(webhook_deliveries).where(_OF.state == DeliveryState.PENDING, _OF.delivery_job.is_(None), mine)
    query = query.order_by(_OF.created_at).limit(limit).with_for_update(skip_locked=True)
    return [DeliveryRow.from_row(row) for row in conn.execute(query)]


def hand_over(conn: Connection, delivery_id: str, job_id: str) -> None:
    """Notes the job that delivers it from now on."""
    conn.execute(update(webhook_deliveries).where(_OF.id == delivery_id).values(delivery_job=job_id))


def drop(conn: Connection, delivery_id: str, why: str) -> int:
    """Nobody is to hear it any more."""
    dropped = update(webhook_deliveries).where(_OF.id == delivery_id, _OF.state == DeliveryState.PENDING)
    return conn.execute(dropped.values(state=DeliveryState.DROPPED, error=why, ended_at=db_now())).rowcount


def close_abandoned(conn: Connection) -> int:
    """Lists as failed what a job was to deliver that has ended without: cancelled, or for a defect. Returns how many."""
    handed = (_OF.state == DeliveryState.PENDING, _OF.delivery_job.is_not(None))
    query = select(_OF.id, jobs.c.state, jobs.c.error).join(jobs, jobs.c.id == _OF.delivery_job)
    found = conn.execute(query.where(*handed, jobs.c.completed_at.is_not(None)).limit(200)).all()
    for row in found:
        why = f"Its job is over: {row.error or f'{row.state}.'}"
        closed = update(webhook_deliveries).where(_OF.id == row.id, *handed)
        conn.execute(closed.values(state=DeliveryState.FAILED, error=why, ended_at=db_now()))
    return len(found)


def endpoint_of(conn: Connection, delivery: DeliveryRow) -> EndpointRow | None:
    """The endpoint that a delivery is for; None where that was removed, or a submission named the address itself."""
    query = select(webhook_endpoints).where(webhook_endpoints.c.id == delivery.endpoint_id)
    row = conn.execute(query).first()
    return EndpointRow.from_row(row) if row else None


def attempted(
    conn: Connection, delivery_id: str, state: DeliveryState, *, status: int | None = None, error: str | None = None
) -> int:
    """Notes one attempt. state: what follows from it. One that was dropped meanwhile is delivered or stays dropped."""
    ended = None if state is DeliveryState.PENDING else db_now()
    known = _OF.state == DeliveryState.PENDING
    if state is DeliveryState.DELIVERED:
        known = _OF.state != DeliveryState.DELIVERED
    values = {"state": state, "status": status, "error": error, "attempted_at": db_now(), "ended_at": ended}
    counted = update(webhook_deliveries).where(_OF.id == delivery_id, known)
    return conn.execute(counted.values(attempts=_OF.attempts + 1, **values)).rowcount


def replay(conn: Connection, delivery_id: str, user_id: str) -> DeliveryRow:
    """Delivers once more, under the same id. Raises NotFound, or Conflict while it is still being delivered.

    Conflict as well where its endpoint is disabled.
    """
    found = get_delivery(conn, delivery_id, user_id)
    if found.state is DeliveryState.PENDING:
        raise Conflict("This delivery is still on its way.", hint="It is attempted again by itself.")
    if endpoint := endpoint_of(conn, found):
        check_hears(endpoint)
    again = update(webhook_deliveries).where(_OF.id == delivery_id)
    fresh = {"state": DeliveryState.PENDING, "delivery_job": None, "status": None, "error": None, "ended_at": None}
    conn.execute(again.values(attempts=0, **fresh))
    return get_delivery(conn, delivery_id, user_id)


# --- the log ----------------------------------------------------------------------------------------------------------


def get_delivery(conn: Connection, delivery_id: str, user_id: str | None = None) -> DeliveryRow:
    """One delivery; with a user id only if it is theirs. Raises NotFound."""
    query = select(webhook_deliveries).where(_OF.id == delivery_id)
    if user_id is not None:
        query = query.where(_OF.user_id == user_id)
    row = conn.execute(query).first()
    if row is None:
        raise NotFound("Webhook delivery not found")
    return DeliveryRow.from_row(row)


def of_endpoint(conn: Connection, delivery_id: str, endpoint_id: str, user_id: str) -> DeliveryRow:
    """One delivery for one receiver. Raises NotFound."""
    found = get_delivery(conn, delivery_id, user_id)
    if found.endpoint_id != endpoint_id:
        raise NotFound("Webhook delivery not found")
    return found


def listed(
    conn: Connection,
    user_id: str | None,
    *,
    job_id: str | None = None,
    endpoint_id: str | None = None,
    state: DeliveryState | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> tuple[list[DeliveryRow], str | None]:
    """Newest first, and the cursor of the next page. user_id: whose; None for everybody's."""
    wanted = {_OF.user_id: user_id, _OF.job_id: job_id, _OF.endpoint_id: endpoint_id, _OF.state: state}
    query = select(webhook_deliveries).where(
        *(column == value for column, value in wanted.items() if value is not None)
    )
    if cursor:
        query = query.where(_older(*read_cursor(cursor)))
    query = query.order_by(_OF.created_at.desc(), _OF.id.desc()).limit(limit + 1)
    found = [DeliveryRow.from_row(row) for row in conn.execute(query)]
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], write_cursor(last.created_at, last.id) if last else None


def _older(at: float, delivery_id: str) -> Any:
    return or_(_OF.created_at < at, and_(_OF.created_at == at, _OF.id < delivery_id))
