"""Who hears of a dead letter: the admins at once, the operators' mailbox once per cause and window, and everybody else
who is told of alerts once, by the alert that is open while dead letters of the cause are.

Written in the transaction that makes the dead letter. What the mail says is the work's affair.
"""

import time

from bmn.db import dead_letters, job_store, transitions
from bmn.db.engine import Connection
from bmn.db.operators import alert_store
from bmn.db.records import JobRow
from bmn.db.transitions import Change
from bmn.errors import Cause
from bmn.jobs.alert_finders import died
from bmn.jobs.core import Core
from bmn.jobs.sinks import ops_mailbox
from bmn.schemas.payloads import JobState


def lose(conn: Connection, core: Core, job: JobRow) -> Change | None:
    """The worker of a job is gone: as `transitions.lose`, with a line in its log, by which an incident finds it later."""
    change = escalate(conn, core, transitions.lose(conn, job, most=core.queue(job.queue).losses))
    if change and change.state == JobState.QUEUED:
        fields = {"cause": Cause.WORKER_LOST, "owner": job.lease_owner}
        job_store.add_log(conn, job.id, job.attempt, "warning", "Its worker was lost.", fields)
    return change


def escalate(conn: Connection, core: Core, change: Change | None) -> Change | None:
    """Adds the operators' mail to a transition that made a dead letter; gives every other one back as it is."""
    if change is None or change.dead is None:
        return change
    key = f"{change.dead.cause}:{int(time.time() // core.settings.bmn_escalation_seconds)}"
    opened = alert_store.open_new(conn, died(change.dead.queue, change.dead.cause))
    mail = core.work.ops_mail(core.settings, change.dead, key)
    if mail is None or not dead_letters.first_of_window(conn, key):
        return change
    if opened is not None:
        alert_store.note_told(conn, opened, ops_mailbox(core.settings).id)
    change.events.append(job_store.insert_job(conn, mail))
    change.queued.append((mail.queue, mail.id))
    return change
