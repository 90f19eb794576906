"""Who hears of a dead letter: the admins at once, the ops mailbox once per cause and window.

Written in the transaction that makes the dead letter. A mail that dies never makes another one.
"""

import time
from uuid import NAMESPACE_URL, uuid5

from bmn.db import dead_letters
from bmn.db import jobs as job_rows
from bmn.db.engine import Connection
from bmn.db.jobs import NewJob
from bmn.db.transitions import Change
from bmn.errors import CAUSES, Cause
from bmn.schemas.payloads import OPS_TEMPLATE
from bmn.settings import Settings
from bmn.work.registry import QUEUES


def escalate(conn: Connection, settings: Settings, change: Change | None) -> Change | None:
    """Adds the ops mail to a transition that made a dead letter; gives every other one back as it is."""
    if change is None or change.dead is None or change.dead["queue"] == "email-send":
        return change
    cause = Cause(change.dead["cause"])
    key = f"{cause}:{int(time.time() // settings.bmn_escalation_seconds)}"
    if not dead_letters.first_of_window(conn, key):
        return change
    job = _mail(settings, change, cause, key)
    change.events.append(job_rows.insert_job(conn, job))
    change.queued.append((job.queue, job.id))
    return change


def _mail(settings: Settings, change: Change, cause: Cause, key: str) -> NewJob:
    queue, dead = QUEUES["email-send"], change.dead or {}
    payload = queue.payload.model_validate(
        {
            "to": settings.support_email,
            "template": OPS_TEMPLATE,
            "data": {
                "queue": dead["queue"],
                "jobId": change.job_id,
                "cause": cause,
                "error": dead["error"],
                "advice": CAUSES[cause].advice,
            },
        }
    )
    return NewJob(
        id=f"email-send-{uuid5(NAMESPACE_URL, f'escalation/{key}')}",
        queue=queue.name,
        payload=payload.dump(),
        payload_version=queue.payload.VERSION,
        max_attempts=queue.attempts,
        priority=queue.priority,
    )
