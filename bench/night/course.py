"""One incident from its first job to its last: told, accounted for, mended, healed."""

import shlex
import time
from dataclasses import dataclass

from bench.night.fleet import PATIENCE, Fleet
from bench.night.six import Incident
from bmn.format import count
from bmn.schemas.documents import Incident as Account

_LOOKS = ("queues --watch", "doctor", "workers", "incident")  # commands that mend nothing
_DELIVERED = """WITH RECURSIVE line AS (
    SELECT id, id AS root FROM jobs WHERE id = ANY(%s)
    UNION ALL SELECT jobs.id, line.root FROM jobs JOIN line ON jobs.parent_id = line.id)
    SELECT DISTINCT line.root FROM line JOIN jobs ON jobs.id = line.id WHERE jobs.state = 'completed'"""


@dataclass(frozen=True, slots=True)
class Told:
    """Of which kind its alert was, and when it came, in seconds after the incident; None where it did not."""

    kind: str
    hook: float | None
    mail: float | None


def run_one(fleet: Fleet, incident: Incident) -> str:
    """Makes it, waits for its alert, mends it; a row of the table. Raises SystemExit where a command fails."""
    began, old = time.time(), len(fleet.mails())
    ids = incident.make(fleet)
    told = _told(fleet, incident, began, old)
    name = incident.cause or fleet.alert_id(told.kind)
    before = fleet.incident(name, began)
    incident.mend(fleet)
    mended = time.time()
    command = incident.command or before.remedy or ""
    if command and not command.removeprefix("bmn ").startswith(_LOOKS):
        fleet.bmn(*shlex.split(command)[1:])
    healed = _healed(fleet, ids, mended)
    after = fleet.incident(name, began)
    shown = f"`{command}`" if command else "none: it heals by itself"
    row = (
        incident.name,
        f"`{told.kind}`",
        _span(told.hook),
        _span(told.mail),
        _said(before),
        "; ".join(filter(None, (incident.outside, shown))),
        _span(healed),
        f"{after.users_whole} of {count(after.users_hurt, 'user')}" if after.users_hurt else "nobody was hurt",
    )
    return f"| {' | '.join(row)} |"


def _said(account: Account) -> str:
    parts = [
        f"{count(account.jobs, 'job')}: {account.waiting} waiting, {account.failed} failed" if account.jobs else ""
    ]
    parts.append(f"{account.held} behind" if account.held else "")
    parts.append(count(account.users_hurt, "user") if account.users_hurt else "")
    return ", ".join(filter(None, parts)) or "no job has met it"


def _told(fleet: Fleet, incident: Incident, began: float, old: int) -> Told:
    """Waits until the alert has reached both, or the patience is over. old: how many mails there were before."""
    end = time.monotonic() + PATIENCE
    hook: tuple[float, str] | None = None
    mail: float | None = None
    # The first dead letter of a cause is mailed with its job, and that mail stands for the alert's.
    words = (*incident.kinds, incident.cause or incident.kinds[0])
    while time.monotonic() < end and (hook is None or mail is None):
        for at, body in list(fleet.receiver.taken):
            if hook is None and at >= began and body["state"] == "open" and body["kind"] in incident.kinds:
                hook = (at - began, str(body["kind"]))
        new = [text for text in fleet.mails()[old:] if "Resolved after" not in text]
        if mail is None and any(word in text for text in new for word in words):
            mail = time.time() - began
        time.sleep(0.1)
    return Told(hook[1] if hook else incident.kinds[0], hook[0] if hook else None, mail)


def _healed(fleet: Fleet, ids: list[str], since: float) -> float | None:
    """Seconds until every job, or one that replays it, has been delivered; None where that takes too long."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if len(fleet.ask(_DELIVERED, ids)) == len(ids):
            return time.time() - since
        time.sleep(0.2)
    return None


def _span(seconds: float | None) -> str:
    return f"not within {PATIENCE / 60:.0f} min" if seconds is None else f"{seconds:.1f} s"
