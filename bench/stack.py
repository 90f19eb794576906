"""A real `bmn serve` for the benches: its own home, every limit lifted, gone afterwards."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bmn.lifeline import lifeline

_START_SECONDS = 120
_LIFTED = {
    "BMN_REQUESTS_PER_MINUTE": "0",
    "BMN_GENERATIONS_PER_MINUTE": "0",
    "BMN_CREDITS_DEV_USER": "10000000",
    "BMN_LOG_LEVEL": "warning",
    "BMN_CONNECTIONS_PER_ADDRESS": "10000",
}


@dataclass(frozen=True, slots=True)
class BenchServer:
    """environment: what a process needs to talk to this stack."""

    url: str
    token: str
    home: Path
    environment: dict[str, str]


@contextmanager
def running_stack(*arguments: str, **more: str) -> Iterator[BenchServer]:
    """arguments: for `bmn serve`. more: further settings, by the names of their variables."""
    with tempfile.TemporaryDirectory(prefix="bmn-bench-") as folder:
        home = Path(folder)
        environment = {**os.environ, **_LIFTED, **more, "BMN_HOME": folder}
        bmn = [sys.executable, "-m", "bmn"]
        log = (home / "serve.log").open("wb")
        server = subprocess.Popen(
            lifeline([*bmn, "serve", "--port", "0", *arguments]), env=environment, stdout=log, stderr=log
        )
        try:
            state = _wait_for_state(home, server)
            token = subprocess.run([*bmn, "token"], env=environment, capture_output=True, text=True, check=True)
            yield BenchServer(str(state["api_url"]), token.stdout.strip(), home, environment)
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()


def api_process(stack: BenchServer) -> psutil.Process:
    """The process of a stack that answers HTTP."""
    state = json.loads((stack.home / "serve.json").read_text())
    for child in psutil.Process(state["pid"]).children():
        if "api" in " ".join(child.cmdline()[:2]):
            return child
    raise RuntimeError("the stack has no API process")


def _wait_for_state(home: Path, server: subprocess.Popen[bytes]) -> dict[str, object]:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        try:
            state: dict[str, object] = json.loads((home / "serve.json").read_text())
        except (OSError, ValueError):
            time.sleep(0.05)
            continue
        return state
    raise RuntimeError("bmn serve did not start:\n" + (home / "serve.log").read_text()[-2000:])
