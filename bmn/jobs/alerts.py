"""What is wrong, found in the rows; and every receiver told of it once, and once more when it is over.

The rows say who was told. A process that dies between a receiver's answer and the commit makes it hear twice, never not.
"""

from collections.abc import Callable

import httpx

from bmn.db import alerts, calls, dead_letters, queues
from bmn.db.alerts import Alert, Trouble
from bmn.db.engine import Connection
from bmn.events import audience
from bmn.format import count, duration
from bmn.jobs.core import Core, this_host
from bmn.logs import get_logger
from bmn.outgoing import RoutedTransport
from bmn.settings.alert_urls import Form, Sink, read_sinks

log = get_logger(__name__)

_OLD_SECONDS = 300.0  # oldest waiting job that is worth an alert
_FULL_SHARE = 0.7
_QUIET_SWEEPS = 30.0  # an alert that was not seen in so many is over; what flaps stays one
_TIMEOUT = 10.0


def paused(queue: str, reason: str | None) -> Trouble:
    """A queue that paused itself."""
    return Trouble("queue-paused", queue, f"Queue {queue} is paused: {reason or 'no reason was given'}", "error")


async def look(core: Core) -> None:
    """Opens and ends alerts; the admins' sockets hear of new ones at once."""
    quiet = core.settings.bmn_sweep_seconds * _QUIET_SWEEPS
    limit = core.settings.bmn_alert_usd_per_hour

    def wrong(conn: Connection) -> list[Trouble]:
        return [*_of_redis(core), *_of_rows(conn, limit)]

    if not await core.db.read(lambda conn: bool(wrong(conn) or alerts.count_open(conn))):
        return  # as nearly always, and a database that has nothing to do is not written to
    for trouble in await core.db.write(lambda conn: alerts.settle(conn, wrong(conn), quiet=quiet)):
        data = {"subject": trouble.subject}
        core.outbox.send([audience.system_alert(trouble.kind, trouble.message, trouble.severity, data)])


def _of_redis(core: Core) -> list[Trouble]:
    found, health = [], core.health
    if (away := health.down_for()) > core.settings.bmn_redis_down_seconds:
        message = f"Redis has not answered {this_host()} for {duration(away)}; submissions are refused."
        found.append(Trouble("redis-away", this_host(), message, "error"))
    if health.memory_share > _FULL_SHARE:
        found.append(Trouble("redis-memory", "redis", f"Redis uses {health.memory_share:.0%} of its memory."))
    return found


def _of_rows(conn: Connection, limit: float) -> list[Trouble]:
    found = [
        Trouble("waiting", queue, f"The oldest job in {queue} has been waiting for {duration(seconds)}.")
        for queue, seconds in queues.oldest_waiting(conn).items()
        if seconds > _OLD_SECONDS
    ]
    for queue, setting in queues.settings(conn).items():
        if setting.paused and setting.paused_by == "system":
            found.append(paused(queue, setting.reason))
    for cause, number in dead_letters.open_by_cause(conn).items():
        message = f"{count(number, 'open dead letter')} of cause {cause}; see bmn jobs dlq list --cause {cause}."
        found.append(Trouble("dead-letters", cause, message))
    if calls.spent(conn, 3600.0) > limit:
        found.append(Trouble("cost-spike", "hour", f"AI spend is over ${limit:.0f} in the last hour."))
    return found


async def tell(core: Core) -> None:
    """Tells every receiver what it has not heard yet."""
    sinks = read_sinks(core.settings.bmn_alert_urls.get_secret_value())
    if not sinks:
        return
    async with httpx.AsyncClient(transport=RoutedTransport(), trust_env=False, timeout=_TIMEOUT) as client:
        for sink in sinks:
            await _tell(core, client, sink)


async def _tell(core: Core, client: httpx.AsyncClient, sink: Sink) -> None:
    for alert in await core.db.read(lambda conn: alerts.untold(conn, sink.id)):
        if not await core.db.write(lambda conn, it=alert: alerts.claim(conn, it, sink.id)):  # type: ignore[misc]
            continue
        try:
            answer = await client.post(sink.url, json=BODIES[sink.form](alert, sink))
        except httpx.HTTPError as error:
            log.warning(
                "an alert's receiver is away; told again in a minute", form=sink.form, reason=type(error).__name__
            )
            return
        if not answer.is_success:
            log.warning(
                "an alert's receiver refused it; told again in a minute", form=sink.form, status=answer.status_code
            )
            return
        await core.db.write(lambda conn, it=alert: alerts.set_told(conn, it, sink.id))  # type: ignore[misc]


def words(alert: Alert) -> str:
    """One line for people."""
    if alert.resolved_at is None:
        return f"{alert.message} (bmn {alert.kind}, {alert.subject})"
    lasted = duration(max(0.0, alert.resolved_at - alert.opened_at))
    return f"Resolved after {lasted}: {alert.message} (bmn {alert.kind}, {alert.subject})"


def _json(alert: Alert, sink: Sink) -> dict[str, object]:
    level = "failure" if alert.severity == "error" else "warning"
    return {
        "version": "1.0",
        "title": f"bmn: {alert.kind} {alert.subject}",
        "message": words(alert),
        "type": level if alert.resolved_at is None else "success",
        "id": alert.id,
        "kind": alert.kind,
        "subject": alert.subject,
        "state": "open" if alert.resolved_at is None else "resolved",
        "openedAt": alert.opened_at,
        "resolvedAt": alert.resolved_at,
    }


def _slack(alert: Alert, sink: Sink) -> dict[str, object]:
    text = words(alert).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": text}


def _discord(alert: Alert, sink: Sink) -> dict[str, object]:
    return {"content": words(alert)[:1900], "allowed_mentions": {"parse": []}}


def _pagerduty(alert: Alert, sink: Sink) -> dict[str, object]:
    severity = "critical" if alert.severity == "error" else "warning"
    return {
        "routing_key": sink.key,
        "event_action": "trigger" if alert.resolved_at is None else "resolve",
        "dedup_key": f"bmn-{alert.id}",
        "payload": {"summary": words(alert)[:1000], "source": alert.subject, "severity": severity},
    }


BODIES: dict[Form, Callable[[Alert, Sink], dict[str, object]]] = {
    "json": _json,
    "slack": _slack,
    "discord": _discord,
    "pagerduty": _pagerduty,
}
