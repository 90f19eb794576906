"""A program of supervised children, which tests start, shoot at and stop: `python -m tests.supervised SCENARIO`.

Every process writes lines of JSON to stdout, so that a test can wait for what it needs to know.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from bmn import logs
from bmn.errors import Misconfigured
from bmn.local.supervisor import Child, Hooks, Start, Supervisor


def tell(**fields: Any) -> None:
    os.write(1, json.dumps(fields).encode() + b"\n")


def polite(name: str) -> Callable[[Start], None]:
    """Works until it is told to stop, and says so."""

    def leave(*_: object) -> None:
        tell(event="stopped", name=name)
        os._exit(0)

    def target(start: Start) -> None:
        signal.signal(signal.SIGTERM, leave)
        tell(event="started", name=name, pid=os.getpid(), replaces=start.replaces)
        start.ready()
        while True:
            signal.pause()

    return target


def stubborn(start: Start) -> None:
    """Notes SIGTERM and goes on."""
    signal.signal(signal.SIGTERM, lambda *_: tell(event="ignored", name="stubborn"))
    tell(event="started", name="stubborn", pid=os.getpid(), replaces=start.replaces)
    start.ready()
    while True:
        signal.pause()


def short(start: Start) -> None:
    tell(event="started", name="short", pid=os.getpid(), replaces=start.replaces)
    start.ready()


def broken(_start: Start) -> None:
    raise Misconfigured("REDIS_URL cannot be used", hint="for example …")


def crashing(start: Start) -> None:
    """Reports, then dies of an exception whenever it is started."""
    tell(event="started", name="crashing", at=time.monotonic(), pid=os.getpid())
    start.ready()
    raise ZeroDivisionError


SCENARIOS: dict[str, list[Child]] = {
    "two": [Child("a", polite("a")), Child("b", polite("b"))],
    "ordered": [
        Child("queue", polite("queue"), stop_order=3),
        Child("api", polite("api"), stop_order=2),
        Child("worker 1", polite("worker 1"), stop_order=1),
        Child("worker 2", polite("worker 2"), stop_order=1),
    ],
    "stubborn": [Child("stubborn", stubborn, grace=3600), Child("queue", polite("queue"), stop_order=1)],
    "impatient": [Child("stubborn", stubborn, grace=0.3)],
    "burst": [Child("short", short, restart=False), Child("short too", short, restart=False)],
    "burst broken": [Child("broken", broken, restart=False), Child("short", short, restart=False)],
    "failed start": [Child("a", polite("a")), Child("broken", broken)],
    "crashing": [Child("crashing", crashing)],
}


def main() -> None:
    logs.configure("debug", "json")
    hooks = Hooks(
        ready=lambda: tell(event="ready"),
        waiting=lambda names, left: tell(event="waiting", names=names, left=left),
        stopped=lambda order: tell(event="group stopped", order=order),
    )
    supervisor = Supervisor(title="bmn-test", hooks=hooks)
    for child in SCENARIOS[sys.argv[1]]:
        supervisor.start(child)
    code = supervisor.run()
    tell(event="exit", code=code)
    sys.exit(code)


if __name__ == "__main__":
    main()
