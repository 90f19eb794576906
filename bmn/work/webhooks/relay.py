"""From the outbox to the queue: each delivery that a change has left gets the job that delivers it."""

from bmn.db import job_store
from bmn.db.engine import Connection
from bmn.db.hooks import deliveries, webhook_store
from bmn.db.transitions import Change
from bmn.jobs.core import Core
from bmn.schemas.payloads import JobState
from bmn.schemas.webhook_payloads import DELIVERY_QUEUE, DeliveryPayload
from bmn.work.housekeeping import HOUSEKEEPING

_PAGE = 200


async def relay(core: Core) -> None:
    """Makes jobs for what waits. Each page is one transaction, so a process that dies leaves nothing half handed over."""
    while True:
        change = await core.db.write(_hand_over)
        if change is None:
            return
        core.outbox.publish(change)
        if len(change.queued) < _PAGE:
            return


async def tidy(core: Core) -> None:
    """Removes listeners that have gone without saying so, and lists as failed what no job delivers any more."""
    await core.db.write(webhook_store.forget_listeners)
    await core.db.write(deliveries.close_abandoned)


def _hand_over(conn: Connection) -> Change | None:
    queue, change = HOUSEKEEPING[DELIVERY_QUEUE], None
    for delivery in deliveries.waiting(conn, _PAGE):
        job = queue.new_job(DeliveryPayload(delivery_id=delivery.id, user_id=delivery.user_id))
        change = change or Change(job.id, JobState.QUEUED)
        change.events.append(job_store.insert_job(conn, job))
        change.queued.append((queue.name, job.id))
        deliveries.hand_over(conn, delivery.id, job.id)
    return change
