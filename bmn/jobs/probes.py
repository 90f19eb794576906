"""Jobs that cost nothing and ask nobody: one for each worker of each queue, to see whether they carry it to its end.

They take the way of every job: a row, a line, a claim with its fence, a settling transaction. Only the handler is left
out, so no provider is asked and no credit moves.
"""

from dataclasses import dataclass

from bmn.db import transitions
from bmn.db.accounts import audit_store
from bmn.db.engine import Connection
from bmn.db.operators import queue_store
from bmn.db.records import JobRow, NewJob
from bmn.db.transitions import Change
from bmn.errors import TryLater
from bmn.jobs.core import Core
from bmn.jobs.queue import Terms
from bmn.jobs.registered import WorkerRecord, registered
from bmn.jobs.submission import check_ready, store_jobs
from bmn.schemas.payloads import Probe
from bmn.schemas.results import Counts

SECONDS = 60.0
"""How long a probe may wait; then it is cancelled, as by any deadline."""

_AGAIN_SECONDS = 0.3  # until the worker that is meant may find it in line


@dataclass(frozen=True, slots=True)
class SentProbe:
    """A probe on its way. paused: its queue takes no jobs, so nothing was sent and job_id is None."""

    queue: str
    worker: str
    host: str | None
    job_id: str | None
    paused: bool = False


def is_probe(job: JobRow) -> bool:
    """Nobody but we makes one: a user's payload has to fit its queue's schema, which knows no such field."""
    return job.payload.get("probe") is True and job.user_id is None


def answer(conn: Connection, job: JobRow, worker: str) -> Change | None:
    """Carried to its end by the worker that is meant; back in line, attempt unspent, from any other."""
    if job.payload.get("worker") != worker:
        return transitions.wait(conn, job, delay=_AGAIN_SECONDS, cause=None, message="For another worker")
    return transitions.complete(conn, job, f"Carried by {worker}", Counts({"probes": 1}))


async def send(core: Core, by: str) -> list[SentProbe]:
    """A probe for each worker of each queue that is there. Raises TryLater where Redis is away or full."""
    check_ready(core)
    found = await registered(core)
    if found is None:
        raise TryLater("Redis is away: nobody can say which workers there are.", hint="See `bmn doctor`.")
    pairs = [(queue, worker) for worker in found if worker.state in ("idle", "busy") for queue in worker.queues]

    def store(conn: Connection) -> tuple[list[SentProbe], list[Change]]:
        paused = {name for name, each in queue_store.settings(conn).items() if each.paused}
        planned = {
            (queue, worker.name): _job(core, queue, worker)
            for queue, worker in pairs
            if queue in core.queues and queue not in paused
        }
        audit_store.note(conn, by, "fleet.probe", "workers", after={"probes": len(planned)})
        changes = [store_jobs(conn, core, None, [job]) for job in planned.values()]
        sent = []
        for queue, worker in pairs:
            job = planned.get((queue, worker.name))
            sent.append(SentProbe(queue, worker.name, worker.host, job.id if job else None, queue in paused))
        return sent, changes

    sent, changes = await core.db.write(store)
    for change in changes:
        core.outbox.publish(change)
    return sent


def _job(core: Core, queue: str, worker: WorkerRecord) -> NewJob:
    terms = Terms(priority=0, start_within=SECONDS, finish_within=SECONDS)
    payload = Probe(worker=worker.name)
    return core.queue(queue).new_job(payload, terms=terms, message=f"Probe of {worker.name}")
