"""What is wrong, found in the rows and in what this process sees of Redis. Each trouble is found by one row of a table."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import MappingProxyType

from bmn.db import call_store, dead_letters, outage_store
from bmn.db.engine import Connection
from bmn.db.keeping import retention
from bmn.db.migrations import revisions_behind
from bmn.db.operators import alert_store, queue_store
from bmn.db.operators.alert_store import DEAD_LETTERS, Trouble
from bmn.errors import OUTAGES, Cause
from bmn.events import audience
from bmn.format import count, duration
from bmn.jobs import budgets
from bmn.jobs.budgets import BUDGET
from bmn.jobs.core import Core, this_host
from bmn.jobs.hosts import Host, differences, said
from bmn.jobs.outages import stand_in
from bmn.jobs.registered import SILENCE, WorkerRecord, registered, serving
from bmn.signing import shared_secret

QUEUE_PAUSED = "queue-paused"
PROVIDER_OUT = "provider-out"
MIGRATION_DUE = "migration-due"
SIGN_IN_KEYS = "sign-in-keys"
RECEIVER_GONE = "receiver-gone"

NEXT_STEPS = MappingProxyType(
    {
        QUEUE_PAUSED: "bmn queues resume {subject}",
        PROVIDER_OUT: "bmn doctor --deep",
        "waiting": "bmn queues",
        "no-worker": "bmn worker {subject}",
        "host-lost": "bmn workers",
        DEAD_LETTERS: "bmn incident {subject}",
        BUDGET: "bmn costs --since 1h --by kind",
        "cost-spike": "bmn costs --since 1h --by user",
        "redis-away": "bmn doctor",
        "redis-memory": "bmn doctor",
        "redis-refuses": "bmn doctor",
        MIGRATION_DUE: "bmn db upgrade",
        SIGN_IN_KEYS: "bmn doctor",
        "signing-key": "bmn config",
        "hosts-differ": "bmn config",
        "retention": "bmn doctor",
        RECEIVER_GONE: "bmn config",
    }
)
"""Every kind of alert, and the command that its reader needs next."""

_BY_ITSELF = " It goes on by itself."
_OLD_SECONDS = 300.0  # oldest waiting job that is worth an alert
_UNSERVED_SECONDS = 60.0  # a restart of a worker takes less
_FULL_SHARE = 0.7
_LATE_SECONDS = 86_400.0  # by which old rows are kept for too long
_QUIET_SWEEPS = 30.0  # an alert that was not seen in so many is over; what flaps stays one


@dataclass(frozen=True, slots=True)
class _Situation:
    """What the finders look at. workers: None while Redis cannot say. hosts: none then. waiting: seconds of the oldest due
    job, by queue.
    """

    core: Core
    conn: Connection
    workers: list[WorkerRecord] | None
    hosts: list[Host]
    waiting: dict[str, float]


def next_step(kind: str, subject: str, message: str = "") -> str:
    """The command for whoever reads of an alert; what goes on by itself is only watched."""
    if message.endswith(_BY_ITSELF):
        return "bmn queues --watch"
    return NEXT_STEPS.get(kind, "bmn doctor").format(subject=subject)


def paused(queue: str, reason: str | None, cause: Cause | None = None) -> Trouble:
    """A queue that paused itself. Of an outage it tries its provider again every few seconds, and says so."""
    message = f"Queue {queue} is paused: {reason or 'no reason was given'}"
    if cause in OUTAGES:  # one thing to whoever mends it, in whichever way the provider fails at the moment
        return Trouble(QUEUE_PAUSED, queue, f"{message.rstrip('.')}.{_BY_ITSELF}", "error", "outage")
    return Trouble(QUEUE_PAUSED, queue, message, "error", cause)


def died(queue: str, cause: str) -> Trouble:
    """A dead letter, for the transaction that makes it; how many there are is counted later."""
    return Trouble(DEAD_LETTERS, cause, f"A job in {queue} has become a dead letter of cause {cause}.")


def quiet_seconds(core: Core) -> float:
    """How long an alert stays open after it was last seen."""
    return core.settings.bmn_sweep_seconds * _QUIET_SWEEPS


async def look(core: Core) -> None:
    """Opens and ends alerts; the admins' sockets hear of new ones at once."""
    workers = await registered(core)
    hosts = await said(core)

    def wrong(conn: Connection) -> list[Trouble]:
        seen = _Situation(core, conn, workers, hosts, queue_store.oldest_waiting(conn))
        return [trouble for find in _FINDERS for trouble in find(seen)]

    if not await core.db.read(lambda conn: bool(wrong(conn) or alert_store.count_open(conn))):
        return  # as nearly always, and a database that has nothing to do is not written to
    new = await core.db.write(lambda conn: alert_store.settle(conn, wrong(conn), quiet=quiet_seconds(core)))
    announce(core, new)


async def open_here(core: Core, troubles: Iterable[Trouble]) -> None:
    """Opens, or keeps open, what only this process can see."""
    found = list(troubles)
    if found:
        announce(core, await core.db.write(lambda conn: [each for each in found if alert_store.open_alert(conn, each)]))


def announce(core: Core, new: Iterable[Trouble]) -> None:
    """Tells the admins' sockets."""
    for trouble in new:
        data = {"subject": trouble.subject}
        core.outbox.send([audience.system_alert(trouble.kind, trouble.message, trouble.severity, data)])


# --- finders -----------------------------------------------------------------------------------------------------------


def _redis_away(seen: _Situation) -> Iterable[Trouble]:
    if (away := seen.core.health.down_for()) > seen.core.settings.bmn_redis_down_seconds:
        message = f"Redis has not answered {this_host()} for {duration(away)}; submissions are refused."
        yield Trouble("redis-away", this_host(), message, "error")


def _redis_memory(seen: _Situation) -> Iterable[Trouble]:
    if (share := seen.core.health.memory_share) > _FULL_SHARE:
        yield Trouble("redis-memory", "redis", f"Redis uses {share:.0%} of its memory.")


def _redis_refuses(seen: _Situation) -> Iterable[Trouble]:
    for refusal in seen.core.health.refusals:
        yield Trouble("redis-refuses", refusal.kind, f"{refusal.message} {refusal.remedy}", "error")


def _waiting(seen: _Situation) -> Iterable[Trouble]:
    for queue, seconds in seen.waiting.items():
        if seconds > _OLD_SECONDS:
            yield Trouble("waiting", queue, f"The oldest job in {queue} has been waiting for {duration(seconds)}.")


def _no_worker(seen: _Situation) -> Iterable[Trouble]:
    for queue, seconds in seen.waiting.items():
        if seconds > _UNSERVED_SECONDS and serving(seen.workers, queue) == 0:
            message = f"No worker serves {queue}; its oldest job has been waiting for {duration(seconds)}."
            yield Trouble("no-worker", queue, message, "error")


def _host_lost(seen: _Situation) -> Iterable[Trouble]:
    """All workers that one supervisor kept have fallen silent; who stops them in order takes them off the list.

    Nobody can be told apart who could not write that they live.
    """
    if seen.core.health.well_for() < SILENCE:
        return
    families: dict[tuple[str, str], list[WorkerRecord]] = {}
    for worker in seen.workers or []:
        if worker.family:
            families.setdefault((worker.host or "?", worker.family), []).append(worker)
    lost: dict[str, int] = {}
    for (host, _), found in families.items():
        if all(worker.state == "lost" for worker in found):
            lost[host] = lost.get(host, 0) + len(found)
    for host, number in lost.items():
        message = f"{count(number, 'worker')} on {host} gave no further sign of life; what they ran goes on elsewhere."
        yield Trouble("host-lost", host, message, "error")


def _paused(seen: _Situation) -> Iterable[Trouble]:
    for queue, setting in queue_store.settings(seen.conn).items():
        if setting.paused and setting.paused_by == "system":
            yield paused(queue, setting.reason, setting.cause)


def _providers_out(seen: _Situation) -> Iterable[Trouble]:
    """Of a queue that goes on by another one; where none is left it is paused, which says enough."""
    for name, queue in seen.core.queues.items():
        if maker := stand_in(seen.conn, seen.core.settings, queue):
            found, order = outage_store.of_queue(seen.conn, name), queue.order(seen.core.settings)
            first, *more = (found[each] for each in order[: order.index(maker)])
            also = f" So is {', '.join(each.provider for each in more)}." if more else ""
            text = f"{maker} makes what {name} orders, as {first.provider} is out: {first.reason}{also}"
            yield Trouble(PROVIDER_OUT, name, f"{text} {first.provider} is asked again every minute.", about=maker)


def _dead_letters(seen: _Situation) -> Iterable[Trouble]:
    for cause, number in dead_letters.open_by_cause(seen.conn).items():
        message = f"{count(number, 'open dead letter')} of cause {cause}; see bmn jobs dlq list --cause {cause}."
        yield Trouble(DEAD_LETTERS, cause, message)


def _spend(seen: _Situation) -> Iterable[Trouble]:
    limit = seen.core.settings.bmn_alert_usd_per_hour
    if call_store.spent(seen.conn, 3600.0) > limit:
        yield Trouble("cost-spike", "hour", f"AI spend is over ${limit:.0f} in the last hour.")


def _budgets(seen: _Situation) -> Iterable[Trouble]:
    yield from budgets.warnings(seen.conn, seen.core.settings.bmn_budgets)


def _migration(seen: _Situation) -> Iterable[Trouble]:
    if behind := revisions_behind(seen.conn):
        yield migration_due(behind)


def migration_due(number: int) -> Trouble:
    """The database is older than the release that wants to use it."""
    return Trouble(MIGRATION_DUE, "database", f"The database is {count(number, 'migration')} behind.", "error")


def _signing_key(seen: _Situation) -> Iterable[Trouble]:
    if seen.core.settings.is_production and not shared_secret(seen.core.settings):
        message = "No signing key is set: each host signs links with a key of its own, and another host refuses them."
        yield Trouble("signing-key", "BMN_SIGNING_SECRET", f"{message} Set BMN_SIGNING_SECRET.", "error")


def _hosts(seen: _Situation) -> Iterable[Trouble]:
    for difference in differences(seen.hosts):
        yield Trouble("hosts-differ", difference.setting, difference.message, "error")


def _retention(seen: _Situation) -> Iterable[Trouble]:
    for book, late in retention.lags(seen.conn).items():
        if late > _LATE_SECONDS:
            message = f"Rows of {book} should have been deleted {duration(late)} ago."
            yield Trouble("retention", book, f"{message} A worker's log says what holds it up.", "error")


_FINDERS: tuple[Callable[[_Situation], Iterable[Trouble]], ...] = (
    _redis_away,
    _redis_memory,
    _redis_refuses,
    _waiting,
    _no_worker,
    _host_lost,
    _paused,
    _providers_out,
    _dead_letters,
    _spend,
    _budgets,
    _migration,
    _signing_key,
    _hosts,
    _retention,
)
