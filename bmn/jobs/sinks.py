"""Tells every receiver of each alert once, once more when something else is behind it, and once when it is over.

One table says how each form of receiver is told. The rows say who was told: a process that dies between a receiver's
answer and the commit makes it hear twice, never not. A receiver that is away is tried again after 1, 2, 4 … 60 minutes, and
one that answers 410 (Gone) not any more: the others hear of it, until BMN_ALERT_URLS does not name it any more.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import httpx

from bmn import observability
from bmn.db import job_store
from bmn.db.engine import Connection
from bmn.db.operators import alert_store
from bmn.db.operators.alert_store import Alert, Trouble
from bmn.db.transitions import Change
from bmn.format import duration
from bmn.jobs.alert_finders import RECEIVER_GONE, next_step, open_here
from bmn.jobs.core import Core
from bmn.jobs.submission import store_jobs
from bmn.logs import get_logger
from bmn.outgoing import RoutedTransport
from bmn.settings import Settings
from bmn.settings.alert_urls import Form, Sink, read_sinks

log = get_logger(__name__)

_TIMEOUT = 10.0

Body = Callable[[Alert, Sink], dict[str, object]]


class _Undelivered(Exception):
    """A receiver that was not told; the text names no address."""


class _Gone(_Undelivered):
    """A receiver that says that it is no more."""


@dataclass(frozen=True, slots=True)
class _Round:
    """What one round of telling has at hand."""

    core: Core
    http: httpx.AsyncClient


def ops_mailbox(settings: Settings) -> Sink:
    """The operators' own, which needs no setting."""
    return Sink("mail", settings.support_email)


def all_sinks(settings: Settings) -> tuple[Sink, ...]:
    """Everybody who is told: the operators' mailbox, Sentry where it is configured, and what BMN_ALERT_URLS names."""
    dsn = settings.sentry_dsn.get_secret_value()
    sentry = (Sink("sentry", dsn),) if dsn else ()
    named = read_sinks(settings.bmn_alert_urls.get_secret_value())
    return tuple(dict.fromkeys((ops_mailbox(settings), *sentry, *named)))


async def tell(core: Core) -> None:
    """Tells every receiver what it has not been told; one that is away costs the others its timeout, no more."""
    sinks, gone = all_sinks(core.settings), await core.db.read(alert_store.gone)
    transport = RoutedTransport()
    async with httpx.AsyncClient(
        transport=transport, trust_env=False, timeout=_TIMEOUT, follow_redirects=False
    ) as http:
        for sink in sinks:
            if sink.id not in gone:
                await _tell(_Round(core, http), sink)
    if unnamed := gone - {sink.id for sink in sinks}:
        await core.db.write(lambda conn: alert_store.forget_gone(conn, unnamed))
    await open_here(core, [_is_gone(sink) for sink in sinks if sink.id in gone])


def _is_gone(sink: Sink) -> Trouble:
    text = f"A receiver of alerts ({sink.form}) has answered that it is gone (HTTP 410), and is told nothing more."
    return Trouble(RECEIVER_GONE, f"{sink.form}-{sink.id[:8]}", f"{text} Put another one into BMN_ALERT_URLS for it.")


async def _tell(at: _Round, sink: Sink) -> None:
    db = at.core.db
    for alert in await db.read(lambda conn: alert_store.untold(conn, sink.id)):
        if not await db.write(lambda conn, it=alert: alert_store.claim(conn, it, sink.id)):  # type: ignore[misc]
            continue
        try:
            await DELIVERIES[sink.form](at, alert, sink)
        except _Gone:
            log.warning("a receiver of alerts is gone, and is told nothing more", form=sink.form, alert=alert.id)
            await db.write(lambda conn, it=alert: alert_store.note_gone(conn, it, sink.id))  # type: ignore[misc]
            return
        except _Undelivered as error:
            log.warning("alert not delivered; tried again later", form=sink.form, alert=alert.id, reason=str(error))
            return  # the others wait for the next round, so that a receiver that is away costs one timeout
        await db.write(lambda conn, it=alert: alert_store.set_told(conn, it, sink.id))  # type: ignore[misc]


def words(alert: Alert) -> str:
    """One line for people."""
    if alert.resolved_at is None:
        head = "Changed: " if alert.changes else ""
        return f"{head}{alert.message} (bmn {alert.kind}, {alert.subject})"
    return f"Resolved after {lasted(alert)}: {alert.message} (bmn {alert.kind}, {alert.subject})"


def lasted(alert: Alert) -> str:
    """From the opening to the end, as people say it."""
    return duration(max(0.0, (alert.resolved_at or alert.opened_at) - alert.opened_at))


# --- how each form is told -----------------------------------------------------------------------------------------------


async def _post(body: Body, at: _Round, alert: Alert, sink: Sink) -> None:
    try:
        # The head of an answer alone counts, and has its time: a body, or a head, may be sent without end.
        async with asyncio.timeout(_TIMEOUT), at.http.stream("POST", sink.url, json=body(alert, sink)) as answer:
            status = answer.status_code
    except (httpx.HTTPError, TimeoutError) as error:
        raise _Undelivered(type(error).__name__) from error
    if status == httpx.codes.GONE:
        raise _Gone
    if not 200 <= status < 300:  # a redirect, too: it could lead to where only we can go
        raise _Undelivered(f"HTTP {status}")


async def _mail(at: _Round, alert: Alert, sink: Sink) -> None:
    """Stores the job that sends it, also while Redis is away; the same alert is one mail."""
    job = at.core.work.alert_mail(
        at.core.settings, sink.url, alert, words(alert), next_step(alert.kind, alert.subject, alert.message)
    )

    def store(conn: Connection) -> Change | None:
        return None if job_store.exists(conn, job.id) else store_jobs(conn, at.core, None, [job])

    if change := await at.core.db.write(store):
        at.core.outbox.publish(change)


async def _sentry(at: _Round, alert: Alert, sink: Sink) -> None:
    over = alert.resolved_at is not None
    level = "info" if over else "error" if alert.severity == "error" else "warning"
    tags = {"alert": alert.kind, "subject": alert.subject, "state": "resolved" if over else "open"}
    if not observability.report(words(alert), level=level, group=(alert.kind, alert.subject), **tags):
        raise _Undelivered("Sentry is not set up in this process")


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
        "changedAt": alert.changed_at,
        "resolvedAt": alert.resolved_at,
        "nextStep": next_step(alert.kind, alert.subject, alert.message),
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


DELIVERIES: dict[Form, Callable[[_Round, Alert, Sink], Awaitable[None]]] = {
    "json": partial(_post, _json),
    "slack": partial(_post, _slack),
    "discord": partial(_post, _discord),
    "pagerduty": partial(_post, _pagerduty),
    "mail": _mail,
    "sentry": _sentry,
}
