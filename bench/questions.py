"""What the product asks its database, by name: each through the function that the product asks it with."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection, select

from bmn.db import call_store, claims, dead_letters, job_store
from bmn.db.accounts import audit_store, credit_store
from bmn.db.accounts.audit_store import AuditFilter
from bmn.db.batches import choosing
from bmn.db.dead_letters import DeadFilter
from bmn.db.health import clock
from bmn.db.keeping import orphans, retention
from bmn.db.library import asset_store
from bmn.db.lists.groups import GroupBy, group_jobs
from bmn.db.lists.listing import JobFilter, list_jobs
from bmn.db.operators import queue_store
from bmn.db.sums import activity, lines, spending
from bmn.db.sums.rollup import DAY, HOUR, MINUTE
from bmn.db.tables import jobs as job_table
from bmn.work.registry import QUEUES

_USER = "user-7"


def _a_job(conn: Connection, state: str = "completed") -> str:
    """One in the middle of the table, so that neither end of an index flatters it."""
    query = select(job_table.c.id).where(job_table.c.state == state, job_table.c.user_id == "user-8").limit(1)
    return str(conn.execute(query).scalar_one())


def _some_jobs(conn: Connection) -> list[str]:
    return list(conn.execute(select(job_table.c.id).where(job_table.c.user_id == _USER).limit(40)).scalars())


def _known_keys(conn: Connection) -> object:
    keys = [f"brands/brand-{number}/logo/{number}" for number in range(1, 500)]
    return orphans.known_keys(conn, keys)


def _pruned(name: str) -> Callable[[Connection], object]:
    """A hundred rows of a book of which half is due: the jobs of the fixture are spread over 30 days."""
    [book] = (replace(book, seconds=15 * 86_400.0) for book in retention.BOOKS if book.name == name)
    return partial(retention.prune, book=book, limit=100)


def _listed(**chosen: object) -> Callable[[Connection], object]:
    return lambda conn: list_jobs(conn, JobFilter(**chosen))  # type: ignore[arg-type]


def _grouped(by: GroupBy, **chosen: object) -> Callable[[Connection], object]:
    return lambda conn: group_jobs(conn, JobFilter(**chosen), by)  # type: ignore[arg-type]


QUESTIONS: dict[str, Callable[[Connection], object]] = {
    "claim four": lambda conn: claims.claim(conn, "logo-generation", 4, "bench", 10.0),
    "what is due": claims.due_queues,
    "expired leases": partial(claims.expired, stale_after={"logo-generation": 240.0}),
    "forgotten cancels": claims.forgotten_cancels,
    "clock set back": partial(clock.follow_clock, lease=10.0),
    "next in line": partial(claims.next_in_line, queue="logo-generation", limit=200),
    "queue counts": queue_store.counts,
    "oldest waiting": queue_store.oldest_waiting,
    "percentiles": partial(queue_store.percentiles, names=QUEUES),
    "outcomes": activity.outcomes,
    "waiting by queue": queue_store.waiting,
    "spent in an hour": partial(call_store.spent, seconds=3600.0),
    "open dead letters": queue_store.open_dead_letters,
    "unanswered jobs": lambda conn: call_store.unanswered_jobs(conn, "logo-generation", ("provider_timeout",), 3600.0),
    "assets of a job": lambda conn: asset_store.list_of_job(conn, _a_job(conn)),
    "units of a job": lambda conn: job_store.units(conn, _a_job(conn)),
    "calls of a job": lambda conn: call_store.of_job(conn, _a_job(conn)),
    "calls of forty jobs": lambda conn: call_store.sandboxed(conn, _some_jobs(conn)),
    "usual durations": partial(job_store.durations, queue="mockup-generation"),
    "a user's newest": _listed(user_id=_USER),
    "a user's failed": _listed(user_id=_USER, states=("failed",)),
    "a user's text, none found": _listed(user_id=_USER, text="no such word"),
    "everybody's newest": _listed(),
    "everybody's failed": _listed(states=("failed",)),
    "everybody's by cause": _listed(cause="provider_overloaded"),
    "everybody's by id": _listed(id_prefixes=("0014a6b2", *(f"{queue}-0014a6b2" for queue in QUEUES))),
    "everybody's text, none found": _listed(text="no such word"),
    "everybody's text, many found": _listed(text="violet"),
    "a retry of all failed, estimated": lambda conn: choosing.sample_jobs(conn, "retry", JobFilter()),
    "a replay of all dead, estimated": lambda conn: choosing.sample_letters(conn, "replay", DeadFilter()),
    "everybody's dear": _listed(min_cost=1.0),
    "everybody's failed, by cause": _grouped("cause", states=("failed",)),
    "everybody's by user": _grouped("user"),
    "everybody's by hour": _grouped("hour"),
    "dead letters": lambda conn: (dead_letters.find(conn, DeadFilter()), dead_letters.count(conn, DeadFilter())),
    "costs of a user": lambda conn: spending.costs(conn, "kind", user_id=_USER),
    "costs of all": lambda conn: spending.costs(conn, "kind"),
    "an hour by the minute": partial(activity.recent, span=MINUTE, seconds=HOUR),
    "a week by the hour": partial(activity.recent, span=HOUR, seconds=7 * DAY),
    "lines of an hour": partial(lines.history, span=MINUTE, seconds=HOUR),
    "pictures of forty jobs": lambda conn: asset_store.made_by(conn, _some_jobs(conn)),
    "states of forty jobs": lambda conn: job_store.states(conn, _some_jobs(conn)),
    "dead letters by cause": dead_letters.open_by_cause,
    "the audit's newest": lambda conn: audit_store.listed(conn, AuditFilter()),
    "a user's ledger": lambda conn: credit_store.ledger(conn, _USER),
    "old jobs, a batch": _pruned("jobs"),
    "old ledger rows, a batch": _pruned("credit_ledger"),
    "old calls, a batch": _pruned("provider_calls"),
    "retention's lag": retention.lags,
    "known storage keys": _known_keys,
    "storage keys, a page": partial(orphans.storage_keys, after="brand-5", older_than=3600.0, limit=500),
}
