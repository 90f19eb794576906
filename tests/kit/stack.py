"""A whole `bmn serve` in processes of its own, and people at a keyboard in front of it."""

import json
import os
import signal
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from bmn.identity.development import mint_development_token
from bmn.settings import Settings
from tests.kit import warm
from tests.kit.processes import PATIENCE
from tests.kit.terminal import BMN, Output, environment, forked, on_terminal, seen_at
from tests.kit.warm import Forked

_QUICK = {
    "BMN_GENERATIONS_PER_MINUTE": "0",
    "BMN_REQUESTS_PER_MINUTE": "0",
    "BMN_BACKOFF_SCALE": "0.05",
    "BMN_LOG_FORMAT": "json",
}

Process = subprocess.Popen[bytes] | Forked


@dataclass(slots=True)
class Stack:
    """A running server. home: its BMN_HOME."""

    home: Path
    api_url: str
    sandbox_url: str
    process: Process

    @property
    def env(self) -> dict[str, str]:
        return {"BMN_HOME": str(self.home)}

    def fault(self, **rule: Any) -> None:
        """Makes the sandbox misbehave; see `bmn_sandbox.faults`."""
        httpx.post(f"{self.sandbox_url}/_sandbox/faults", json=rule, timeout=PATIENCE).raise_for_status()

    def mend(self) -> None:
        httpx.delete(f"{self.sandbox_url}/_sandbox/faults", timeout=PATIENCE).raise_for_status()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


def start(home: Path, *arguments: str, env: Mapping[str, str] | None = None, fork: bool = True) -> Stack:
    """Starts `bmn serve` and waits for the line that says where.

    fork: from a process that is warm, where `env` names no other code; else the installed one.
    """
    command = ["serve", "--json", "--sandbox-speed", "0.3", "--grace", "2", *arguments]
    variables = environment({**_QUICK, "BMN_HOME": str(home), **(env or {})})
    reader, writer = os.pipe()
    process: Process
    with (home / "serve.log").open("a") as log, Path(os.devnull).open() as none, os.fdopen(writer) as out:
        if fork and "PYTHONPATH" not in (env or {}):
            process = warm.fork(command, variables, (none.fileno(), out.fileno(), log.fileno()))
        else:
            process = subprocess.Popen([BMN, *command], stdin=none, stdout=out, stderr=log, env=variables)
    with os.fdopen(reader) as said:
        line = said.readline()
        if not line.rstrip().endswith("}"):  # an error's document has several lines
            pytest.fail(line + said.read() + (home / "serve.log").read_text())
    where = json.loads(line)
    return Stack(home, where["apiUrl"], where["sandboxUrl"], process)


@dataclass(slots=True)
class User:
    """Somebody at a keyboard: their own token, so that no test sees another's jobs."""

    stack: Stack
    role: str = "user"
    user_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def env(self) -> dict[str, str]:
        settings = Settings(bmn_home=self.stack.home)
        token = mint_development_token(settings, self.user_id, f"{self.user_id[:8]}@example.org", self.role)
        return {**self.stack.env, "BMN_TOKEN": token}

    def bmn(self, *args: str, env: Mapping[str, str] | None = None, stdin: str = "") -> Output:
        return forked(*args, env={**self.env, **(env or {})}, stdin=stdin)

    def json(self, *args: str) -> Any:
        """The one document of a command that has to succeed."""
        done = self.bmn(*args, "--json")
        assert done.code == 0, done.err
        return json.loads(done.out)

    def seen_at(self, columns: int, *args: str, env: Mapping[str, str] | None = None) -> tuple[int, str]:
        return seen_at(columns, *args, env={**self.env, **(env or {})}, fork=True)

    def on_terminal(self, *args: str, columns: int = 100, env: Mapping[str, str] | None = None) -> Any:
        return on_terminal(*args, columns=columns, env={**self.env, **(env or {})}, fork=True)
