"""Webhooks: who receives them, and what they are to hear, one row a receiver and event.

A delivery is stored in the transaction of the change that it tells of, so that none is lost where a process dies, and none
tells of what was rolled back. `bmn.db.hooks.deliveries` has what becomes of it.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from sqlalchemy import Connection, Row, bindparam, delete, insert, or_, select, update

from bmn.db.prepared import Prepared
from bmn.db.records import DeliveryRow, DeliveryState, EndpointRow, Hook, JobRow
from bmn.db.tables import db_now, webhook_deliveries, webhook_endpoints
from bmn.errors import Conflict, NotFound
from bmn.schemas.base import now_ms
from bmn.schemas.events import JobEvent
from bmn.schemas.webhook_payloads import ENDS, as_secret, webhook_events

MOST_ENDPOINTS = 20
LISTENING_SECONDS = 60.0
"""How long a listener counts as there after it last asked."""

_DIGITS = 20  # of an id: enough that no two are the same, and short enough for a line of a table

_ADD = Prepared(insert(webhook_deliveries))
_OF = webhook_deliveries.c
# Asked for each submission, so built once.
_ENDPOINTS = Prepared(
    select(webhook_endpoints)
    .where(
        webhook_endpoints.c.user_id == bindparam("of_user"),
        or_(webhook_endpoints.c.listening_until.is_(None), webhook_endpoints.c.listening_until > db_now()),
    )
    .order_by(webhook_endpoints.c.created_at)
)


# --- receivers --------------------------------------------------------------------------------------------------------


def new_secret() -> str:
    """A secret as Standard Webhooks writes one."""
    return as_secret(secrets.token_bytes(24))


def add_endpoint(
    conn: Connection, user_id: str, url: str, events: Sequence[str], *, listens: bool = False
) -> EndpointRow:
    """A receiver of an account, with a secret of its own. Raises Conflict where there are many already.

    listens: it asks for its messages instead of being called.
    """
    if len(endpoints(conn, user_id)) >= MOST_ENDPOINTS:
        raise Conflict(f"There are {MOST_ENDPOINTS} webhook endpoints already.", hint="Remove one that is not used.")
    row = {"id": str(uuid4()), "user_id": user_id, "url": url, "secret": new_secret(), "events": list(events)}
    until = db_now() + LISTENING_SECONDS if listens else None
    statement = insert(webhook_endpoints).values(**row, listening_until=until).returning(*webhook_endpoints.c)
    return EndpointRow.from_row(conn.execute(statement).one())


def endpoints(conn: Connection, user_id: str) -> list[EndpointRow]:
    """An account's receivers that are there, oldest first; those too that are disabled."""
    return [EndpointRow.from_row(row) for row in _ENDPOINTS.all(conn, {"of_user": user_id})]


def get_endpoint(conn: Connection, endpoint_id: str, user_id: str) -> EndpointRow:
    """One receiver of an account. Raises NotFound, the same for absent and foreign."""
    query = select(webhook_endpoints).where(_mine(endpoint_id, user_id))
    row = conn.execute(query).first()
    if row is None:
        raise NotFound("Webhook endpoint not found")
    return EndpointRow.from_row(row)


def remove_endpoint(conn: Connection, endpoint_id: str, user_id: str) -> None:
    """What is still to be delivered to it is dropped. Raises NotFound."""
    get_endpoint(conn, endpoint_id, user_id)
    conn.execute(delete(webhook_endpoints).where(_mine(endpoint_id, user_id)))
    drop_where(conn, "Its endpoint was removed.", _OF.endpoint_id == endpoint_id)


def keep_listening(conn: Connection, endpoint_id: str, user_id: str) -> list[DeliveryRow]:
    """What a listener has not got yet, oldest first; it counts as there for another minute. Raises NotFound."""
    listens = update(webhook_endpoints).where(_mine(endpoint_id, user_id), webhook_endpoints.c.listening_until > 0)
    if not conn.execute(listens.values(listening_until=db_now() + LISTENING_SECONDS)).rowcount:
        raise NotFound("This webhook endpoint is no listener", hint="`bmn webhooks listen` makes one.")
    pending = (_OF.endpoint_id == endpoint_id, _OF.state == DeliveryState.PENDING)
    query = select(webhook_deliveries).where(*pending).order_by(_OF.created_at, _OF.id).limit(50)
    return [DeliveryRow.from_row(row) for row in conn.execute(query)]


def forget_listeners(conn: Connection) -> int:
    """Removes the listeners that have gone, and what they never got."""
    gone = select(webhook_endpoints.c.id).where(webhook_endpoints.c.listening_until < db_now() - LISTENING_SECONDS)
    if ids := list(conn.execute(gone.limit(200)).scalars()):
        drop_where(conn, "Nobody listens any more.", _OF.endpoint_id.in_(ids))
        conn.execute(delete(webhook_endpoints).where(webhook_endpoints.c.id.in_(ids)))
    return len(ids)


def _mine(endpoint_id: str, user_id: str) -> Any:
    return (webhook_endpoints.c.id == endpoint_id) & (webhook_endpoints.c.user_id == user_id)


def hooks_of(conn: Connection, user_id: str, own: Iterable[Hook] = ()) -> tuple[Hook, ...]:
    """Who hears of a job that is about to be stored: what its submission names, and the account's receivers."""
    hearing = (each for each in endpoints(conn, user_id) if each.disabled_at is None)
    return (*own, *(Hook(each.url, each.events, each.id) for each in hearing))


# --- what is to be delivered ------------------------------------------------------------------------------------------


def follow(conn: Connection, job: Row[Any], event: JobEvent) -> None:
    """Stores what a job's receivers hear of an event, in the transaction of its change.

    An unsent word about the progress gives way to the next one, and to the end; a cancel to nothing but itself.
    """
    hooks = Hook.read(job.webhooks)
    for kind in webhook_events(event) if hooks else ():
        if kind == "job.progress":
            conn.execute(
                delete(webhook_deliveries).where(*_unsent(job.id), _OF.event == kind, _OF.delivery_job.is_(None))
            )
        elif kind == "job.cancelled":
            drop_where(conn, "The job was cancelled.", *_unsent(job.id))
        elif kind in ENDS:
            drop_where(conn, "The job has ended.", *_unsent(job.id), _OF.event == "job.progress")
        data = {**event.dump(), "queueName": job.queue}
        if kind == "asset.created":
            data = {
                name: data[name] for name in ("jobId", "brandId", "queueName", "asset", "timestamp") if name in data
            }
        _add_all(conn, job.id, job.user_id, hooks, kind, event.seq, data)


def started(conn: Connection, claimed: Iterable[JobRow]) -> None:
    """Stores what receivers hear of jobs that were begun for the first time."""
    for job in claimed:
        if job.webhooks and job.started_at == job.attempt_started_at:
            data = {"jobId": job.id, "brandId": job.brand_id, "queueName": job.queue, "timestamp": now_ms()}
            _add_all(conn, job.id, str(job.user_id), job.webhooks, "job.started", 0, data)


def add_test(conn: Connection, user_id: str, hook: Hook) -> DeliveryRow:
    """A message that tells of nothing, for a receiver to be tried with."""
    data = {"message": "This is a test. Nothing has happened.", "timestamp": now_ms()}
    delivery_id = _add(conn, f"test-{uuid4()}", user_id, hook, "webhook.test", 0, data)
    query = select(webhook_deliveries).where(_OF.id == delivery_id)
    return DeliveryRow.from_row(conn.execute(query).one())


def _add_all(
    conn: Connection, job_id: str, user_id: str, hooks: Iterable[Hook], kind: str, seq: int, data: Mapping[str, object]
) -> None:
    for hook in hooks:
        if kind in hook.events:
            _add(conn, job_id, user_id, hook, kind, seq, data)


def _add(
    conn: Connection, job_id: str, user_id: str, hook: Hook, kind: str, seq: int, data: Mapping[str, object]
) -> str:
    name = f"{job_id}/{seq}/{kind}/{hook.endpoint_id or hook.url}"
    row = {
        "id": f"msg_{uuid5(NAMESPACE_URL, name).hex[:_DIGITS]}",
        "user_id": user_id,
        "job_id": job_id,
        "endpoint_id": hook.endpoint_id,
        "url": hook.url,
        "event": kind,
        "payload": data,
    }
    _ADD.run(conn, row)
    return str(row["id"])


def _unsent(job_id: str) -> tuple[Any, ...]:
    return (_OF.job_id == job_id, _OF.state == DeliveryState.PENDING)


def drop_where(conn: Connection, why: str, *conditions: Any) -> None:
    """Nobody is to hear any more what is still on its way and fits the conditions."""
    statement = update(webhook_deliveries).where(*conditions, _OF.state == DeliveryState.PENDING)
    conn.execute(statement.values(state=DeliveryState.DROPPED, error=why, ended_at=db_now()))
