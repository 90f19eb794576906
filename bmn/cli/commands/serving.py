"""What `bmn serve` was asked for, and what it says once everything runs."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bmn import logs
from bmn.cli.terminal.console import console
from bmn.cli.terminal.starting import Starting
from bmn.lifeline import lifeline
from bmn.settings import PROVIDERS, Settings
from bmn.settings.web import bracketed, reachable
from bmn.work.queue_names import QUEUE_NAMES

_TELL_EVERY = 5.0

log = logs.get_logger(__name__)


@dataclass(slots=True)
class Plan:
    """What was asked for, and what became of it."""

    settings: Settings
    queues: list[str]
    grace: float | None
    ephemeral: bool
    open_page: bool
    starting: Starting
    api_processes: int = 1
    joins: bool = False
    began: float = field(default_factory=time.monotonic)

    @property
    def api_url(self) -> str:
        return f"http://{bracketed(reachable(self.settings.bmn_host))}:{self.settings.port}"


class Farewell:
    """Says what a supervisor waits for while it stops, and what has closed. plain: to a person, and not in a log."""

    def __init__(self, closed: Mapping[int, tuple[str, ...]], *, plain: bool) -> None:
        self._closed = closed
        self._plain = plain
        self._told = 0.0

    def waiting(self, names: list[str], left: float) -> None:
        """Once in a while. left: seconds until they are killed."""
        if time.monotonic() - self._told < _TELL_EVERY:
            return
        self._told = time.monotonic()
        if self._plain:
            console.say(f"waiting for {', '.join(names)}, {round(left)} s at most; the next Ctrl-C hurries")
        else:
            log.info("waiting, the next Ctrl-C hurries", processes=", ".join(names), seconds_left=round(left))

    def stopped(self, order: int) -> None:
        """All processes of this order have ended."""
        for line in self._closed[order]:
            if self._plain:
                console.say(line)
            else:
                log.info(line)


def addresses(plan: Plan) -> dict[str, str]:
    """Where other processes of this home find these."""
    settings = plan.settings
    return {
        "api_url": plan.api_url,
        "redis_url": settings.redis_address,
        "sandbox_url": settings.sandbox_address,
    }


def announce(plan: Plan) -> None:
    """Everything runs: says where. With --json one document, whose keys scripts may rely on."""
    settings = plan.settings
    if console.json:
        document = {
            "apiUrl": plan.api_url,
            "sandboxUrl": settings.sandbox_address or None,
            "home": str(settings.bmn_home),
            "queues": plan.queues,
            "pid": os.getpid(),
            "readyMs": round((time.monotonic() - plan.began) * 1000),
        }
        console.json_line(document)
    elif not plan.ephemeral:
        for line in _block(plan):
            console.answer(line)
        sys.stdout.flush()
    if plan.open_page:
        _open_page(plan)


def _open_page(plan: Plan) -> None:
    """Lets `bmn open` sign the browser in: it needs an event loop, and this process must not have one."""
    subprocess.Popen(
        lifeline([sys.executable, "-P", "-m", "bmn", "open"]),
        env={**os.environ, "BMN_HOME": str(plan.settings.bmn_home), "BMN_API_URL": plan.api_url},
        stdout=subprocess.DEVNULL if console.json else None,
    )


def _block(plan: Plan) -> list[str]:
    settings = plan.settings
    sandboxed = [name for name in settings.missing_providers() if settings.sandbox_address]
    local = "everything is local, no keys needed" if len(sandboxed) == len(PROVIDERS) else "ready"
    redis = "embedded valkey (AOF)" if settings.redis_address.startswith("unix://") else "Redis"
    database = "sqlite" if settings.database_address.startswith("sqlite") else "postgresql"
    each = "one for each queue" if set(plan.queues) == set(QUEUE_NAMES) else " ".join(plan.queues)
    rows = [
        ("API", f"{plan.api_url:<40}docs /docs"),
        ("Gallery", f"{plan.api_url + '/g':<40}bmn open"),
        ("Queues", f"{plan.api_url + '/admin/queues':<40}bmn admin open"),
        ("Mailbox", "" if settings.is_production else f"{plan.api_url}/dev/mail"),
        ("Sandbox", f"{settings.sandbox_address}  {' '.join(sandboxed)}" if sandboxed else ""),
        ("Workers", each or "none here: bmn worker all"),
        ("Data", f"{database} + {redis}, {_short(settings.bmn_home)}"),
        ("Token", "export BMN_TOKEN=$(bmn token)"),
        ("Next", 'bmn generate logos --brand "Acme Coffee"'),
    ]
    took = time.monotonic() - plan.began
    return [f"bmn serve ─ {local} (ready in {took:.1f} s)", *(f"  {name:<11}{text}" for name, text in rows if text)]


def _short(path: Path) -> str:
    """The path with ~ for the user's own folder."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):  # it lies elsewhere; this user has no folder of its own
        return str(path)
