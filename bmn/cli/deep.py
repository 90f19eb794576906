"""What `bmn doctor --deep` does beyond looking: asks each provider, sends a job by each worker, and takes the way back."""

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from bmn.cli.checks import DoctorCheck, is_to_be_made
from bmn.client import Client
from bmn.errors import BmnError
from bmn.format import count, duration
from bmn.schemas.documents import ProbeRecord, Probes
from bmn.settings import PROVIDERS, Settings

_PROBE_SECONDS = 45.0
_LOOK_SECONDS = 0.5
_LOST_SECONDS = 60.0
_OVERDUE_SECONDS = 900.0
_YOUNG_SECONDS = 3600.0  # an object may be younger than the row that is about to name it
_BATCH = 500
_CERTIFICATE_DAYS = 14


def check_providers(settings: Settings) -> Iterator[DoctorCheck]:
    """Asks every provider that has a key; what the sandbox stands in for has nothing to be asked."""
    from bmn.providers.keycheck import check_key

    for name, names in PROVIDERS.items():
        access = settings.provider(name)
        if access is None or access.sandboxed:
            continue
        found = check_key(settings, name, access)
        remedy = {
            "taken": None,
            "refused": f"Set a key that is good in {names.key_field.upper()}, and start the workers again.",
            "empty": "Top the account up; its queue tries again by itself.",
            "unclear": "Ask again; its status page may know more.",
        }[found.state]
        state = {"taken": "ok", "unclear": "warning"}.get(found.state, "failed")
        yield DoctorCheck("Provider", state, f"{name} {found.said}", remedy)  # type: ignore[arg-type]


def check_stuck(settings: Settings) -> Iterator[DoctorCheck]:
    """Jobs that stand still though nothing holds them."""
    from bmn.db.health.probe import stuck_jobs

    if is_to_be_made(settings):
        return
    found = stuck_jobs(settings.database_address, lost_for=_LOST_SECONDS, overdue_for=_OVERDUE_SECONDS)
    if found.lost:
        text = f"{count(found.lost, 'job')} of workers that are gone, and no worker runs them"
        yield DoctorCheck("Stuck", "failed", text, "Start a worker: whichever runs takes them from the dead.")
    for queue, age in found.overdue.items():
        text = f"the oldest job in {queue} should have begun {duration(age)} ago"
        yield DoctorCheck("Stuck", "warning", text, f"Start a worker of it, or more: bmn workers scale {queue}=2")
    if not found.lost and not found.overdue:
        yield DoctorCheck("Stuck", "ok", "no job is stuck")


def check_orphans(settings: Settings) -> Iterator[DoctorCheck]:
    """Objects that no row names; the hourly cleanup removes them."""
    from bmn.db.health.probe import unnamed
    from bmn.storage import open_storage

    if is_to_be_made(settings):
        return
    stored = asyncio.run(open_storage(settings).list())
    old = [key for key, written in stored if written < time.time() - _YOUNG_SECONDS]
    batches = (old[start : start + _BATCH] for start in range(0, len(old), _BATCH))
    lost = sum(len(unnamed(settings.database_address, batch)) for batch in batches)
    if lost:
        remedy = "The hourly cleanup removes them; where they grow, look at its jobs: bmn jobs list --queue cleanup"
        yield DoctorCheck("Orphans", "warning", f"{count(lost, 'object')} that no row names", remedy)
    else:
        young = len(stored) - len(old)
        told = f"; {young} younger than an hour, whose rows may be still to come" if young else ""
        yield DoctorCheck("Orphans", "ok", f"each of {count(len(old), 'object')} belongs to a row{told}")


def check_way_back(settings: Settings) -> Iterator[DoctorCheck]:
    """Whether browsers and providers reach us where our links say: PUBLIC_URL, over TLS in production."""
    import httpx

    from bmn.outgoing import ask

    address = settings.public_address
    parts = urlsplit(address)
    if settings.is_production and parts.scheme != "https":
        yield DoctorCheck(
            "Public URL", "failed", f"{address} is not https", "Set PUBLIC_URL to the address behind TLS."
        )
    try:
        answer = ask(f"{address}/health/live", seconds=10)
        is_ours = answer.status_code == httpx.codes.OK and "version" in answer.json()
    except (httpx.HTTPError, ValueError) as error:
        remedy = "Links in mails and webhooks lead there: look at DNS, the proxy and its certificate."
        yield DoctorCheck("Public URL", "failed", f"{address}: {error}", remedy)
        return
    if is_ours:
        yield DoctorCheck("Public URL", "ok", f"{address} leads back to this service")
    else:
        remedy = "Set PUBLIC_URL, or let the proxy in front pass every path on."
        yield DoctorCheck("Public URL", "failed", f"something else answers at {address} ({answer.status_code})", remedy)
    if parts.scheme == "https" and parts.hostname:
        yield _certificate(parts.hostname, parts.port or 443)


def _certificate(host: str, port: int) -> DoctorCheck:
    """How long the certificate is good; that it is good at all, the request before has shown."""
    from bmn.outgoing import tls

    try:
        with (
            socket.create_connection((host, port), 10) as plain,
            tls().wrap_socket(plain, server_hostname=host) as line,
        ):
            found: Any = line.getpeercert() or {}
    except OSError as error:  # a proxy of ours may be the only way out
        return DoctorCheck(
            "TLS", "warning", f"{host} cannot be reached directly: {error}", "Look at its certificate by hand."
        )
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(found["notAfter"]), UTC)
    days = (ends - datetime.now(UTC)).days
    if days < _CERTIFICATE_DAYS:
        return DoctorCheck("TLS", "warning", f"the certificate of {host} ends in {days} days", "Renew it.")
    return DoctorCheck("TLS", "ok", f"the certificate of {host} is good for {days} days")


def check_probes(settings: Settings) -> Iterator[DoctorCheck]:
    """Sends a job that costs nothing by each worker of each queue, and waits until they have carried it."""
    sent, ended, took = asyncio.run(_probe(settings))
    for queue in sent.unserved:
        yield DoctorCheck("Probe", "failed", f"no worker serves {queue}", f"Start one: bmn worker {queue}")
    paused = sorted({probe.queue for probe in sent.probes if probe.paused})
    for queue in paused:
        yield DoctorCheck("Probe", "warning", f"{queue} is paused, so no job was sent through it", "See: bmn queues")
    asked = [probe for probe in sent.probes if probe.job_id]
    for probe in asked:
        state = ended.get(str(probe.job_id), "")
        if state != "completed":
            text = f"{probe.queue} on {probe.host}: {_words(probe, state)}"
            yield DoctorCheck(
                "Probe", "failed", text, f"Look at its log, or replace it: bmn workers drain {probe.worker}"
            )
    hosts = sorted({probe.host or "?" for probe in asked})
    queues = {probe.queue for probe in asked}
    if asked and all(ended.get(str(probe.job_id)) == "completed" for probe in asked):
        text = (
            f"{count(len(asked), 'worker')} of {count(len(queues), 'queue')} on {', '.join(hosts)} each carried a job"
        )
        yield DoctorCheck("Probe", "ok", f"{text}, all within {took:.1f} s")


def _words(probe: ProbeRecord, state: str) -> str:
    return (
        f"the job ended as {state}"
        if state
        else f"worker {probe.worker} has not carried it within {_PROBE_SECONDS:.0f} s"
    )


async def _probe(settings: Settings) -> tuple[Probes, dict[str, str], float]:
    """What was sent, how each ended (those that have not are left out), and how long all took."""
    began = time.monotonic()
    ended: dict[str, str] = {}
    async with Client(settings, role="admin") as client:
        sent = await client.send_probes()
        open_ones = {probe.job_id for probe in sent.probes if probe.job_id}
        while open_ones and time.monotonic() - began < _PROBE_SECONDS:
            await asyncio.sleep(_LOOK_SECONDS)
            page = await client.jobs(limit=100, all=True, since=_PROBE_SECONDS * 2, state="completed")
            done = {job.job_id: str(job.state) for job in page.jobs if job.job_id in open_ones}
            ended |= done
            open_ones -= set(done)
        for job_id in sorted(open_ones):
            with contextlib.suppress(BmnError):
                state = str((await client.job(job_id)).state)
                ended |= {job_id: state} if state in ("completed", "failed", "cancelled") else {}
                if job_id not in ended:
                    await client.cancel(job_id, reason="a probe that nobody took")
    return sent, ended, time.monotonic() - began


DEEP = (check_providers, check_stuck, check_orphans, check_way_back, check_probes)
